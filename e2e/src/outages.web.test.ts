/** The server or the network is gone, and the page says so instead of looking well or keeping presses for later. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { serve } from './server.ts';

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

it('a wallboard whose server is gone says so, and its alerts are no news', async () => {
  const { page, server } = desk;
  const list = panelOf('Alerts', { chart_type: 'alerts', metric_type: '' });
  const board = await desk.makeBoard('Wall', [list]);
  await page.goto(`${server.url}/boards/${board.board_id}?kiosk=1`);
  await page.getByText('All is well').waitFor();
  await page.getByRole('button', { name: 'Sound on new critical alerts' }).waitFor();
  await server.kill();
  await page.getByRole('alert').getByText('Not up to date').waitFor();
  await page.getByText('All was well').waitFor();
  await page.getByText(/^As of /).waitFor();
  expect(await page.getByText('All is well').count()).toBe(0);
  const again = await serve(server.dataDir, { port: server.port });
  try {
    await page.getByText('All is well').waitFor();
    await page.getByText('Not up to date').waitFor({ state: 'detached' });
  } finally {
    await again.kill();
  }
});
