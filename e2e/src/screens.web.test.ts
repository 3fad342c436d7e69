/**
 * Every screen, in both colour schemes and at three sizes: nothing sticks out sideways, no script complains, and
 * axe-core (WCAG 2.2 AA and best practice) finds nothing.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openScreen, overflowsSideways, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; html: string }[];
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const options = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
  const found = await page.evaluate<Violation[]>(
    `axe.run(document, ${JSON.stringify(options)}).then((result) => result.violations)`,
  );
  return found.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
  );
}

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

describe.each(cases)('$name', ({ size, scheme }) => {
  it('every screen fits and is accessible', async () => {
    const { page, context, complaints } = await openScreen(browser, size, scheme);
    const found: string[] = [];
    try {
      const check = async (path: string, ready: () => Promise<unknown>) => {
        await page.goto(`${server.url}${path}`);
        await ready();
        if (await overflowsSideways(page)) found.push(`${path} sticks out sideways`);
        found.push(...(await violations(page)).map((violation) => `${path} ${violation}`));
      };
      await check('/login', () => page.getByRole('button', { name: 'Sign in' }).waitFor());
      await page.getByLabel('E-mail or username').fill(server.login.login);
      await page.getByLabel('Password', { exact: true }).fill(server.login.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL((url) => !url.pathname.startsWith('/login'));
      const boards = await page.evaluate<{ board_id: string }[]>(
        `fetch('/api/v1/boards').then((answer) => answer.json()).then((body) => body.boards)`,
      );
      const heading = (name: RegExp) => () => page.getByRole('heading', { name }).first().waitFor();
      await check('/', heading(/Hello/));
      await check('/boards', heading(/Boards/));
      for (const { board_id } of boards)
        await check(`/boards/${board_id}`, () => page.locator('[data-panel] canvas').first().waitFor());
      await check('/explore?metric=cpu_usage', () => page.locator('[data-panel] canvas').first().waitFor());
      await check('/sources', heading(/Connect a source/));
      await check('/admin', heading(/./));
      await check('/profile', heading(/./));
      expect([...found, ...complaints]).toEqual([]);
    } finally {
      await context.close();
    }
  });
});
