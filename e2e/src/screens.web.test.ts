/**
 * Every screen, in both colour schemes and at three sizes: nothing sticks out sideways, no script complains, and
 * axe-core (WCAG 2.2 AA and best practice) finds nothing.
 */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { look } from './axe.ts';
import { launchBrowser, openScreen, overflowsSideways, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

let browser: Browser;
let server: RunningServer;
beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.destroy();
});

const cases = sizes.flatMap((size) =>
  (['dark', 'light'] as const).map((scheme) => ({ size, scheme, name: `${size.name}, ${scheme}` })),
);

async function signIn(page: Page, login = server.login): Promise<void> {
  await page.getByLabel('E-mail or username').fill(login.login);
  await page.getByLabel('Password', { exact: true }).fill(login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
}

const firstChart = (page: Page) => page.locator('[data-panel] canvas').first().waitFor();
const heading = (page: Page, name: RegExp) => page.getByRole('heading', { name }).first().waitFor();

describe.each(cases)('$name', ({ size, scheme }) => {
  it('every screen fits and is accessible', async () => {
    const { page, context, complaints } = await openScreen(browser, size, scheme);
    const found: string[] = [];
    try {
      const check = async (path: string, ready: (page: Page) => Promise<unknown>) => {
        await page.goto(`${server.url}${path}`);
        await ready(page);
        await look(page, path, found);
      };
      await check('/login', (shown) => shown.getByRole('button', { name: 'Sign in' }).waitFor());
      await signIn(page);
      const boards = await page.evaluate<{ board_id: string }[]>(
        `fetch('/api/v1/boards').then((answer) => answer.json()).then((body) => body.boards)`,
      );
      await check('/', (shown) => heading(shown, /Hello/));
      await check('/boards', (shown) => heading(shown, /Boards/));
      for (const { board_id } of boards) await check(`/boards/${board_id}`, firstChart);
      await check('/explore', (shown) => shown.getByText('Ask anything of anything').waitFor());
      await check('/explore?metric=cpu_usage&below=log', async (shown) => {
        await firstChart(shown);
        await shown.getByRole('slider', { name: 'Start of the range' }).waitFor();
      });
      await check('/sources', (shown) => heading(shown, /Connect a source/));
      await check('/admin', (shown) => heading(shown, /API keys/));
      await check('/profile', (shown) => heading(shown, /Sessions/));
      await check('/nowhere', (shown) => heading(shown, /no such page/));
      await check('/boards/nowhere', (shown) => heading(shown, /Not found/));
      await check('/offline.html', (shown) => heading(shown, /offline/));
      expect([...found, ...complaints]).toEqual([]);
    } finally {
      await context.close();
    }
  });

  it('dialogs and states fit and are accessible', async () => {
    const { page, context, complaints } = await openScreen(browser, size, scheme);
    const found: string[] = [];
    try {
      // What fades in has the contrast of nothing while it does.
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await page.goto(`${server.url}/login`);
      await signIn(page);
      const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
      const dialogs = [
        { path: '/boards', button: 'New board', title: 'New board' },
        { path: '/admin', button: 'Add user', title: 'Add user' },
        { path: '/admin', button: 'New key', title: 'New API key' },
      ];
      for (const { path, button, title } of dialogs) {
        await page.goto(`${server.url}${path}`);
        await press(button);
        await page.getByRole('dialog', { name: title }).waitFor();
        await look(page, title, found);
      }
      await page.goto(`${server.url}/`);
      await heading(page, /Hello/);
      for (const key of ['?', '/']) {
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        await look(page, `after ${key}`, found);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      await page.goto(`${server.url}/sources`);
      await press('Create key and show the snippet');
      await page.getByText('Waiting for first event…').waitFor();
      await look(page, 'waiting for the first event', found);
      const snippet = await page.locator('pre[aria-label="Snippet"]').innerText();
      const key = /nk_[\w-]+/.exec(snippet)?.[0] ?? '';
      const send = (point: object) =>
        fetch(`${server.url}/api/v1/ingest`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${key}` },
          body: JSON.stringify(point),
        });
      await send({ value: 1 });
      await page.getByText('Was anything rejected?').waitFor();
      await look(page, 'a refused event', found);
      await send({ metric_type: 'coffee', value: 1 });
      await page.getByText('First event received').waitFor();
      await send({ metric_type: 'coffee', value: 2 });
      await page.getByText('2 points accepted').waitFor();
      expect(await page.locator('pre[aria-label="First point"]').innerText()).toContain('"value": 1');
      await look(page, 'the first event', found);
      expect([...found, ...complaints]).toEqual([]);
    } finally {
      await context.close();
    }
  });

  it('words of another language, longer by two fifths and from right to left, do not break the layout', async () => {
    const { page, context } = await openScreen(browser, size, scheme);
    const found: string[] = [];
    try {
      await page.goto(`${server.url}/login`);
      await signIn(page);
      for (const [path, title] of [
        ['/', /Hello/],
        ['/boards', /Boards/],
        ['/sources', /Connect/],
        ['/admin', /API keys/],
        ['/profile', /Sessions/],
        ['/explore?metric=cpu_usage', /CPU usage/],
      ] as const) {
        await page.goto(`${server.url}${path}`);
        await heading(page, title);
        await page.evaluate(translate);
        if (await overflowsSideways(page)) found.push(path);
      }
      expect(found).toEqual([]);
    } finally {
      await context.close();
    }
  });
});

it('icons stand in the middle of what is highlighted, and ticks beside their words', async () => {
  const { page, context } = await openScreen(browser, sizes[2]);
  await page.goto(`${server.url}/login`);
  await signIn(page);
  const middle = async (one: Locator): Promise<{ x: number; y: number }> => {
    const { x, y, width, height } = (await one.boundingBox())!;
    return { x: x + width / 2, y: y + height / 2 };
  };
  for (const place of await page.getByRole('navigation', { name: 'Main' }).getByRole('link').all())
    expect((await middle(place.locator('img, svg'))).x).toBeCloseTo((await middle(place)).x, 0);
  await page.goto(`${server.url}/profile`);
  const [tick, words] = [page.getByLabel('Reduce motion'), page.getByText('Reduce motion')];
  expect((await middle(tick)).y).toBeCloseTo((await middle(words)).y, 0);
  await context.close();
});

/** A language that nobody speaks: every word of the page grows by two fifths, and lines begin at the right. */
const translate = `
  document.documentElement.dir = 'rtl';
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode())
    node.data = node.data.replace(/\\p{L}{2,}/gu, (word) => word + word.slice(0, Math.ceil(word.length * 0.4)));
`;
