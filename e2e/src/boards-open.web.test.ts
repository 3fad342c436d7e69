/** A board that stays open: it hears of what is saved, filters by what is drafted, and hands its view on as it is. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
  const order = (shop: string, value: number) => ({ metric_type: 'orders', value, labels: { shop } });
  await desk.send([order('north', 3), order('south', 4)]);
});
afterAll(() => desk.close());

const article = (title: string) => desk.page.getByRole('article', { name: title, exact: true });
const stat = panelOf('Orders', { chart_type: 'stat', query: { agg: 'last', across: 'sum' } });
async function choose(title: string, entry: string): Promise<void> {
  await article(title)
    .getByRole('button', { name: `Menu of ${title}` })
    .click();
  await desk.page.getByRole('menuitem', { name: entry }).first().click();
}

describe('a board on a wall', () => {
  // An address that was copied while editing makes no editor of it.
  it.each(['kiosk=1', 'kiosk=1&edit=true'])(
    'shows what somebody else saved, untouched: %s',
    async (query) => {
      const board = await desk.makeBoard('Wall', [panelOf('Orders')]);
      const page = await desk.page.context().newPage();
      await page.clock.install();
      await page.goto(`${desk.server.url}/boards/${board.board_id}?${query}`);
      await page.getByRole('article', { name: 'Orders' }).waitFor();
      const content = { title: 'Wall', panels: [...board.panels, panelOf('Returns')] };
      await desk.call('PUT', `/api/v1/boards/${board.board_id}`, { content, base_version: board.version });
      await page.clock.fastForward(61_000);
      await page.getByRole('article', { name: 'Returns' }).waitFor();
      await page.close();
    },
  );

  it('that is empty offers nobody to add panels', async () => {
    const board = await desk.makeBoard('Bare', []);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?kiosk=1`);
    await desk.page.getByText('Nothing on this board yet').waitFor();
    expect(await desk.page.getByRole('button', { name: 'Add panels' }).count()).toBe(0);
  });

  it('is not edited: there would be no way to save', async () => {
    const board = await desk.makeBoard('Locked', [panelOf('Orders')]);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?kiosk=1&edit=true`);
    await article('Orders').waitFor();
    await desk.page.keyboard.press('e');
    await desk.page.keyboard.press('l');
    // Pausing comes after it, and is done.
    await vi.waitFor(() => expect(desk.page.url()).toMatch(/to=\d/), patience);
    expect(await desk.page.getByRole('button', { name: /^Move or resize/ }).count()).toBe(0);
  });
});

describe('a board that is being edited', () => {
  it('filters by a variable that was just added', async () => {
    const board = await desk.makeBoard('Filtered', [stat]);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true`);
    const value = article('Orders').getByTestId('stat-value');
    await value.filter({ hasText: /^7$/ }).waitFor();
    await desk.press('Board settings');
    const dialog = desk.page.getByRole('dialog', { name: 'Board settings' });
    await dialog.getByRole('button', { name: 'Add variable' }).click();
    await dialog.getByLabel('Label 1').selectOption('shop');
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await desk.page.getByRole('button', { name: /^shop/ }).click();
    await desk.page.getByRole('checkbox', { name: /^north/ }).check();
    await value.filter({ hasText: /^3$/ }).waitFor();
  });

  it('shows a panel as a table, and stays in the editor', async () => {
    const board = await desk.makeBoard('Tabled', [panelOf('Orders')]);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true`);
    await choose('Orders', 'View as table');
    await desk.page.getByRole('dialog', { name: 'Orders' }).getByText('Page 1 of 1').waitFor();
    await desk.page.keyboard.press('Escape');
    await desk.page.getByRole('button', { name: 'Save', exact: true }).waitFor();
  });
});

describe('Explore opened from a panel', () => {
  it('has the range of the panel and the zone of the board', async () => {
    const board = await desk.makeBoard('Asked', [panelOf('Orders', { query: { window: '1d' } })]);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?tz=Asia/Dubai`);
    await choose('Orders', 'Explore');
    await desk.page.waitForURL((url) => url.pathname === '/explore');
    const { searchParams } = new URL(desk.page.url());
    expect([searchParams.get('from'), searchParams.get('tz')]).toEqual(['now-1d', 'Asia/Dubai']);
  });
});

describe('the keyboard', () => {
  const focused = () =>
    desk.page.evaluate<string>(
      `document.activeElement.getAttribute('aria-label') ?? document.activeElement.tagName`,
    );
  const isOn = (name: string) => vi.waitFor(async () => expect(await focused()).toBe(name), patience);

  it('is back on a panel when its editor or its full view closes, and beside it when it is deleted', async () => {
    const panels = ['One', 'Two'].map((title, i) =>
      panelOf(title, { layout: { x: i * 6, y: 0, w: 6, h: 6 } }),
    );
    const board = await desk.makeBoard('Keys', panels);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true`);
    await choose('Two', 'Edit');
    await desk.page.getByRole('complementary', { name: 'Edit Two' }).waitFor();
    await desk.page.keyboard.press('Escape');
    await isOn('Menu of Two');
    await choose('Two', 'Delete');
    await isOn('Menu of One');
    await desk.press('Discard');
    await desk.press('Discard changes');
    await choose('Two', 'View');
    const chart = article('Two').getByRole('application');
    await chart.focus();
    await vi.waitFor(async () => {
      await chart.press('End');
      expect(await article('Two').locator('.chart-tooltip').isVisible()).toBe(true);
    }, patience);
    // First the crosshair goes, then the view.
    await desk.page.keyboard.press('Escape');
    await article('Two').locator('.chart-tooltip').waitFor({ state: 'hidden' });
    expect(await desk.page.getByRole('button', { name: 'Back to the board' }).count()).toBe(1);
    await desk.page.keyboard.press('Escape');
    await isOn('Menu of Two');
  });
});

describe('the service worker of a page whose disk is full', () => {
  it('answers from the network', async () => {
    const { page, server } = desk;
    await page.goto(`${server.url}/boards`);
    await page.evaluate('navigator.serviceWorker.ready');
    await vi.waitFor(
      async () => expect(await page.evaluate('navigator.serviceWorker.controller !== null')).toBe(true),
      patience,
    );
    const tools = await page.context().newCDPSession(page);
    await tools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 1 });
    await page.goto(`${server.url}/alerts/on-call`);
    await page.getByRole('heading', { name: 'On call' }).first().waitFor();
  });
});
