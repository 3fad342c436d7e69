/** What happens to a page about alerts while somebody works on it: worse alerts come, others save, a crowd fires. */
import { HttpApi } from '@nowcast/client';
import type { Board, Rule } from '@nowcast/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { alertsOf, makeHostRule, sendValues } from '../fixtures/alerting.ts';
import { patience } from '../fixtures/live-peer.ts';
import { launchBrowser, openScreen, type Screen, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

let browser: Browser;
let server: RunningServer;
let api: HttpApi;
let screen: Screen;
let page: Page;
beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startServer(['--no-collector'])]);
  api = new HttpApi({ url: server.url });
  await api.login(server.login.login, server.login.password);
});
afterAll(async () => {
  await browser.close();
  await server.destroy();
});

beforeEach(async () => {
  screen = await openScreen(browser, sizes[2]);
  page = screen.page;
  await page.goto(`${server.url}/login`);
  await page.getByLabel('E-mail or username').fill(server.login.login);
  await page.getByLabel('Password', { exact: true }).fill(server.login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
});
afterEach(async () => {
  expect(screen.complaints).toEqual([]);
  await screen.context.close();
});

/** Opens a screen and waits until what changes is pushed to it. */
async function show(path: string, title: string | RegExp): Promise<void> {
  const followed = page.waitForResponse((answer) => answer.url().includes('/api/v1/notifications'));
  await page.goto(`${server.url}${path}`);
  await page.getByRole('heading', { name: title }).first().waitFor();
  await page.getByText('Live', { exact: true }).first().waitFor();
  await followed;
}

const button = (name: string) => page.getByRole('button', { name, exact: true });
const heading = (name: string) => page.getByRole('heading', { name, exact: true }).first();
const firing = () => page.getByRole('list', { name: 'Firing' });

describe('in the inbox, a acts on the alert that somebody went to', () => {
  const focused = () => page.evaluate<string>(`document.activeElement.closest('li')?.innerText ?? ''`);

  /** Three alerts in the inbox, as its lines stand; answers their hosts. */
  async function work(metric: string): Promise<{ rule: Rule; hosts: string[] }> {
    const rule = await makeHostRule(api, metric, { severity: 'info' });
    await sendValues(server, metric, { 'h-1': 95, 'h-2': 96, 'h-3': 97 });
    await alertsOf(api, rule.rule_id, 'firing', 3);
    await show('/alerts', 'Inbox');
    const lines = firing().getByRole('listitem').filter({ hasText: rule.name });
    await vi.waitFor(async () => expect(await lines.count()).toBe(3), patience);
    return { rule, hosts: (await lines.allInnerTexts()).map((text) => /h-\d/.exec(text)![0]) };
  }

  async function expectTaken(rule: Rule, host: string): Promise<void> {
    await page.keyboard.press('a');
    const [taken] = await alertsOf(api, rule.rule_id, 'acknowledged', 1);
    expect(taken!.labels['host']).toBe(host);
  }

  it('with j, though a worse one has come above it since', async () => {
    const { rule, hosts } = await work('reached_by_key');
    await page.keyboard.press('j');
    expect(await focused()).toContain(hosts[1]);
    const worse = await makeHostRule(api, 'worse');
    await sendValues(server, 'worse', { 'w-1': 95 });
    await firing().getByRole('link', { name: worse.name }).waitFor();
    expect(await focused()).toContain(hosts[1]);
    await expectTaken(rule, hosts[1]!);
    await sendValues(server, 'worse', { 'w-1': 1 });
    await alertsOf(api, worse.rule_id, 'resolved', 1);
  });

  it('with the Tab key', async () => {
    const { rule, hosts } = await work('reached_by_tab');
    for (let presses = 0; presses < 200 && !(await focused()).includes(hosts[2]!); presses++)
      await page.keyboard.press('Tab');
    await expectTaken(rule, hosts[2]!);
  });
});

describe('a rule that is being changed', () => {
  const limit = () => page.getByRole('textbox', { name: 'Limit', exact: true });
  const read = (rule: Rule) => api.call<Rule>('GET', `/api/v1/rules/${rule.rule_id}`);
  const question = () => page.getByRole('dialog', { name: 'Leave without saving?' });

  async function edit(metric: string): Promise<Rule> {
    await sendValues(server, metric, { 'e-1': 40 });
    const rule = await makeHostRule(api, metric);
    await show(`/alerts/rules/${rule.rule_id}`, rule.name);
    await limit().waitFor();
    return rule;
  }

  /** Somebody else saves it under another name, and this page has heard of it. */
  async function saveElsewhere({ rule_id: id, version, name, evaluation }: Rule, labels = {}): Promise<void> {
    const content = { name: `${name}, again`, severity: 'info', evaluation, labels };
    await api.call('PUT', `/api/v1/rules/${id}`, { body: { content, base_version: version } });
    await heading(`${name}, again`).waitFor();
  }

  it('does not replace what somebody else has saved meanwhile', async () => {
    const rule = await edit('shared');
    await limit().fill('70');
    await saveElsewhere(rule);
    await button('Save').click();
    await button('Load the newer one').waitFor();
    expect(await limit().inputValue()).toBe('70');
    expect(await read(rule)).toMatchObject({
      version: 2,
      severity: 'info',
      evaluation: { condition: { value: 90 } },
    });
  });

  it('is the newest one until the first change, and an alert of it is no change', async () => {
    const rule = await edit('watched');
    await saveElsewhere(rule);
    await sendValues(server, 'watched', { 'e-1': 95 });
    const counted = page.waitForResponse(
      async (answer) =>
        answer.url().endsWith(`/rules/${rule.rule_id}`) &&
        ((await answer.json()) as Rule).counts.firing === 1,
    );
    await counted;
    expect(await button('Save').isDisabled()).toBe(true);
    await limit().fill('70');
    await button('Save').click();
    await heading('Rules').waitFor();
    expect(await read(rule)).toMatchObject({
      version: 3,
      name: `${rule.name}, again`,
      severity: 'info',
      evaluation: { condition: { value: 70 } },
    });
  });

  it('has the labels of the newest one as well, and keeps them when one is added', async () => {
    const rule = await edit('labelled');
    const labels = { team: 'b', owner: 'x' };
    await saveElsewhere(rule, labels);
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('group', { name: 'Label 2' }).waitFor();
    await button('Add a label').click();
    const third = page.getByRole('group', { name: 'Label 3' });
    await third.getByLabel('Name').fill('tier');
    await third.getByLabel('Value').fill('1');
    await button('Save').click();
    await heading('Rules').waitFor();
    expect((await read(rule)).labels).toEqual({ ...labels, tier: '1' });
  });

  it('goes on while it is made: what was changed meanwhile is saved over it', async () => {
    await sendValues(server, 'slow', { 'e-1': 40 });
    await show('/alerts/rules/new', 'New rule');
    await button('Metric: choose a metric').click();
    await page.getByRole('dialog').getByText('slow', { exact: true }).click();
    await page.getByLabel('Name', { exact: true }).last().fill('Slow');
    await limit().fill('70');
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    await page.route('**/api/v1/rules', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      asked.resolve();
      await held.promise;
      await route.continue();
    });
    await button('Create rule').click();
    await asked.promise;
    await limit().fill('75');
    held.resolve();
    await heading('Slow').waitFor();
    expect(await limit().inputValue()).toBe('75');
    await button('Save').click();
    await heading('Rules').waitFor();
    const { rules } = await api.call<{ rules: Rule[] }>('GET', '/api/v1/rules');
    expect(rules.find((rule) => rule.name === 'Slow')).toMatchObject({
      version: 2,
      evaluation: { condition: { value: 75 } },
    });
  });

  it('stays on the screen when somebody deletes it', async () => {
    const rule = await edit('gone');
    await limit().fill('70');
    const refused = page.waitForResponse(
      (answer) => answer.url().endsWith(`/rules/${rule.rule_id}`) && answer.status() === 404,
    );
    await api.call('DELETE', `/api/v1/rules/${rule.rule_id}`);
    await refused;
    await button('Save').click();
    await page.getByText('There is no such rule').waitFor();
    expect(await limit().inputValue()).toBe('70');
  });

  it('is left only after a question, unless it was saved or deleted', async () => {
    await edit('left');
    await page.getByRole('link', { name: 'Silences', exact: true }).click();
    await heading('Silences').waitFor();
    await page.goBack();
    await limit().fill('70');
    await page.getByRole('link', { name: 'Silences', exact: true }).click();
    await question().waitFor();
    await button('Cancel').click();
    await question().waitFor({ state: 'detached' });
    expect(await limit().inputValue()).toBe('70');
    await page.evaluate('history.forward()');
    await question().waitFor();
    await button('Leave').click();
    await heading('Silences').waitFor();
    await page.goBack();
    await limit().fill('70');
    await button('Delete').click();
    await button('Delete rule').click();
    await heading('Rules').waitFor();
    expect(await question().count()).toBe(0);
  });
});

it('a crowd of newer small alerts hides no older critical one, in the inbox, at Home and on a wallboard', async () => {
  const bad = await makeHostRule(api, 'crowd_bad', { name: 'Database down' });
  await sendValues(server, 'crowd_bad', { 'db-1': 95 });
  await alertsOf(api, bad.rule_id, 'firing', 1);
  const small = await makeHostRule(api, 'crowd', { name: 'Disk fills up', severity: 'info' });
  const hosts = Array.from({ length: 210 }, (_, i) => [`c-${i}`, 95] as const);
  await sendValues(server, 'crowd', Object.fromEntries(hosts));
  await vi.waitFor(async () => {
    const { counts } = await api.call<Rule>('GET', `/api/v1/rules/${small.rule_id}`);
    expect(counts.firing).toBe(210);
  }, patience);
  await show('/alerts', 'Inbox');
  await firing().getByRole('link', { name: bad.name }).waitFor();
  const crowd = firing().getByRole('listitem').filter({ hasText: small.name });
  expect(await crowd.count()).toBeLessThan(200);
  await button('Show more').click();
  await vi.waitFor(async () => expect(await crowd.count()).toBe(210), patience);
  expect(await button('Show more').count()).toBe(0);
  await show('/', /^Hello/);
  const home = page.getByRole('region', { name: 'Firing' });
  await home.getByRole('link', { name: bad.name }).waitFor();
  const { board_id: board } = await api.call<Board>('POST', '/api/v1/boards', {
    body: { content: { title: 'Wall' } },
  });
  await page.goto(`${server.url}/boards/${board}?kiosk=1`);
  await page.getByRole('alert').getByText(bad.name).waitFor();
});
