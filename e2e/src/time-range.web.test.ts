/** The range of a screen: how it is chosen, and what it says while it stands still. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';

let desk: BoardDesk;
let boardUrl: string;
beforeAll(async () => {
  desk = await BoardDesk.open();
  await desk.send([{ metric_type: 'orders', value: 1 }]);
  const board = await desk.makeBoard('Ranges', [panelOf('Orders')]);
  boardUrl = `${desk.server.url}/boards/${board.board_id}`;
});
afterAll(() => desk.close());

const address = () => new URL(desk.page.url()).searchParams;
const minute = 60_000;

describe('the time picker of a live board', () => {
  it('keeps what was typed when another zone is chosen, and turns only what was not', async () => {
    await desk.page.goto(`${boardUrl}?tz=UTC`);
    await desk.page.getByRole('button', { name: /^Time range/ }).click();
    const [from, to] = [desk.page.getByLabel('From'), desk.page.getByLabel('To', { exact: true })];
    await from.fill('2026-11-12T14:00:00');
    const before = Date.parse(`${await to.inputValue()}Z`);
    await desk.page.getByLabel('Time zone').selectOption('Asia/Dubai');
    await vi.waitFor(async () => {
      expect(Date.parse(`${await to.inputValue()}Z`)).toBe(before + 240 * minute);
    }, patience);
    expect(await from.inputValue()).toMatch(/^2026-11-12T14:00/);
    await to.fill('2026-11-12T15:00:00');
    await desk.press('Show this range');
    await vi.waitFor(() => {
      expect(Number(address().get('from'))).toBe(Date.UTC(2026, 10, 12, 10));
      expect(Number(address().get('to'))).toBe(Date.UTC(2026, 10, 12, 11));
    }, patience);
  });
});

describe('the time picker of a range in the hour that happens twice', () => {
  it('leaves the end that nobody touched where it is, to the millisecond', async () => {
    // 02:30 for the second time, after the clock went back.
    const from = Date.UTC(2026, 9, 25, 1, 30, 0, 123);
    await desk.page.goto(`${boardUrl}?tz=Europe/Berlin&from=${from}&to=${from + 60 * minute}`);
    await desk.page.getByRole('button', { name: /^Time range/ }).click();
    expect(await desk.page.getByLabel('From').inputValue()).toMatch(/^2026-10-25T02:30/);
    await desk.page.getByLabel('To', { exact: true }).fill('2026-10-25T05:00:00');
    await desk.press('Show this range');
    await vi.waitFor(() => expect(Number(address().get('to'))).toBe(Date.UTC(2026, 9, 25, 4)), patience);
    expect(Number(address().get('from'))).toBe(from);
  });
});

describe('a link to a board with a range and a zone that cannot be', () => {
  it('opens the board as it is', async () => {
    await desk.page.goto(`${boardUrl}?tz=Mars&from=1&to=1e20`);
    await desk.page.getByRole('button', { name: 'Time range: Last 15 minutes' }).waitFor();
    await desk.page.getByRole('article', { name: 'Orders' }).waitFor();
  });
});

describe('a board that stands still', () => {
  it('adds up what came since, also where its range ends in the future', async () => {
    const now = Date.now();
    await desk.page.goto(`${boardUrl}?from=${now - minute}&to=${now + 60 * minute}`);
    await desk.press('Go live');
    await desk.page.goBack();
    await desk.page.getByRole('button', { name: 'Go live', exact: true }).waitFor();
    const bucket = Math.floor(Date.now() / 10_000);
    await vi.waitFor(() => expect(Math.floor(Date.now() / 10_000)).toBeGreaterThan(bucket), patience);
    const order = () => ({ metric_type: 'orders', value: 1, timestamp: Date.now() });
    await desk.send([order(), order(), order()]);
    await desk.page.getByRole('button', { name: 'Go live · 3 new', exact: true }).waitFor();
    await desk.send([order(), order()]);
    await desk.page.getByRole('button', { name: 'Go live · 5 new', exact: true }).waitFor();
  });
});

describe('Explore over a week', () => {
  it('goes a quarter of an hour earlier, and later again until it is live', async () => {
    const now = Date.now();
    const days = Array.from({ length: 8 }, (_, i) => now - i * 1440 * minute);
    await desk.send(days.map((timestamp) => ({ metric_type: 'weekly', value: 1, timestamp })));
    await desk.page.goto(`${desk.server.url}/explore?metric=weekly`);
    await desk.press('Earlier');
    await desk.page.getByRole('button', { name: /^Go live/ }).waitFor();
    const [from, to] = [Number(address().get('from')), Number(address().get('to'))];
    expect(to - from).toBe(15 * minute);
    expect(Math.abs(now - 15 * minute - to)).toBeLessThan(minute);
    await desk.press('Later');
    await desk.press('Later');
    await desk.page.getByRole('button', { name: 'Live: pause' }).waitFor();
    await desk.page.getByRole('slider', { name: 'End of the range' }).press('ArrowLeft');
    await desk.page.getByRole('button', { name: /^Go live/ }).waitFor();
  });
});
