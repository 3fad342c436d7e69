/** The server or the network is gone, and the page says so instead of looking well or keeping presses for later. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
});
afterAll(() => desk.close());

it('what is pressed without a network is refused, not done later; what the server answers is done, whatever the browser thinks', async () => {
  const { page } = desk;
  const board = await desk.makeBoard('Cut', [panelOf('Orders')]);
  await page.goto(`${desk.server.url}/boards/${board.board_id}?edit=true&panel=orders`);
  await page.getByRole('complementary').getByLabel('Title', { exact: true }).fill('Sales');
  await page.context().setOffline(true);
  await desk.press('Save');
  await page.getByText('The server cannot be reached. Check the connection and try again.').waitFor();
  await page.context().setOffline(false);
  expect((await desk.readBoard(board.board_id)).version).toBe(1);
  await page.evaluate(`dispatchEvent(new Event('offline'))`);
  await desk.press('Save');
  await page.getByText('Saved as version 2').waitFor();
});
