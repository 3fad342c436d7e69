/** The filter editor: what its form says is what is applied, whatever is chosen after what. */
import type { Where } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';

let desk: BoardDesk;
let boardUrl: string;
let boardPath: string;
beforeAll(async () => {
  desk = await BoardDesk.open();
  const labels = ['eu', 'us'].flatMap((region) => ['web-1', 'web-2'].map((host) => ({ region, host })));
  await desk.send(labels.map((one) => ({ metric_type: 'orders', value: 1, labels: one })));
  const board = await desk.makeBoard('Filtered', [panelOf('Orders')]);
  boardPath = `/boards/${board.board_id}`;
  boardUrl = desk.server.url + boardPath;
});
afterAll(() => desk.close());

const popover = () => desk.page.getByRole('dialog', { name: 'Filter' });
const tick = (label: string, value: string) =>
  popover()
    .getByRole('list', { name: `Values of ${label}` })
    .getByText(value, { exact: true })
    .click();
const pattern = () => popover().getByLabel('Regular expression');

/** Opens the board with this filter, and the editor of the chip that says so. */
async function edit(where: Where, chip: string): Promise<void> {
  await desk.page.goto(`${boardUrl}?where=${encodeURIComponent(JSON.stringify(where))}`);
  await desk.press(chip);
  await popover().waitFor();
}

/** The filter of the address, once it is this. */
async function applied(where: Where | null): Promise<void> {
  await vi.waitFor(() => {
    const text = new URL(desk.page.url()).searchParams.get('where');
    expect(text === null ? null : JSON.parse(text)).toEqual(where);
  }, patience);
}

describe('a chip under edit', () => {
  it('with its last value unticked filters nothing, and is still there to tick another', async () => {
    await edit({ region: ['eu'], host: ['web-1'] }, 'region is eu');
    await tick('region', 'eu');
    await applied({ host: ['web-1'] });
    await tick('region', 'us');
    await applied({ host: ['web-1'], region: ['us'] });
    await tick('region', 'us');
    await applied({ host: ['web-1'] });
    await desk.page.keyboard.press('Escape');
    await popover().waitFor({ state: 'detached' });
    expect(await desk.page.getByRole('button', { name: /^region/ }).count()).toBe(0);
  });

  it('that gets another label filters by that one as soon as a value is ticked, and stays open', async () => {
    await edit({ host: { all: [['web-1'], { not: ['web-2'] }] } }, 'host is web-1');
    await popover().getByLabel('Label').selectOption('region');
    await applied({ host: { not: ['web-2'] } });
    await tick('region', 'eu');
    await tick('region', 'us');
    await applied({ host: { not: ['web-2'] }, region: ['eu', 'us'] });
    await popover().getByLabel('Condition').selectOption('not');
    await applied({ host: { not: ['web-2'] }, region: { not: ['eu', 'us'] } });
    await desk.page.keyboard.press('Escape');
    await desk.page.getByRole('button', { name: 'region is not eu, us', exact: true }).waitFor();
    expect(await desk.page.evaluate('document.activeElement.textContent')).toBe('region is not eu, us');
  });

  it('is back when it is closed before anything was chosen for another label or condition', async () => {
    const where = { host: { all: [['web-1'], { not: ['web-2'] }] }, region: ['eu'] };
    for (const [field, choice] of [
      ['Label', 'region'],
      ['Condition', 'regex'],
    ] as const) {
      await edit(where, 'host is web-1');
      await popover().getByLabel(field).selectOption(choice);
      await applied({ host: { not: ['web-2'] }, region: ['eu'] });
      await desk.page.keyboard.press('Escape');
      await popover().waitFor({ state: 'detached' });
      await applied(where);
    }
  });

  it('with a pattern takes it along to another label, and without one filters nothing', async () => {
    await edit({ host: { regex: 'web-.*' } }, 'host matches web-.*');
    await popover().getByLabel('Label').selectOption('region');
    await applied({ region: { regex: 'web-.*' } });
    await pattern().fill('e');
    await pattern().pressSequentially('u');
    await applied({ region: { regex: 'eu' } });
    await pattern().fill('');
    await applied(null);
    // What was typed last counts, also when the editor is closed before it rests.
    await pattern().fill('us');
    await desk.page.keyboard.press('Escape');
    await applied({ region: { regex: 'us' } });
    await desk.page.getByRole('button', { name: 'region matches us', exact: true }).waitFor();
  });
});

it.each(['a board', 'Explore'])(
  'that is open when %s is left goes with it: Back stays where it leads',
  async (from) => {
    const { page } = desk;
    const boards = page.getByRole('heading', { name: 'Boards', exact: true, level: 1 });
    await page.goto(`${desk.server.url}/boards`);
    await boards.waitFor();
    const where = encodeURIComponent(JSON.stringify({ host: ['web-1'] }));
    const path = from === 'Explore' ? `/explore?metric=orders&where=${where}` : `${boardPath}?where=${where}`;
    await page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)})`);
    await desk.press('host is web-1');
    await popover().getByLabel('Label').selectOption('region');
    await applied(null);
    await page.goBack();
    await boards.waitFor();
    await page.goForward();
    await desk.page.getByRole('button', { name: 'Filter', exact: true }).waitFor();
    await page.goBack();
    await boards.waitFor();
    const { pathname, search } = new URL(page.url());
    expect(pathname + search).toBe('/boards');
  },
);

describe('a new filter', () => {
  it('goes again with its last value, and another label begins another', async () => {
    await desk.page.goto(boardUrl);
    await desk.press('Filter');
    await popover().getByLabel('Label').selectOption('region');
    await tick('region', 'eu');
    await applied({ region: ['eu'] });
    await tick('region', 'eu');
    await applied(null);
    await tick('region', 'us');
    await popover().getByLabel('Label').selectOption('host');
    await tick('host', 'web-2');
    await applied({ region: ['us'], host: ['web-2'] });
  });
});
