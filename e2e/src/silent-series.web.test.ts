/**
 * One host of a panel dies while the others go on: the panel itself is fresh, so that each place which shows the host's last
 * value has to say by itself how old it is.
 */
import { HttpApi } from '@nowcast/client';
import type { Board } from '@nowcast/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openScreen, overflowsSideways, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

const charts = ['stacked', 'stat', 'gauge', 'status'] as const;
const silentForMs = 100_000;

let browser: Browser;
let server: RunningServer;
let sending: NodeJS.Timeout;
let board: Board;

async function write(lines: readonly string[]): Promise<void> {
  const headers = { authorization: `Token ${server.key}` };
  const url = `${server.url}/api/v2/write?precision=ms`;
  await fetch(url, { method: 'POST', headers, body: lines.join('\n') }).catch(() => undefined);
}

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startServer(['--no-collector'])]);
  const now = Date.now();
  const past: string[] = [];
  for (let at = now - 200_000; at < now; at += 1000) {
    past.push(`load,host=web value=20 ${at}`);
    if (at < now - silentForMs) past.push(`load,host=db value=40 ${at}`);
  }
  await write(past);
  sending = setInterval(() => void write([`load,host=web value=20 ${Date.now()}`]), 500);
  const api = new HttpApi({ url: server.url });
  await api.login(server.login.login, server.login.password);
  const panels = charts.map((chart, i) => ({
    visualization_id: chart,
    title: `Load as ${chart}`,
    metric_type: 'load',
    chart_type: chart,
    query: { agg: 'avg', group_by: ['host'] },
    layout: { x: 0, y: i * 5, w: 12, h: 5 },
    display: { unit: 'none' },
  }));
  const totals = ['stat', 'gauge'].map((chart, i) => ({
    visualization_id: `total-${chart}`,
    title: `Total as ${chart}`,
    metric_type: 'load',
    chart_type: chart,
    query: { agg: 'sum', group_by: ['host'] },
    layout: { x: i * 6, y: 20, w: 6, h: 6 },
    display: { unit: 'none', thresholds: [{ value: 100, level: 'crit' }] },
  }));
  const content = { title: 'Load', window: '5m', panels: [...panels, ...totals] };
  board = await api.call('POST', '/api/v1/boards', { body: { content } });
});
afterAll(async () => {
  clearInterval(sending);
  await browser.close();
  await server.destroy();
});

it.each([sizes[0], sizes[2]])(
  'a silent host is told by its age on a $name, and the others are not',
  async (size) => {
    const { page, context, complaints } = await openScreen(browser, size);
    await page.goto(`${server.url}/login`);
    await page.getByLabel('E-mail or username').fill(server.login.login);
    await page.getByLabel('Password', { exact: true }).fill(server.login.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/login'));
    await page.goto(`${server.url}/boards/${board.board_id}`);
    const panel = (chart: (typeof charts)[number]) =>
      page.getByRole('article', { name: `Load as ${chart}`, exact: true });
    await panel('stacked')
      .getByRole('button', { name: /^db.*min ago$/ })
      .waitFor();
    await panel('gauge')
      .getByRole('group', { name: 'db', exact: true })
      .getByText(/min ago$/)
      .waitFor();
    await panel('stat')
      .getByText(/no data for/)
      .waitFor();
    await panel('status')
      .getByText(/No data for/)
      .waitFor();
    for (const chart of charts) {
      expect(
        await panel(chart)
          .getByText(/ago$|no data for/i)
          .count(),
        chart,
      ).toBe(1);
      expect(await panel(chart).getAttribute('data-stale'), chart).toBe('fresh');
    }
    // A total of the range is true whoever is silent since: it keeps its level and its colour, and has no age.
    for (const [chart, said] of [
      ['stat', 'total · critical'],
      ['gauge', 'critical'],
    ] as const) {
      const total = page.getByRole('article', { name: `Total as ${chart}`, exact: true });
      await total.scrollIntoViewIfNeeded();
      await total.getByText(said, { exact: true }).nth(1).waitFor();
      expect(await total.getByText(/ago$|no data for/i).count(), chart).toBe(0);
      for (const value of await total.getByTestId(`${chart}-value`).all())
        expect((await value.getAttribute('style')) ?? '', chart).not.toContain('nodata');
    }
    expect(await overflowsSideways(page)).toBe(false);
    expect(complaints).toEqual([]);
    await context.close();
  },
);
