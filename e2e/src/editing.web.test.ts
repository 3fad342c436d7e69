/** A board under the hand: what is typed, what is shown and what is saved are the same, whoever else saves meanwhile. */
import type { Board } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';
import { overflowsSideways, sizes } from './browser.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
});
afterAll(() => desk.close());

/** Opens the board in the editor, a panel of it in the drawer. */
async function edit(board: Board, title: string) {
  await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true&panel=${title.toLowerCase()}`);
  const drawer = desk.page.getByRole('complementary', { name: `Edit ${title}` });
  await drawer.waitFor();
  return drawer;
}

/** Another tab saves the board, and this page, looked at again, fetches that version. */
async function saveElsewhere(board: Board, title: string): Promise<void> {
  const panels = [...board.panels, panelOf(title)];
  const content = { title: board.title, panels };
  await desk.call('PUT', `/api/v1/boards/${board.board_id}`, { content, base_version: board.version });
  const fetched = desk.page.waitForResponse(
    async (answer) =>
      answer.url().endsWith(`/api/v1/boards/${board.board_id}`) &&
      ((await answer.json()) as Board).version > board.version,
  );
  let isFetched = false;
  void fetched.then(() => (isFetched = true));
  // What was fetched a moment ago counts as fresh for a while.
  await vi.waitFor(async () => {
    await desk.page.evaluate(`dispatchEvent(new Event('visibilitychange'))`);
    expect(isFetched).toBe(true);
  }, patience);
}

describe('a board that another tab saves while it is edited', () => {
  it('is not replaced by the older draft: which version wins is asked', async () => {
    const board = await desk.makeBoard('Shop', [panelOf('Orders')]);
    const drawer = await edit(board, 'Orders');
    await drawer.getByLabel('Title', { exact: true }).fill('Sales');
    await saveElsewhere(board, 'Returns');
    await desk.press('Save');
    const question = desk.page.getByRole('dialog', { name: 'Somebody saved a newer version' });
    await question.getByText('Version 2 was saved while you were editing version 1.').waitFor();
    await question.getByRole('button', { name: 'Take theirs' }).click();
    await desk.page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
    const titles = (await desk.readBoard(board.board_id)).panels.map((one) => one.title);
    expect(titles).toEqual(['Orders', 'Returns']);
  });

  it('offers the newest version to go back to and marks the one that is edited', async () => {
    const board = await desk.makeBoard('Stock', [panelOf('Orders')]);
    await edit(board, 'Orders');
    await saveElsewhere(board, 'Returns');
    await desk.press('Versions');
    await desk.page.getByRole('button', { name: 'Restore version 2' }).waitFor();
    expect(await desk.page.getByRole('button', { name: 'Restore version 1' }).count()).toBe(0);
  });
});

describe('while a board is being saved', () => {
  /** Presses Save, and holds the request back until the answer is called. */
  async function holdSave(board: Board): Promise<() => Promise<void>> {
    const path = `**/api/v1/boards/${board.board_id}`;
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    await desk.page.route(path, async (route) => {
      if (route.request().method() !== 'PUT') return route.continue();
      asked.resolve();
      await held.promise;
      await route.continue();
    });
    await desk.press('Save');
    await asked.promise;
    return async () => {
      held.resolve();
      await desk.page.getByText('Saved as version 2').waitFor();
      await desk.page.unroute(path);
    };
  }

  it('what is changed is neither saved nor lost: the editor stays', async () => {
    const board = await desk.makeBoard('Slow', [panelOf('Orders')]);
    await (await edit(board, 'Orders')).getByLabel('Title', { exact: true }).fill('Sales');
    const answer = await holdSave(board);
    const drawer = desk.page.getByRole('complementary', { name: 'Edit Sales' });
    await drawer.getByLabel('Title', { exact: true }).fill('Sold');
    await answer();
    expect((await desk.readBoard(board.board_id)).panels[0]!.title).toBe('Sales');
    await desk.press('Save');
    await desk.page.getByText('Saved as version 3').waitFor();
    await desk.page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
    expect((await desk.readBoard(board.board_id)).panels[0]!.title).toBe('Sold');
  });

  it('what is taken back is a change of what was saved', async () => {
    const board = await desk.makeBoard('Undone', [panelOf('Orders')]);
    await (await edit(board, 'Orders')).getByLabel('Title', { exact: true }).fill('Sales');
    const answer = await holdSave(board);
    await desk.press('Undo');
    await answer();
    await desk.press('Save');
    await desk.page.getByText('Saved as version 3').waitFor();
    expect((await desk.readBoard(board.board_id)).panels[0]!.title).toBe('Orders');
  });

  it('who left for another screen stays there', async () => {
    const board = await desk.makeBoard('Left', [panelOf('Orders')]);
    await (await edit(board, 'Orders')).getByLabel('Title', { exact: true }).fill('Sales');
    const answer = await holdSave(board);
    await desk.page.getByRole('link', { name: 'Sources', exact: true }).first().click();
    await desk.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
    await desk.page.getByRole('heading', { name: 'Sources' }).first().waitFor();
    await answer();
    expect(new URL(desk.page.url()).pathname).toBe('/sources');
  });
});

describe('what is taken back', () => {
  const article = (title: string) => desk.page.getByRole('article', { name: title, exact: true });

  it('is what the message speaks of, whatever was done since', async () => {
    const panels = ['Orders', 'Returns'].map((title, i) =>
      panelOf(title, { layout: { x: 0, y: i * 6, w: 6, h: 6 } }),
    );
    const board = await desk.makeBoard('Deleted', panels);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true`);
    for (const title of ['Orders', 'Returns']) {
      await article(title)
        .getByRole('button', { name: `Menu of ${title}` })
        .click();
      await desk.page.getByRole('menuitem', { name: 'Delete' }).click();
      await article(title).waitFor({ state: 'detached' });
    }
    const message = desk.page.getByRole('region', { name: 'Messages' });
    await message
      .locator('div')
      .filter({ hasText: '“Orders” deleted' })
      .getByRole('button', { name: 'Undo' })
      .click();
    await article('Orders').waitFor();
    expect(await article('Returns').count()).toBe(0);
  });

  it('a second time, by its message, is no change', async () => {
    const board = await desk.makeBoard('Back', [panelOf('Orders')]);
    await desk.page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true`);
    await article('Orders').getByRole('button', { name: 'Menu of Orders' }).click();
    await desk.page.getByRole('menuitem', { name: 'Delete' }).click();
    await article('Orders').waitFor({ state: 'detached' });
    await desk.page.keyboard.press('Control+z');
    await article('Orders').waitFor();
    const message = desk.page.getByRole('region', { name: 'Messages' });
    await message.getByRole('button', { name: 'Undo', exact: true }).click();
    await desk.press('Redo');
    await article('Orders').waitFor({ state: 'detached' });
  });

  it('is a number of one panel at a time, and one threshold after the other', async () => {
    const panels = ['One', 'Two'].map((title, i) =>
      panelOf(title, { layout: { x: i * 6, y: 0, w: 6, h: 6 } }),
    );
    const board = await desk.makeBoard('Numbers', panels);
    const drawer = await edit(board, 'One');
    const two = desk.page.getByRole('complementary', { name: 'Edit Two' });
    await drawer.getByRole('tab', { name: 'Display' }).click();
    await drawer.getByLabel('Lowest').fill('11');
    await article('Two').getByRole('button', { name: 'Menu of Two' }).click();
    await desk.page.getByRole('menuitem', { name: 'Edit' }).click();
    await two.getByRole('tab', { name: 'Display' }).click();
    await two.getByLabel('Lowest').fill('12');
    await two.getByRole('button', { name: 'Add threshold' }).click();
    await two.getByRole('button', { name: 'Add threshold' }).click();
    const rows = two.getByRole('textbox', { name: /^Value \d/ });
    for (const left of [1, 0]) {
      await desk.press('Undo');
      await vi.waitFor(async () => expect(await rows.count()).toBe(left), patience);
    }
    await desk.press('Undo');
    await vi.waitFor(async () => expect(await two.getByLabel('Lowest').inputValue()).toBe(''), patience);
    await desk.press('Save');
    await vi.waitFor(async () => {
      const saved = await desk.readBoard(board.board_id);
      expect(saved.panels.map((one) => one.display.min)).toEqual([11, undefined]);
    }, patience);
  });
});

describe('the unit of a panel', () => {
  it('follows what is calculated: points are not milliseconds', async () => {
    await desk.send([{ metric_type: 'request_latency_ms', value: 12 }]);
    const timed = {
      metric_type: 'request_latency_ms',
      query: { agg: 'avg' },
      display: { unit: 'milliseconds' },
    };
    const drawer = await edit(await desk.makeBoard('Timed', [panelOf('Timed', timed)]), 'Timed');
    await drawer.getByLabel('Calculate').selectOption('count');
    await drawer.getByRole('tab', { name: 'Display' }).click();
    expect(await drawer.getByLabel('Unit').inputValue()).toBe('count');
  });
});

describe('numbers of a panel', () => {
  const warn = { value: 70, level: 'warn' };
  const crit = { value: 90, level: 'crit' };

  async function editDisplay(title: string) {
    const board = await desk.makeBoard(title, [panelOf(title, { display: { thresholds: [warn, crit] } })]);
    const drawer = await edit(board, title);
    await drawer.getByRole('tab', { name: 'Display' }).click();
    const fields = drawer.getByRole('textbox', { name: /^Value \d/ });
    const shown = (): Promise<string[]> =>
      Promise.all([0, 1].map(async (i) => ((await fields.count()) > i ? fields.nth(i).inputValue() : '')));
    return { board, drawer, shown };
  }

  it('with the first threshold gone, the one that stays keeps its own value, and Undo brings both back', async () => {
    const { board, drawer, shown } = await editDisplay('Rows');
    await drawer.getByRole('button', { name: 'Remove threshold 1' }).click();
    expect(await shown()).toEqual(['90', '']);
    await desk.press('Undo');
    await vi.waitFor(async () => expect(await shown()).toEqual(['70', '90']), patience);
    await desk.press('Redo');
    await vi.waitFor(async () => expect(await shown()).toEqual(['90', '']), patience);
    await desk.press('Save');
    await vi.waitFor(async () => {
      const saved = await desk.readBoard(board.board_id);
      expect(saved.panels[0]!.display.thresholds).toEqual([crit]);
    }, patience);
  });

  it('after Undo a field shows the value that is back, and half a number stays as typed', async () => {
    const { drawer, shown } = await editDisplay('Undone');
    const first = drawer.getByLabel('Value 1');
    await first.fill('75');
    await desk.press('Undo');
    await vi.waitFor(async () => expect(await shown()).toEqual(['70', '90']), patience);
    await first.fill('7.');
    await drawer.getByLabel('Lowest').fill('1e');
    expect(await shown()).toEqual(['7.', '90']);
    await drawer.getByText('Enter a number').waitFor();
    expect(await drawer.getByLabel('Lowest').inputValue()).toBe('1e');
  });

  it('an emptied threshold is asked for its number, by Save as well: the one before would be back unseen', async () => {
    const { board, drawer, shown } = await editDisplay('Emptied');
    await drawer.getByLabel('Value 1').fill('');
    await drawer.getByText('Enter a number').waitFor();
    await desk.press('Close editor');
    await desk.press('Save');
    await desk.page.getByText('“Emptied” has a field that needs a number').waitFor();
    // The drawer is open again where the number is missing.
    expect(await shown()).toEqual(['', '90']);
    await drawer.getByText('Enter a number').waitFor();
    expect((await desk.readBoard(board.board_id)).version).toBe(1);
    // And so it is when it was open on another tab.
    await drawer.getByRole('tab', { name: 'Query' }).click();
    await desk.press('Save');
    await drawer.getByText('Enter a number').waitFor();
    await drawer.getByLabel('Value 1').fill('60');
    expect(await drawer.getByText('Enter a number').count()).toBe(0);
    await desk.press('Save');
    await vi.waitFor(async () => {
      const saved = await desk.readBoard(board.board_id);
      expect(saved.panels[0]!.display.thresholds).toEqual([{ ...warn, value: 60 }, crit]);
    }, patience);
  });

  it('that could not be taken are none once their field was left and looks empty, and go with a chart that has none', async () => {
    const { board, drawer } = await editDisplay('Left');
    await drawer.getByLabel('Lowest').fill('-');
    await drawer.getByText('Enter a number').waitFor();
    await drawer.getByRole('tab', { name: 'Query' }).click();
    await drawer.getByRole('tab', { name: 'Display' }).click();
    await drawer.getByText('Enter a number').waitFor();
    await drawer.getByLabel('Lowest').focus();
    await drawer.getByLabel('Highest').focus();
    expect(await drawer.getByText('Enter a number').count()).toBe(0);
    await drawer.getByLabel('Value 1').fill('');
    await drawer.getByRole('radio', { name: 'Alert list' }).click();
    await desk.press('Save');
    await vi.waitFor(async () => {
      const [panel] = (await desk.readBoard(board.board_id)).panels;
      expect(panel).toMatchObject({ chart_type: 'alerts', display: { thresholds: [{ value: 90 }] } });
    }, patience);
  });

  it('beyond what is possible stay as typed and are refused: of lines at most, and of places on the grid', async () => {
    const board = await desk.makeBoard('Bounds', [panelOf('Bounds')]);
    const drawer = await edit(board, 'Bounds');
    const limit = drawer.getByLabel('Lines at most');
    await limit.fill('2000');
    await drawer.getByText('From 1 to 1000').waitFor();
    expect(await limit.inputValue()).toBe('2000');
    await limit.fill('');
    expect(await drawer.getByText('From 1 to 1000').count()).toBe(0);
    await desk.press('Close editor');
    await desk.press('Menu of Bounds');
    await desk.page.getByRole('menuitem', { name: 'Move/size…' }).click();
    const dialog = desk.page.getByRole('dialog', { name: /^Move or resize/ });
    await dialog.getByLabel('Width').fill('');
    await desk.press('Apply');
    expect(await dialog.locator('input:invalid').count()).toBe(1);
    await dialog.getByLabel('Width').fill('4');
    await desk.press('Apply');
    await dialog.waitFor({ state: 'detached' });
    await desk.press('Save');
    await vi.waitFor(async () => {
      const [panel] = (await desk.readBoard(board.board_id)).panels;
      expect(panel).toMatchObject({ query: {}, layout: { w: 4 } });
    }, patience);
  });
});

it('is kept, with what is unsaved, when the code of a part cannot be fetched, and the part comes with the next try', async () => {
  const board = await desk.makeBoard('Offline', [panelOf('Orders')]);
  await desk.send([{ metric_type: 'orders', value: 7 }]);
  const storageState = await desk.page.context().storageState();
  // What a service worker fetches cannot be cut off.
  const options = { storageState, serviceWorkers: 'block' } as const;
  const context = await desk.page.context().browser()!.newContext(options);
  const page = await context.newPage();
  await page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true&panel=orders`);
  const drawer = page.getByRole('complementary', { name: /^Edit (Orders|Sales)$/ });
  await drawer.getByLabel('Title', { exact: true }).fill('Sales');
  await drawer.getByRole('tab', { name: 'Display' }).click();
  const parts = /assets\/(figures|time-picker-body|help-dialog)[^/]*\.js/;
  await page.route(parts, (route) => route.abort());
  await drawer.getByRole('radio', { name: 'Gauge' }).click();
  const panel = page.getByRole('article', { name: 'Sales', exact: true });
  const again = panel.getByRole('button', { name: 'Not loaded: try again' });
  await again.waitFor();
  await page.getByRole('button', { name: /^Time range/ }).click();
  const picker = page.getByRole('dialog', { name: 'Time range' });
  await picker.getByRole('button', { name: 'Not loaded: try again' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('body').press('?');
  await page.getByText(/could not be loaded/).waitFor();
  await page.unroute(parts);
  await again.click();
  await panel.getByTestId('gauge-value').waitFor();
  await page.locator('body').press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved as version 2').waitFor();
  expect((await desk.readBoard(board.board_id)).panels[0]!.title).toBe('Sales');
  await context.close();
});

it('on a phone the settings and the versions of a board are in its menu', async () => {
  const board = await desk.makeBoard('Pocket', [panelOf('Orders')]);
  const size = desk.page.viewportSize()!;
  await desk.page.setViewportSize(sizes[0].viewport);
  await edit(board, 'Orders');
  await desk.press('Close editor');
  for (const [entry, title] of [
    ['Board settings', 'Board settings'],
    ['Versions', 'Versions'],
  ] as const) {
    await desk.press('Board menu');
    await desk.page.getByRole('menuitem', { name: entry }).click();
    const dialog = desk.page.getByRole('dialog', { name: title });
    await dialog.waitFor();
    await desk.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  }
  expect(await overflowsSideways(desk.page)).toBe(false);
  await desk.page.setViewportSize(size);
});
