/** What panels say about their data, in every corner where it was once something else than the data. */
import { readFileSync } from 'node:fs';
import type { Board } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';

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
    expect(head).toBe('time (Asia/Dubai),timestamp_ms,value_per_second');
    const clock = new Date(timestamp + 4 * 3_600_000).toISOString().replace('Z', '+04:00');
    expect(rows).toContain(`${clock},${timestamp},5`);
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
