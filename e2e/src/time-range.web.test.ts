/** The range of a screen: how it is chosen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardDesk } from '../fixtures/board-desk.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
});
afterAll(() => desk.close());

const address = () => new URL(desk.page.url()).searchParams;
const minute = 60_000;

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
