/** What panels say about their data, in every corner where it was once something else than the data. */
import type { Board } from '@nowcast/contract';
import { afterAll, beforeAll, describe, it } from 'vitest';
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
