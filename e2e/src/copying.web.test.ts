/** What is shown once can be taken along, also where the page comes over plain HTTP and has no clipboard interface. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
  await desk.page.addInitScript(`Object.defineProperty(navigator, 'clipboard', { value: undefined })`);
});
afterAll(() => desk.close());

it('the secret of a key is copied out of its dialog, which no press beside it closes', async () => {
  const { page } = desk;
  await page.goto(`${desk.server.url}/admin`);
  await desk.press('New key');
  const name = page.getByRole('dialog').getByLabel('Name');
  await name.fill('Oven');
  await page.mouse.click(5, 400);
  expect(await name.inputValue()).toBe('Oven');
  await desk.press('Create key');
  const dialog = page.getByRole('dialog', { name: 'Key “Oven”' });
  const secret = await dialog.locator('code').innerText();
  await page.mouse.click(5, 400);
  await dialog.getByRole('button', { name: 'Copy the key' }).click();
  await dialog.getByText('Copied').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.waitFor({ state: 'detached' });
  await desk.press('New key');
  await name.press('Control+v');
  expect(await name.inputValue()).toBe(secret);
  await page.keyboard.press('Escape');
  await name.waitFor({ state: 'detached' });
});

it('the link of a panel is copied out of its menu', async () => {
  const { page } = desk;
  const board = await desk.makeBoard('Shop', [panelOf('Orders')]);
  await page.goto(`${desk.server.url}/boards/${board.board_id}`);
  await page.getByRole('button', { name: 'Menu of Orders' }).click();
  await page.getByRole('menuitem', { name: 'Copy link' }).click();
  await page.getByText('Link copied').waitFor();
  await page.keyboard.press('/');
  const field = page.getByRole('dialog').getByRole('combobox');
  await field.press('Control+v');
  expect(await field.inputValue()).toContain(`/boards/${board.board_id}?panel=orders`);
});
