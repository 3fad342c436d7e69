/** What panels say about their data, in every corner where it was once something else than the data. */
import { readFileSync } from 'node:fs';
import type { Board } from '@nowcast/contract';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
});
afterAll(() => desk.close());

const open = (board: Board, search = '') =>
  desk.page.goto(`${desk.server.url}/boards/${board.board_id}${search}`);
const panel = (title: string) => desk.page.getByRole('article', { name: title, exact: true });

describe('a feed', () => {
  it('writes what is already listed anew in another unit and another time zone', async () => {
    const timestamp = Date.now();
    await desk.send([{ metric_type: 'orders', value: 2048, timestamp, message: 'a crate' }]);
    const feed = { chart_type: 'feed', query: { agg: 'none' } };
    await open(await desk.makeBoard('Messages', [panelOf('Feed', feed)]), '?edit=true&panel=feed&tz=UTC');
    const item = panel('Feed').getByRole('listitem').filter({ hasText: 'a crate' });
    const clock = (shiftMs: number) => new Date(timestamp + shiftMs).toISOString().slice(11, 19);
    await item.getByText(clock(0)).waitFor();
    await item.getByText('2,048', { exact: true }).waitFor();
    const drawer = desk.page.getByRole('complementary', { name: 'Edit Feed' });
    await drawer.getByRole('tab', { name: 'Display' }).click();
    await drawer.getByLabel('Unit').selectOption('bytes');
    await item.getByText('2 KiB').waitFor();
    await desk.press('Close editor');
    await desk.page.getByRole('button', { name: /^Time range/ }).click();
    await desk.page.getByLabel('Time zone').selectOption('Asia/Dubai');
    await item.getByText(clock(4 * 3_600_000)).waitFor();
  });

  it('leaves a selection where it is, whatever arrives above it', async () => {
    const say = (message: string) => desk.send([{ metric_type: 'notes', value: 1, message }]);
    await say('copy me');
    const feed = { chart_type: 'feed', metric_type: 'notes', query: { agg: 'none' } };
    await open(await desk.makeBoard('Notes', [panelOf('Notes', feed)]));
    const items = panel('Notes').getByRole('listitem');
    const text = items.filter({ hasText: 'copy me' }).getByText('copy me');
    // Three clicks take the line, as people do.
    await text.click({ clickCount: 3 });
    const selected = () => desk.page.evaluate<string>('getSelection().toString()');
    expect(await selected()).toContain('copy me');
    for (const message of ['first', 'second']) {
      await say(message);
      await items.first().getByText(message).waitFor();
    }
    expect(await selected()).toContain('copy me');
    expect(await items.allInnerTexts()).toHaveLength(3);
  });
});

describe('a panel of tiles', () => {
  it('judges also those below its fold, and the worst comes first', async () => {
    const hosts = Array.from({ length: 30 }, (_, i) => `host-${String(i).padStart(2, '0')}`);
    const say = (host: string, value: number) => ({ metric_type: 'heat', value, labels: { host } });
    await desk.send(hosts.map((host) => say(host, 10)));
    const tiles = {
      chart_type: 'status',
      metric_type: 'heat',
      query: { agg: 'last', group_by: ['host'], limit: 30 },
      display: { thresholds: [{ value: 80, level: 'crit' }] },
      layout: { x: 0, y: 0, w: 6, h: 6 },
    };
    await open(await desk.makeBoard('Heat', [panelOf('Heat', tiles)]));
    const items = panel('Heat').getByRole('listitem');
    await items.filter({ hasText: 'host-29' }).getByText('OK').waitFor();
    await items.first().filter({ hasText: 'host-00' }).waitFor();
    await desk.send([say('host-25', 99)]);
    const first = items.first().filter({ hasText: 'host-25' });
    await first.getByText('Critical').waitFor();
    await first.getByText('99', { exact: true }).waitFor();
    await items.filter({ hasText: 'host-29' }).getByText('10', { exact: true }).waitFor();
  });
});

describe('figures of many series', () => {
  it('are all there, the last by its name as well', async () => {
    const hosts = Array.from({ length: 15 }, (_, i) => `host-${i + 1}`);
    const point = (host: string) => ({ metric_type: 'hosts', value: 5, labels: { host } });
    await desk.send(hosts.map(point));
    const kinds = ['stat', 'gauge'].map((kind, i) =>
      panelOf(kind, {
        metric_type: 'hosts',
        chart_type: kind,
        query: { agg: 'last', group_by: ['host'] },
        layout: { x: i * 6, y: 0, w: 6, h: 6 },
      }),
    );
    await open(await desk.makeBoard('Hosts', kinds));
    for (const kind of ['stat', 'gauge']) {
      await panel(kind).getByText('host-15', { exact: true }).waitFor();
      expect(await panel(kind).getByTestId(`${kind}-value`).count()).toBe(15);
    }
  });
});

describe('a board that stands still', () => {
  const at = (minutes: number): number => Date.now() - minutes * 60_000;
  const kinds = ['line', 'stat', 'gauge', 'pie', 'table', 'feed', 'status'] as const;
  const bucketMs = 20_000;
  const query = { agg: 'sum', group_by: ['shop'], step: '20s' };
  const panels = kinds.map((kind, i) =>
    panelOf(kind, {
      chart_type: kind,
      query,
      layout: { x: (i % 3) * 4, y: Math.floor(i / 3) * 6, w: 4, h: 6 },
    }),
  );
  const sale = (value: number, timestamp: number) => ({
    metric_type: 'orders',
    value,
    timestamp,
    message: 'sold',
    labels: { shop: 'Rome' },
  });

  /** Whether three seconds pass, among the next thirty, in which nothing of a panel is drawn. */
  const rests = (): Promise<boolean> =>
    desk.page.evaluate<boolean>(`new Promise((done) => {
      setTimeout(() => done(false), 30_000);
      let timer;
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(() => done(true), 3000);
      };
      const observer = new MutationObserver(wait);
      for (const one of document.querySelectorAll('article'))
        observer.observe(one, { attributes: true, characterData: true, childList: true, subtree: true });
      const { clearRect } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.clearRect = function (...box) {
        wait();
        clearRect.apply(this, box);
      };
      wait();
    })`);

  it('is drawn once, and again when a late point changes it', async () => {
    await desk.send([sale(30, at(8)), sale(40, at(7))]);
    const range = { from: at(10), to: at(5) };
    await open(await desk.makeBoard('Past', panels), `?from=${range.from}&to=${range.to}`);
    const total = panel('stat').getByTestId('stat-value');
    await total.getByText('70').waitFor();
    await panel('feed').getByText('sold').first().waitFor();
    expect(await rests()).toBe(true);
    await desk.send([sale(5, at(6))]);
    await total.getByText('75').waitFor();
    await panel('pie')
      .getByRole('row', { name: /Rome 75/ })
      .waitFor();
    expect(await panel('feed').getByText('sold').count()).toBe(3);
  });

  it('is drawn until its last bucket is over, which is not called unfinished for ever', async () => {
    await open(await desk.makeBoard('Paused', panels), '?from=now-2m');
    await vi.waitFor(() => expect(Date.now() % bucketMs).toBeLessThan(bucketMs / 2), patience);
    await desk.send([sale(1, Date.now())]);
    await panel('line').getByRole('button', { name: /Rome/ }).waitFor();
    await desk.press('Live: pause');
    await desk.page.getByRole('button', { name: /^Go live/ }).waitFor();
    const plot = panel('line').locator('.u-over');
    const { width, height } = (await plot.boundingBox())!;
    await plot.hover({ position: { x: width - 3, y: height / 2 } });
    const head = panel('line').locator('.chart-tooltip-time');
    await head.getByText(/ · so far$/).waitFor();
    expect(await rests()).toBe(true);
    expect(await head.textContent()).not.toContain('so far');
  });
});

describe('the picture of a panel', () => {
  it('has nothing of the rows that were scrolled away over its title and the head of its table', async () => {
    const timestamp = Date.now() - 60_000;
    const labels = Array.from({ length: 20 }, (_, i) => ({ host: `host-${i}` }));
    await desk.send(labels.map((one, i) => ({ metric_type: 'rows', value: i, timestamp, labels: one })));
    const table = {
      metric_type: 'rows',
      chart_type: 'table',
      query: { agg: 'last', group_by: ['host'] },
    };
    const range = `?from=${timestamp - 60_000}&to=${timestamp + 1000}`;
    await open(await desk.makeBoard('Scrolled', [panelOf('Rows', table)]), range);
    const rows = panel('Rows').getByRole('group', { name: 'Rows: table' });
    await rows.getByRole('cell', { name: 'host-19', exact: true }).waitFor();
    const picture = async (): Promise<string> => {
      await desk.press('Menu of Rows');
      const started = desk.page.waitForEvent('download');
      await desk.page.getByRole('menuitem', { name: 'Download PNG' }).click();
      return readFileSync(await (await started).path(), 'base64');
    };
    const whole = await picture();
    await rows.evaluate((element) =>
      (element as unknown as { scrollTo: (x: number, y: number) => void }).scrollTo(0, 27),
    );
    const [head, frame] = [
      (await rows.getByRole('columnheader').first().boundingBox())!,
      (await panel('Rows').boundingBox())!,
    ];
    const height = Math.floor(head.y + head.height - frame.y) - 1;
    const differing = await desk.page.evaluate<number>(
      `(async () => {
        const [a, b] = await Promise.all(${JSON.stringify([whole, await picture()])}.map(async (text) => {
          const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
          const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
          const ctx = new OffscreenCanvas(image.width, image.height).getContext('2d');
          ctx.drawImage(image, 0, 0);
          return ctx.getImageData(0, 0, image.width, ${height}).data;
        }));
        return a.reduce((sum, value, i) => sum + Number(value !== b[i]), 0);
      })()`,
    );
    expect(differing).toBe(0);
  });
});

describe('the file of a panel that shows amounts per second', () => {
  it('holds the numbers of the panel, and says what they are and in which zone', async () => {
    const timestamp = Math.floor(Date.now() / 10_000) * 10_000 - 60_000;
    await desk.send([{ metric_type: 'parcels', value: 50, timestamp }]);
    const rate = {
      metric_type: 'parcels',
      query: { agg: 'sum', step: '10s' },
      display: { per_second: true },
    };
    await open(await desk.makeBoard('Post', [panelOf('Parcels', rate)]), '?tz=Asia/Dubai');
    await panel('Parcels').locator('canvas').first().waitFor();
    await desk.press('Menu of Parcels');
    const started = desk.page.waitForEvent('download');
    await desk.page.getByRole('menuitem', { name: 'Download CSV' }).click();
    const file = readFileSync(await (await started).path(), 'utf8');
    const [head, ...rows] = file.trimEnd().split('\r\n');
    // The mark tells spreadsheets that it is UTF-8.
    expect(head).toBe('\uFEFFtime (Asia/Dubai),timestamp_ms,value_per_second');
    const clock = new Date(timestamp + 4 * 3_600_000).toISOString().replace('Z', '+04:00');
    expect(rows).toContain(`${clock},${timestamp},5`);
  });
});

describe('a dial', () => {
  it('prints its ends as they are, with however many decimals its value is shown', async () => {
    await desk.page.addInitScript(`{
      window.written = [];
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        window.written.push(text);
        fillText.call(this, text, ...place);
      };
    }`);
    await desk.send([{ metric_type: 'waits', value: 90 }]);
    const display = { unit: 'seconds', decimals: 1, min: 2.5, max: 200 };
    const dial = panelOf('Dial', { metric_type: 'waits', chart_type: 'gauge', display });
    await open(await desk.makeBoard('Dials', [dial]));
    await panel('Dial').getByTestId('gauge-value').getByText('90.0').waitFor();
    expect(await desk.page.evaluate('[...new Set(window.written)]')).toEqual(['2.5\u00a0s', '3.33\u00a0min']);
  });
});

describe('the line of a board on Home', () => {
  it('ends with the last whole bucket, like the board itself', async () => {
    const bucketMs = 5 * 60_000;
    await vi.waitFor(() => expect(Date.now() % bucketMs).toBeLessThan(bucketMs - 30_000), patience);
    const start = Math.floor(Date.now() / bucketMs) * bucketMs;
    const wait = (value: number, timestamp: number) => ({ metric_type: 'queueing', value, timestamp });
    await desk.send([wait(3, start), wait(100, start - 60_000), wait(100, start - 120_000)]);
    const query = { agg: 'p95', step: '5m' };
    const stat = panelOf('Queueing', { metric_type: 'queueing', chart_type: 'stat', query });
    const board = await desk.makeBoard('Queues', [stat]);
    const shown = async (place: Locator): Promise<number> => Number(await place.innerText());
    await open(board);
    const onBoard = panel('Queueing').getByTestId('stat-value');
    await vi.waitFor(async () => expect(await shown(onBoard)).toBeGreaterThan(90), patience);
    await desk.page.goto(desk.server.url);
    const card = desk.page.getByRole('listitem').filter({ hasText: 'Queues' });
    const onHome = card.getByText('Queueing', { exact: true }).locator('xpath=following-sibling::span');
    await vi.waitFor(async () => expect(await shown(onHome)).toBeGreaterThan(0), patience);
    expect(await shown(onHome)).toBeGreaterThan(90);
  });
});

describe('a panel of a metric that a thousand others come before', () => {
  it('is told from one that never arrived, and is asked as its metric wants to be', async () => {
    const long = Date.now() - 3_600_000;
    const others = Array.from({ length: 1100 }, (_, i) => ({ metric_type: `a_${i}`, value: 1 }));
    await desk.send([...others, { metric_type: 'zz_requests_total', value: 7, timestamp: long }]);
    const asked = desk.page.waitForRequest((request) => request.url().includes('/api/v1/metrics?name='));
    const old = panelOf('Old', { metric_type: 'zz_requests_total' });
    const never = panelOf('Never', {
      metric_type: 'zz_never',
      layout: { x: 6, y: 0, w: 6, h: 6 },
    });
    await open(await desk.makeBoard('Many', [old, never]));
    await panel('Old').getByText('No data in this range').waitFor();
    await panel('Old')
      .getByText(/^Last: .* ago/)
      .waitFor();
    await panel('Never').getByText('Nothing called “zz_never” has arrived yet').waitFor();
    const names = new URL((await asked).url()).searchParams.getAll('name');
    expect(names.toSorted()).toEqual(['zz_never', 'zz_requests_total']);
  });

  it('is found where metrics are chosen, and in the palette', async () => {
    await desk.page.goto(`${desk.server.url}/explore`);
    await desk.page
      .getByRole('button', { name: /metric/i })
      .first()
      .click();
    await desk.page.getByLabel('Search metrics').fill('requests zz');
    await desk.page.getByRole('option', { name: /zz_requests_total/ }).waitFor();
    await desk.page.keyboard.press('Escape');
    await desk.page.keyboard.press('ControlOrMeta+k');
    await desk.page.getByLabel('Search boards, metrics and commands').fill('zz_requests');
    await desk.page.getByRole('option', { name: /zz_requests_total/ }).waitFor();
  });
});
