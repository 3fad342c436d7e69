/**
 * What a person does with Nowcast, from the first link to the log-out, in a real browser against the real server.
 * The steps of one size build on each other, as they do for the person.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { patience } from '../fixtures/live-peer.ts';
import { launchBrowser, openScreen, overflowsSideways, type Screen, type Size, sizes } from './browser.ts';
import { serve } from './server.ts';

const owner = {
  organisation: 'Acme',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  username: 'ada',
  password: 'correct horse battery',
};

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const panel = (page: Page, title: string) => page.getByRole('article', { name: title, exact: true });

async function logIn(page: Page, url: string, login: string, password: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel('E-mail or username').fill(login);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function send(url: string, key: string, points: readonly object[]): Promise<void> {
  const body = points.map((point) => JSON.stringify(point)).join('\n');
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
  const answer = await fetch(`${url}/api/v1/ingest`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
}

describe.each(sizes)('on a $name', (size: Size) => {
  let dataDir: string;
  let server: Awaited<ReturnType<typeof serve>>;
  let screen: Screen;
  let page: Page;
  let hostBoard: string;
  let key: string;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'nowcast-journey-'));
    server = await serve(dataDir);
    screen = await openScreen(browser, size);
    page = screen.page;
  });
  afterAll(async () => {
    await screen.context.close();
    await server.kill();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });

  it('the setup link makes an owner, who lands on a board of this host that is already moving', async () => {
    const link = await vi.waitFor(() => {
      const found = /http:\/\/\S+\/setup\?token=\S+/.exec(server.output())?.[0];
      expect(found).toBeDefined();
      return found!;
    }, patience);
    await page.goto(link);
    for (const [name, value] of Object.entries(owner)) await page.locator(`[name=${name}]`).fill(value);
    await page.getByRole('main').getByRole('button').last().click();
    await page.waitForURL(/\/boards\//);
    hostBoard = page.url();
    const busy = panel(page, 'CPU busy');
    await busy.getByText('%').first().waitFor();
    // A figure that is there and then is another one, with no hand on the page.
    const first = await busy.innerText();
    await vi.waitFor(async () => expect(await busy.innerText()).not.toBe(first), patience);
    expect(await overflowsSideways(page)).toBe(false);
  });

  it('a point sent with curl, as the Sources page says, is announced and becomes a board', async () => {
    await page.goto(`${server.url}/sources`);
    await page.getByRole('radio', { name: 'curl' }).click();
    await page.getByRole('button', { name: 'Create key and show the snippet' }).click();
    await page.getByText('Waiting for first event').waitFor();
    const snippet = await page.getByLabel('Snippet', { exact: true }).innerText();
    key = /nk_[\w-]+/.exec(snippet)![0];
    expect(spawnSync('sh', ['-c', snippet], { encoding: 'utf8' }).status).toBe(0);
    await page.getByText('First event received').waitFor();
    await page.getByRole('button', { name: 'Open generated board' }).click();
    await page.waitForURL(/\/boards\//);
    await page.locator('[data-panel]').first().waitFor();
    expect(await overflowsSideways(page)).toBe(false);
  });

  it('a filter narrows what every panel shows, and the address keeps it', async () => {
    await page.goto(hostBoard);
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    const popover = page.getByRole('dialog', { name: 'Filter' });
    await popover.getByLabel('Label').selectOption('cpu');
    await popover.getByRole('list', { name: 'Values of cpu' }).getByText('0', { exact: true }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /Remove filter/ }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: /Remove filter/ }).waitFor();
    await page.getByRole('button', { name: /Remove filter/ }).click();
    await vi.waitFor(() => expect(new URL(page.url()).search).not.toContain('cpu'), patience);
  });

  it('choosing a past range leaves Live, and Go live returns', async () => {
    await page.goto(hostBoard);
    await page.getByRole('button', { name: 'Pause' }).click();
    const goLive = page.getByRole('button', { name: /Go live/ });
    await goLive.waitFor();
    expect(page.url()).toMatch(/from=/);
    await goLive.click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    if (size.name !== 'desktop') return;
    const plot = panel(page, 'Load average').locator('.u-over');
    // Charts are built anew while the first points come in: hovering tries again on the new one.
    await plot.hover();
    const box = (await plot.boundingBox())!;
    // The newest part, where this young server has data; the hand may leave the chart on the way.
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width + 10, box.y + box.height / 2, { steps: 8 });
    await page.mouse.up();
    await goLive.waitFor();
    // A double click goes back; a drag that Esc ends zooms nothing.
    await plot.dblclick();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await vi.waitFor(() => expect(page.url()).not.toMatch(/from=\d/), patience);
    const before = page.url();
    await plot.hover();
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 8 });
    await page.keyboard.press('Escape');
    await page.mouse.up();
    expect(page.url()).toBe(before);
    // The panel under the pointer, alone, and back.
    await page.keyboard.press('v');
    await page.getByRole('button', { name: 'Back to the board' }).click();
    await panel(page, 'CPU busy').waitFor();
  });

  it('a panel is moved with the keyboard alone, step by step in words, and the old version can be compared', async () => {
    if (size.name === 'phone') return;
    await page.goto(hostBoard);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    const grip = page.getByRole('button', { name: 'Move Memory used', exact: true }).first();
    const said = page.locator('[role=status][aria-live=assertive]');
    await grip.press('Enter');
    await said.getByText(/^Grabbed/).waitFor();
    await page.keyboard.press('ArrowLeft');
    await said.getByText(/^Column \d+, row \d+/).waitFor();
    await page.keyboard.press('Escape');
    await said.getByText('Restored').waitFor();
    expect(await page.getByRole('button', { name: 'Undo' }).isDisabled()).toBe(true);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Shift+ArrowDown');
    await said.getByText(/5 rows high$/).waitFor();
    await page.keyboard.press('Enter');
    await said.getByText('Dropped').waitFor();
    await page.getByRole('button', { name: 'Versions' }).click();
    await page.getByRole('button', { name: 'Compare version 1', exact: true }).click();
    await page
      .getByRole('list', { name: 'Changes since' })
      .getByText('“Memory used”: place or size')
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('ControlOrMeta+z');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
  });

  it('a panel is renamed, the board saved, and the change is there after a reload', async () => {
    await page.goto(hostBoard);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('button', { name: 'Menu of CPU busy' }).click();
    await page.getByRole('menuitem', { name: /Edit/ }).click();
    await page.getByLabel('Edit CPU busy').getByLabel('Title', { exact: true }).fill('Processor');
    await page.getByRole('button', { name: 'Close editor' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
    await page.reload();
    await panel(page, 'Processor').waitFor();
  });

  it('the server is killed and comes back: the chart heals by itself and misses nothing', async () => {
    const at = Date.now();
    await send(
      server.url,
      key,
      [1, 2].map((value) => ({ metric_type: 'healing', value, timestamp: at - 60_000 + value * 10_000 })),
    );
    await page.goto(`${server.url}/explore?metric=healing&agg=sum`);
    const pill = page.getByTestId('connection');
    await pill.getByText('Live').waitFor();
    await server.kill();
    await pill.getByText(/Reconnecting|Offline/).waitFor();
    server = await serve(dataDir, { port: server.port });
    await send(
      server.url,
      key,
      [3, 4].map((value) => ({ metric_type: 'healing', value, timestamp: at - 60_000 + value * 10_000 })),
    );
    await pill.getByText('Live').waitFor({ timeout: 60_000 });
    // Least, greatest and mean of the four buckets: one missing or doubled would show.
    for (const figure of ['1', '4', '2.5'])
      await page.getByRole('cell', { name: figure, exact: true }).first().waitFor();
  });

  it('a chip says that a source has stopped', async () => {
    const now = Date.now();
    await send(
      server.url,
      key,
      Array.from({ length: 20 }, (_, i) => ({
        metric_type: 'pulse',
        value: 1,
        timestamp: now - (19 - i) * 500,
      })),
    );
    const made = await page.evaluate(async () => {
      const panelOf = {
        visualization_id: 'p1',
        title: 'Pulse',
        metric_type: 'pulse',
        chart_type: 'line',
        query: { step: '1s' },
        layout: { x: 0, y: 0, w: 12, h: 8 },
        display: {},
      };
      const body = JSON.stringify({ content: { title: 'Pulse', window: '1m', panels: [panelOf] } });
      const answer = await fetch('/api/v1/boards', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return (await answer.json()) as { board_id: string };
    });
    await page.goto(`${server.url}/boards/${made.board_id}`);
    await panel(page, 'Pulse')
      .getByText(/Stale|No data for/)
      .waitFor({ timeout: 60_000 });
  });

  it('a viewer sees a shared board and cannot change it, neither by the page nor behind it', async () => {
    const boardId = hostBoard.split('/').at(-1)!.split('?')[0]!;
    const status = await page.evaluate(async (id) => {
      const call = (method: string, path: string, body: unknown) =>
        fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      const user = {
        name: 'Vera',
        email: 'vera@example.com',
        username: 'vera',
        password: 'a viewer password',
        role: 'viewer',
      };
      const created = await call('POST', '/api/v1/users', user);
      const board = (await (await fetch(`/api/v1/boards/${id}`)).json()) as Record<string, unknown>;
      const names = ['title', 'description', 'window', 'variables', 'panels'];
      const content = { ...Object.fromEntries(names.map((name) => [name, board[name]])), shared: true };
      const saved = await call('PUT', `/api/v1/boards/${id}`, { content, base_version: board['version'] });
      return [created.status, saved.status];
    }, boardId);
    expect(status).toEqual([201, 200]);
    const other = await openScreen(browser, size, 'light');
    try {
      await logIn(other.page, server.url, 'vera', 'a viewer password');
      await other.page.waitForURL((url) => !url.pathname.startsWith('/login'));
      await other.page.goto(hostBoard);
      await panel(other.page, 'Processor').getByText('%').first().waitFor();
      expect(await other.page.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(0);
      const refused = await other.page.evaluate(async (id) => {
        const init = {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ content: { title: 'Mine' }, base_version: 1 }),
        };
        return (await fetch(`/api/v1/boards/${id}`, init)).status;
      }, boardId);
      expect(refused).toBe(403);
    } finally {
      await other.context.close();
    }
  });

  it('a wrong current password is refused beside its field, and ends nothing', async () => {
    await page.goto(`${server.url}/profile`);
    const form = page.getByRole('form', { name: 'Password' });
    await form.getByLabel('Current password').fill('not the password');
    await form.getByLabel('New password').fill('another long password');
    await form.getByRole('button', { name: 'Change password' }).click();
    await form.getByText('The current password is wrong').waitFor();
    expect(new URL(page.url()).pathname).toBe('/profile');
    expect(await form.getByLabel('New password').inputValue()).toBe('another long password');
  });

  it('log out ends the session; a wrong password is refused beside the field; the e-mail address signs in again', async () => {
    await page.goto(hostBoard);
    await page.getByRole('button', { name: /Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    // Not the address: requests that are refused meanwhile go to the login page too, and one of two navigations is aborted.
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/login');
    expect((await page.context().request.get(`${server.url}/api/v1/me`)).status()).toBe(401);
    await logIn(page, server.url, owner.email, 'not the password');
    await page.getByRole('alert').or(page.locator('.error:visible')).first().waitFor();
    await logIn(page, server.url, owner.email, owner.password);
    await page.waitForURL((url) => !url.pathname.startsWith('/login'));
    expect(screen.complaints).toEqual([]);
  });
});
