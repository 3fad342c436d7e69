/**
 * An alert as people meet it on a board, in a real browser against the real server: a rule made from a panel, a process
 * that really takes the processor, everything that tells of it on the screen without a reload, taken on a phone, over.
 */
import { HttpApi } from '@nowcast/client';
import type { Board, Panel } from '@nowcast/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Burner } from '../fixtures/burner.ts';
import { patience } from '../fixtures/live-peer.ts';
import { look } from './axe.ts';
import { launchBrowser, openScreen, overflowsSideways, type Screen, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

const [phoneSize, , desktopSize] = sizes;
const sampleMs = 250;

let browser: Browser;
let server: RunningServer;
let burner: Burner;
let sampling: NodeJS.Timeout;
let api: HttpApi;
let board: Board;
let desktop: Screen;
let phone: Screen;

async function sample(): Promise<void> {
  const body = [`cpu_usage,process=worker value=${burner.percent()}`, 'cpu_usage,process=idle value=1'].join(
    '\n',
  );
  const headers = { authorization: `Token ${server.key}` };
  await fetch(`${server.url}/api/v2/write`, { method: 'POST', headers, body }).catch(() => undefined);
}

const panel = (id: string, title: string, chart: Panel['chart_type'], y: number): object => ({
  visualization_id: id,
  title,
  metric_type: chart === 'alerts' ? '' : 'cpu_usage',
  chart_type: chart,
  query: chart === 'alerts' ? { group_by: [] } : { agg: 'max', group_by: ['process'] },
  layout: { x: 0, y, w: 12, h: 6 },
  display: {
    unit: 'percent',
    ...(chart === 'alerts' ? { alert_states: ['firing', 'acknowledged', 'resolved'] } : {}),
  },
});

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startServer(['--no-collector'])]);
  burner = new Burner();
  sampling = setInterval(() => void sample(), sampleMs);
  api = new HttpApi({ url: server.url });
  await api.login(server.login.login, server.login.password);
  const content = {
    title: 'Work',
    window: '5m',
    panels: [
      panel('load', 'Load', 'line', 0),
      panel('tiles', 'Processes', 'status', 6),
      panel('list', 'What is wrong', 'alerts', 12),
    ],
  };
  board = await api.call('POST', '/api/v1/boards', { body: { content } });
  desktop = await openScreen(browser, desktopSize);
  phone = await openScreen(browser, phoneSize, 'light');
  await Promise.all([signIn(desktop.page), signIn(phone.page)]);
});
afterAll(async () => {
  clearInterval(sampling);
  burner.end();
  await browser.close();
  await server.destroy();
});

async function signIn(page: Page): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel('E-mail or username').fill(server.login.login);
  await page.getByLabel('Password', { exact: true }).fill(server.login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
}

const load = (page: Page) => page.getByRole('article', { name: 'Load', exact: true });
const chip = (page: Page, words: string) =>
  load(page).getByRole('button', { name: `Alerts of Load: ${words}`, exact: true });
const marks = (page: Page) => load(page).getByRole('list', { name: 'Alerts in Load' }).getByRole('button');
const tile = (page: Page, name: string) =>
  page.getByRole('group', { name: 'Processes: status' }).getByRole('listitem').filter({ hasText: name });
const listed = (page: Page) =>
  page.getByRole('group', { name: 'What is wrong: alerts' }).getByRole('listitem');
const bell = (page: Page) => page.getByRole('button', { name: /^Notifications/ });

/** How many pixels of the chart's topmost lines have the colour of critical: the bar above a period that fired. */
function firingPixels(page: Page): Promise<number> {
  return load(page)
    .locator('canvas')
    .first()
    .evaluate((element) => {
      const canvas = element as unknown as {
        width: number;
        getContext: (kind: '2d') => {
          getImageData: (x: number, y: number, w: number, h: number) => { data: Uint8ClampedArray };
        };
      };
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, 24);
      let found = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i] === 0xff && data[i + 1] === 0x7a && data[i + 2] === 0x72) found += 1;
      return found;
    });
}

describe('an alert on a board', () => {
  it('begins as a rule that has the query of the panel it was made from', async () => {
    const { page } = desktop;
    await page.goto(`${server.url}/boards/${board.board_id}`);
    await load(page).getByRole('button', { name: 'Menu of Load' }).click();
    await page.getByRole('menuitem', { name: 'Create alert' }).click();
    await page.getByRole('button', { name: 'Metric: cpu_usage' }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Calculate' }).inputValue()).toBe('max');
    await page
      .getByRole('button', { name: /process/ })
      .first()
      .waitFor();
    await page.getByRole('textbox', { name: 'Limit', exact: true }).fill('5');
    await page.getByRole('combobox', { name: 'Window', exact: true }).selectOption('10s');
    await page.getByRole('combobox', { name: 'Severity', exact: true }).selectOption('critical');
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Worker is busy');
    await page.getByRole('button', { name: 'Create rule' }).click();
    await page.waitForURL(/\/alerts\/rules$/);
    await page.goto(`${server.url}/boards/${board.board_id}`);
    await chip(page, 'OK').waitFor();
    await tile(page, 'worker').getByText('OK').waitFor();
    await page.getByText('All is well').waitFor();
    expect(await marks(page).count()).toBe(0);
    expect(await firingPixels(page)).toBe(0);
    const found: string[] = [];
    await look(page, 'a board on which all is well', found);
    expect(found).toEqual([]);
  });

  it('fires when the processor is loaded, and everything that tells of it does so by itself', async () => {
    const { page } = desktop;
    burner.burn();
    await page.getByRole('alert').getByText('Worker is busy').first().waitFor();
    await page.getByRole('button', { name: 'Notifications, 1 unread' }).waitFor();
    await chip(page, 'Critical').waitFor();
    await marks(page).getByText('Worker is busy fires · process worker').waitFor({ state: 'attached' });
    await vi.waitFor(async () => expect(await firingPixels(page)).toBeGreaterThan(0), patience);
    await tile(page, 'worker').getByText('Critical: Worker is busy').waitFor();
    expect(await tile(page, 'idle').getByText('OK').count()).toBe(1);
    await listed(page).getByText('Critical').waitFor();
    await bell(page).click();
    await page.getByRole('dialog', { name: 'Notifications' }).getByText('Worker is busy').first().waitFor();
    await page.keyboard.press('Escape');
  });

  it('is reached by the keyboard alone, from the chart to its mark to what happened', async () => {
    const { page } = desktop;
    const found: string[] = [];
    // Of what fades in, contrast is measured while it does.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await look(page, 'a board with an alert', found);
    await load(page).getByRole('application').focus();
    await page.keyboard.press('Tab');
    await vi.waitFor(async () => {
      expect(await page.evaluate('document.activeElement.ariaLabel')).toMatch(/Worker is busy fires/);
    }, patience);
    await page.keyboard.press('Enter');
    const details = page.getByRole('dialog', { name: 'Alerts of Load' });
    await details.getByRole('link', { name: 'Worker is busy fires · process worker' }).waitFor();
    await details.getByRole('heading', { name: 'Now' }).waitFor();
    await look(page, 'what happened', found);
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });
    expect(found).toEqual([]);
  });

  it('is taken on a phone, and the board on the wall knows', async () => {
    const { page } = phone;
    await page.goto(`${server.url}/alerts`);
    await page.getByRole('button', { name: 'Acknowledge Worker is busy' }).click();
    await page.getByText('You have “Worker is busy”').waitFor();
    await chip(desktop.page, 'Acknowledged').waitFor();
    await tile(desktop.page, 'worker').getByText('Acknowledged: Worker is busy').waitFor();
    await page.goto(`${server.url}/boards/${board.board_id}`);
    await chip(page, 'Acknowledged').waitFor();
    await marks(page).first().waitFor({ state: 'attached' });
    const found: string[] = [];
    await look(page, 'a board with an alert on a phone', found);
    expect([found, await overflowsSideways(page)]).toEqual([[], false]);
  });

  it('is over when the processor rests, on every screen and in every list', async () => {
    const value = tile(phone.page, 'worker').getByText(/%$/);
    // One of them stands still.
    await phone.page.goto(
      `${server.url}/boards/${board.board_id}?from=${Date.now() - 60_000}&to=${Date.now()}`,
    );
    await tile(phone.page, 'worker').getByRole('link').waitFor();
    await value.waitFor();
    burner.rest();
    for (const { page } of [desktop, phone]) {
      await chip(page, 'OK').waitFor();
      await tile(page, 'worker').getByText('OK').waitFor();
      await listed(page).getByText('Over').waitFor();
    }
    await value.waitFor();
    // Within a few pixels of each other, firing and its end may share one mark.
    await chip(desktop.page, 'OK').click();
    const details = desktop.page.getByRole('dialog', { name: 'Alerts of Load' });
    for (const said of ['fires', `acknowledged by ${server.login.login}`, 'is over'])
      await details.getByRole('link', { name: `Worker is busy ${said} · process worker` }).waitFor();
    await desktop.page.keyboard.press('Escape');
    await phone.page.goto(`${server.url}/alerts?state=resolved`);
    await phone.page
      .getByRole('list', { name: 'Resolved' })
      .getByRole('link', { name: 'Worker is busy' })
      .waitFor();
    const inbox = await api.call<{ notifications: { kind: string; title: string }[] }>(
      'GET',
      '/api/v1/notifications',
    );
    expect(inbox.notifications.map(({ kind }) => kind).sort()).toEqual(['firing', 'resolved']);
    expect([...desktop.complaints, ...phone.complaints]).toEqual([]);
  });

  it('is there in the past as well, and not where it was not', async () => {
    const { page } = desktop;
    const now = Date.now();
    await page.goto(`${server.url}/boards/${board.board_id}?from=${now - 120_000}&to=${now}`);
    await marks(page).first().waitFor({ state: 'attached' });
    await vi.waitFor(async () => expect(await firingPixels(page)).toBeGreaterThan(0), patience);
    await page.goto(`${server.url}/boards/${board.board_id}?from=${now - 7_200_000}&to=${now - 3_600_000}`);
    await page.getByText('All is well').waitFor();
    expect(await marks(page).count()).toBe(0);
  });
});

describe('panels about alerts are made, and say when they cannot know', () => {
  it('a list and tiles are added in the editor; the list is narrowed to critical ones and saved', async () => {
    const { page } = desktop;
    await page.goto(`${server.url}/boards/${board.board_id}?edit=true`);
    await page.getByRole('button', { name: 'Add panel' }).click();
    await page
      .getByRole('dialog', { name: 'Add a panel' })
      .getByRole('button', { name: 'Alert list' })
      .click();
    await page.getByRole('tab', { name: 'Alerts' }).click();
    await page.getByLabel('Severity').selectOption('critical');
    await page.getByLabel('Resolved').check();
    await page.getByRole('article', { name: 'Alerts', exact: true }).getByText('Over').waitFor();
    await page.getByRole('button', { name: 'Close editor' }).click();
    await page.getByRole('button', { name: 'Add panel' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a panel' });
    await dialog.getByRole('button', { name: 'Status of each' }).click();
    await dialog.getByText('cpu_usage').click();
    await page.getByRole('group', { name: 'CPU usage: status' }).getByText('worker').waitFor();
    await page.getByRole('button', { name: 'Close editor' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
    const saved = await api.call<Board>('GET', `/api/v1/boards/${board.board_id}`);
    expect(
      saved.panels.slice(3).map(({ chart_type, display }) => [chart_type, display.alert_severity]),
    ).toEqual([
      ['alerts', 'critical'],
      ['status', undefined],
    ]);
  });

  it('a panel that is told not to shows no alerts; one that is linked to a rule of another metric does', async () => {
    const rule = await api.call<{ rule_id: string }>('POST', '/api/v1/rules', {
      body: {
        name: 'Other thing',
        evaluation: {
          query: { metric_type: 'other' },
          condition: { kind: 'threshold', op: 'above', value: 1 },
        },
      },
    });
    const stored = await api.call<Board>('GET', `/api/v1/boards/${board.board_id}`);
    const { title, window, variables, shared, description } = stored;
    const panels = stored.panels.map((one) => {
      if (one.visualization_id === 'load')
        return { ...one, display: { ...one.display, alerts: { shown: true, rule_ids: [rule.rule_id] } } };
      return { ...one, display: { ...one.display, alerts: { shown: false, rule_ids: [] } } };
    });
    const content = { title, description, window, variables, shared, panels };
    await api.call('PUT', `/api/v1/boards/${board.board_id}`, {
      body: { content, base_version: stored.version },
    });
    const { page } = desktop;
    await page.goto(`${server.url}/boards/${board.board_id}`);
    // Nothing called "other" was ever received, which is not silently taken for well.
    await chip(page, 'Rule problem').click();
    await page
      .getByRole('dialog', { name: 'Alerts of Load' })
      .getByRole('link', { name: 'Other thing' })
      .waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('button', { name: /^Alerts of Processes/ }).count()).toBe(0);
  });

  it('an answer that fails or is refused is said in the panel, and can be tried again', async () => {
    const { page } = desktop;
    const list = page.getByRole('article', { name: 'What is wrong', exact: true });
    const found: string[] = [];
    for (const [status, words] of [
      [403, 'Not yours to see'],
      [500, 'This panel failed'],
    ] as const) {
      await page.route('**/api/v1/alerts?*', (route) =>
        route.fulfill({ status, json: { error: { code: 'x', message: 'It cannot be read' } } }),
      );
      await page.goto(`${server.url}/boards/${board.board_id}`);
      await list.getByText(words).waitFor();
      await look(page, words, found);
      await page.unroute('**/api/v1/alerts?*');
    }
    await list.getByRole('button', { name: 'Try again' }).click();
    await list.getByText('Worker is busy').first().waitFor();
    expect(found).toEqual([]);
  });
});
