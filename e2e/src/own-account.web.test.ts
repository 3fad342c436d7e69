/** What people set for themselves is what they set, however slow or broken the way to the server is. */
import type { User } from '@nowcast/contract';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { BoardDesk } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
});
afterAll(() => desk.close());

const kept = async () => (await desk.call<User>('GET', '/api/v1/me')).preferences;

it('two quick changes of preferences are both kept, and are seen before they are', async () => {
  const { page } = desk;
  await page.goto(`${desk.server.url}/profile`);
  const motion = page.getByLabel('Reduce motion');
  await motion.waitFor();
  const { promise: until, resolve: go } = Promise.withResolvers<void>();
  await page.route('**/api/v1/me', async (route) => {
    if (route.request().method() === 'PATCH') await until;
    await route.continue();
  });
  await motion.check();
  await page.getByLabel('Time zone').selectOption('Asia/Dubai');
  expect(await motion.isChecked()).toBe(true);
  expect(await page.getByLabel('Time zone').inputValue()).toBe('Asia/Dubai');
  go();
  await vi.waitFor(
    async () => expect(await kept()).toMatchObject({ reduced_motion: true, time_zone: 'Asia/Dubai' }),
    patience,
  );
  await page.unroute('**/api/v1/me');
});

it('a theme that cannot be kept is said, and is the one before, also where the server is away', async () => {
  const { page } = desk;
  await page.route('**/api/v1/me', (route) => route.abort());
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Light' }).click();
  await page
    .getByRole('region', { name: 'Messages' })
    .getByText(/cannot be reached/)
    .waitFor();
  await vi.waitFor(
    async () => expect(await page.evaluate('document.documentElement.dataset.theme')).not.toBe('light'),
    patience,
  );
  await page.unroute('**/api/v1/me');
});

it('who could not be logged out is told so, and is still there', async () => {
  const { page } = desk;
  await page.route('**/logout', (route) => route.abort());
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByText(/^Not logged out: /).waitFor();
  expect(new URL(page.url()).pathname).toBe('/profile');
});

it('whose session the browser has forgotten while the server could not end it is shown the sign-in page', async () => {
  const { page } = desk;
  await page.unroute('**/logout');
  await page.route('**/logout', async (route) => {
    await page.context().clearCookies();
    await route.fulfill({ status: 503, json: { error: { code: 'server.unavailable', message: 'Locked' } } });
  });
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  // With the way back, where something else of the page was refused first.
  expect(new URL(page.url()).pathname).toBe('/login');
});
