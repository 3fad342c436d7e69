/** A screen that is left open: ages go on, and what they are of is asked for again, with no hand on the page. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
});
afterAll(() => desk.close());

/** Seconds in a text such as `5 s ago`; NaN: none. */
const secondsIn = (text: string): number => Number(/(\d+)\s*s\b/.exec(text)?.[1]);

it.each([
  ['/', 'Sources'],
  ['/sources', 'Keys'],
])('on %s a source that is silent gets older, until it sends again', async (path, name) => {
  await desk.send([{ metric_type: 'heartbeat', value: 1 }]);
  await desk.page.goto(`${desk.server.url}${path}`);
  const place =
    path === '/' ? desk.page.getByRole('region', { name }) : desk.page.getByRole('group', { name });
  const age = async () =>
    secondsIn(
      await place
        .getByText(/\d+\s*s ago/)
        .first()
        .innerText(),
    );
  const first = await age();
  await vi.waitFor(async () => expect(await age()).toBeGreaterThan(first + 3), patience);
  const seen = async () => Date.now() - 1000 * (await age());
  const before = await seen();
  await desk.send([{ metric_type: 'heartbeat', value: 1 }]);
  await vi.waitFor(async () => expect(await seen()).toBeGreaterThan(before + 2000), patience);
});

it('a panel without data says for how long', async () => {
  await desk.send([{ metric_type: 'stopped', value: 1, timestamp: Date.now() - 20_000 }]);
  const panel = panelOf('Stopped', { metric_type: 'stopped', query: { window: '10s' } });
  const board = await desk.makeBoard('Stopped', [panel]);
  await desk.page.goto(`${desk.server.url}/boards/${board.board_id}`);
  const text = desk.page.getByText(/^Last: .* ago\)\.$/);
  const age = async () => secondsIn(await text.innerText());
  const first = await age();
  await vi.waitFor(async () => expect(await age()).toBeGreaterThan(first + 2), patience);
});

it('a silence counts down and is gone when it is over', async () => {
  const now = Date.now();
  await desk.call('POST', '/api/v1/silences', {
    where: { host: ['web-1'] },
    from: now,
    to: now + 8_000,
    reason: 'Moving house',
  });
  await desk.page.goto(`${desk.server.url}/alerts/silences`);
  const line = desk.page.getByRole('list', { name: 'Silences' }).getByRole('listitem');
  const left = async () => secondsIn(await line.innerText());
  const first = await left();
  await vi.waitFor(async () => expect(await left()).toBeLessThan(first), patience);
  await desk.page.getByRole('heading', { name: 'Nothing is silenced' }).waitFor();
});
