/** What people do with alerts in the page: a real browser, the real server, points that break rules. */
import { HttpApi } from '@nowcast/client';
import type { Board, Notification, Rule, ServerInfo } from '@nowcast/contract';
import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { alertsOf, makeHostRule, sendValues } from '../fixtures/alerting.ts';
import { addPerson, signInOwner } from '../fixtures/people.ts';
import { launchBrowser, openScreen, type Screen, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

const patience = { timeout: 60_000, interval: 50 };
const [phone, , desktop] = sizes;

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

async function open(size: (typeof sizes)[number], login = server.login): Promise<void> {
  screen = await openScreen(browser, size);
  page = screen.page;
  await page.goto(`${server.url}/login`);
  await page.getByLabel('E-mail or username').fill(login.login);
  await page.getByLabel('Password', { exact: true }).fill(login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
}
afterEach(async () => {
  expect(screen.complaints).toEqual([]);
  await screen.context.close();
});

const button = (name: string | RegExp) => page.getByRole('button', { name });
const dialog = (name: string | RegExp) => page.getByRole('dialog', { name });

/** Opens a screen and waits until what changes is pushed to it. */
async function show(path: string, title: string | RegExp): Promise<void> {
  const followed = page.waitForResponse((answer) => answer.url().includes('/api/v1/notifications'));
  await page.goto(`${server.url}${path}`);
  await page.getByRole('heading', { name: title }).first().waitFor();
  await page.getByText('Live', { exact: true }).first().waitFor();
  await followed;
}

describe('a critical alert', () => {
  const toast = () => page.getByRole('alert').filter({ hasText: 'Critical:' });
  beforeEach(() => open(desktop));

  it('makes a toast, together with those after it, which stays on every screen until it was seen; a warning makes none', async () => {
    const critical = await makeHostRule(api, 'toast_a');
    const warning = await makeHostRule(api, 'toast_b', { severity: 'warning' });
    await show('/alerts', 'Inbox');
    await sendValues(server, 'toast_b', { 'b-1': 95 });
    await page.getByRole('link', { name: warning.name }).waitFor();
    expect(await toast().count()).toBe(0);
    await sendValues(server, 'toast_a', { 'a-1': 95 });
    await toast().getByText(critical.name).first().waitFor();
    await sendValues(server, 'toast_a', { 'a-2': 96 });
    await toast().getByText('and 1 more').waitFor();
    await page.getByRole('link', { name: 'Rules', exact: true }).click();
    await page.getByRole('heading', { name: 'Rules' }).first().waitFor();
    expect(await toast().count()).toBe(1);
    const isRead = async (): Promise<boolean[]> => {
      const { notifications } = await api.call<{ notifications: Notification[] }>(
        'GET',
        '/api/v1/notifications',
      );
      const about = notifications.filter((one) => one.rule_id === critical.rule_id && one.kind === 'firing');
      return about.map((one) => one.read_at !== null);
    };
    expect(await isRead()).toEqual([false, false]);
    await toast().getByRole('button', { name: 'Dismiss' }).click();
    await toast().waitFor({ state: 'detached' });
    await vi.waitFor(async () => expect(await isRead()).toEqual([true, true]), patience);
    // Its end is no news either.
    await sendValues(server, 'toast_a', { 'a-1': 1, 'a-2': 1 });
    await alertsOf(api, critical.rule_id, 'resolved', 2);
    expect(await toast().count()).toBe(0);
  });

  it('leaves the screen when it is over, or was read elsewhere', async () => {
    const rule = await makeHostRule(api, 'over');
    await show('/alerts', 'Inbox');
    await sendValues(server, 'over', { 'o-1': 95 });
    await toast().getByText(rule.name).first().waitFor();
    await sendValues(server, 'over', { 'o-1': 1 });
    await toast().waitFor({ state: 'detached' });
    await sendValues(server, 'over', { 'o-2': 95 });
    await toast().getByText(rule.name).first().waitFor();
    await api.call('POST', '/api/v1/notifications/read', { body: { notification_ids: 'all' } });
    await toast().waitFor({ state: 'detached' });
    await sendValues(server, 'over', { 'o-2': 1 });
    await alertsOf(api, rule.rule_id, 'resolved', 2);
  });

  it('of several alerts leaves with the last of them, also where nobody is told of their ends', async () => {
    const notify = { group_by: [], group_wait: '1s', resolved: false };
    const rule = await makeHostRule(api, 'together', { notify });
    await show('/alerts', 'Inbox');
    await sendValues(server, 'together', { 't-1': 95, 't-2': 96 });
    await toast().getByText('2 alerts').first().waitFor();
    await sendValues(server, 'together', { 't-1': 1 });
    await alertsOf(api, rule.rule_id, 'resolved', 1);
    expect(await toast().count()).toBe(1);
    await sendValues(server, 'together', { 't-2': 1 });
    await toast().waitFor({ state: 'detached' });
  });

  it('that was read elsewhere stays away when the list of the newest holds it no more', async () => {
    const rule = await makeHostRule(api, 'once');
    const other = await makeHostRule(api, 'newer', { severity: 'warning' });
    await show('/alerts', 'Inbox');
    await sendValues(server, 'once', { 'n-1': 95 });
    await toast().getByText(rule.name).first().waitFor();
    await api.call('POST', '/api/v1/notifications/read', { body: { notification_ids: 'all' } });
    await toast().waitFor({ state: 'detached' });
    await page.route('**/api/v1/notifications?*', async (route) => {
      const answer = await route.fetch();
      const { notifications, unread } = (await answer.json()) as {
        notifications: Notification[];
        unread: number;
      };
      const newest = notifications.filter((one) => one.rule_id === other.rule_id);
      await route.fulfill({ json: { notifications: newest, unread } });
    });
    await sendValues(server, 'newer', { 'n-1': 95 });
    await button('Notifications, 1 unread').waitFor();
    expect(await toast().count()).toBe(0);
    await sendValues(server, 'once', { 'n-1': 1 });
    await sendValues(server, 'newer', { 'n-1': 1 });
    await alertsOf(api, other.rule_id, 'resolved', 1);
    await api.call('POST', '/api/v1/notifications/read', { body: { notification_ids: 'all' } });
  });

  it('stands on a wallboard while it fires, with a sound that is off until somebody there switches it on', async () => {
    await page.addInitScript(countTones);
    const tones = () => page.evaluate<number>('tones');
    const rule = await makeHostRule(api, 'wall');
    const { board_id: board } = await api.call<Board>('POST', '/api/v1/boards', {
      body: { content: { title: 'Wall' } },
    });
    await page.goto(`${server.url}/boards/${board}?kiosk=1`);
    const sound = button('Sound on new critical alerts');
    await sound.waitFor();
    expect(await sound.getAttribute('aria-pressed')).toBe('false');
    await sendValues(server, 'wall', { 'w-1': 95 });
    await page.getByRole('alert').getByText(rule.name).waitFor();
    expect(await tones()).toBe(0);
    await sound.click();
    await vi.waitFor(async () => expect(await tones()).toBeGreaterThan(0), patience);
    const heard = await tones();
    await sendValues(server, 'wall', { 'w-2': 95 });
    await page.getByText('and 1 more critical').waitFor();
    await vi.waitFor(async () => expect(await tones()).toBeGreaterThan(heard), patience);
    await sound.click();
    expect(await sound.getAttribute('aria-pressed')).toBe('false');
    await sendValues(server, 'wall', { 'w-1': 1, 'w-2': 1 });
    await page.getByRole('alert').getByText(rule.name).waitFor({ state: 'detached' });
    // The same choice in the settings of this person, in this browser.
    await page.goto(`${server.url}/alerts/notifications`);
    const choice = page.getByLabel('Sound on new critical alerts, on wallboards in this browser');
    expect(await choice.isChecked()).toBe(false);
    await choice.check();
    await page.goto(`${server.url}/boards/${board}?kiosk=1`);
    await sound.waitFor();
    expect(await sound.getAttribute('aria-pressed')).toBe('true');
  });
});

it('a wallboard loads itself anew when its server has become another version', async () => {
  await open(desktop);
  const { board_id: board } = await api.call<Board>('POST', '/api/v1/boards', {
    body: { content: { title: 'Months' } },
  });
  let change: Partial<ServerInfo> = {};
  let asked = 0;
  const sockets: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/updates/, (socket) => {
    socket.connectToServer();
    sockets.push(socket);
  });
  await page.route('**/api/v1/info', async (route) => {
    const info = (await (await route.fetch()).json()) as ServerInfo;
    await route.fulfill({ json: { ...info, ...change } });
    asked += 1;
  });
  await page.goto(`${server.url}/boards/${board}?kiosk=1`);
  await vi.waitFor(() => expect(asked).toBe(1), patience);
  const loaded = vi.fn<() => void>();
  page.on('load', loaded);
  await sockets.at(-1)!.close({ code: 1012 });
  await vi.waitFor(() => expect(asked).toBe(2), patience);
  expect(loaded).not.toHaveBeenCalled();
  change = { version: '99.0.0' };
  await sockets.at(-1)!.close({ code: 1012 });
  await vi.waitFor(() => expect(loaded).toHaveBeenCalledTimes(1), patience);
  await button('Sound on new critical alerts').waitFor();
});

describe('an alert whose answer fails', () => {
  it('stays as it was, with what is being written about it', async () => {
    await open(desktop);
    const rule = await makeHostRule(api, 'kept');
    await sendValues(server, 'kept', { 'k-1': 95 });
    const [alert] = await alertsOf(api, rule.rule_id, 'firing', 1);
    await show(`/alerts/${alert!.alert_id}`, rule.name);
    await button('Silence…').click();
    const reason = page.getByRole('dialog').getByLabel('Why');
    await reason.fill('the disk is being changed');
    let refused = 0;
    await page.route(`**/api/v1/alerts/${alert!.alert_id}`, async (route) => {
      await route.abort();
      refused += 1;
    });
    await sendValues(server, 'kept', { 'k-1': 1 });
    // Asked, and asked again twice.
    await vi.waitFor(() => expect(refused).toBeGreaterThan(2), patience);
    await page.getByRole('heading', { name: rule.name, includeHidden: true }).first().waitFor();
    expect(await reason.inputValue()).toBe('the disk is being changed');
  });
});

describe('what people see of alerts without looking for them', () => {
  beforeEach(() => open(desktop));

  it('Home begins with those that fire; under the bell each has a line, and an end looks like one', async () => {
    const rule = await makeHostRule(api, 'home');
    await sendValues(server, 'home', { 'h-1': 95, 'h-2': 96 });
    await alertsOf(api, rule.rule_id, 'firing', 2);
    await show('/', /^Hello/);
    const firing = page.getByRole('region', { name: 'Firing' }).getByRole('link', { name: rule.name });
    await firing.nth(1).waitFor();
    const told = (words: string) =>
      dialog('Notifications').getByRole('link').filter({ hasText: rule.name }).filter({ hasText: words });
    await button(/^Notifications/).click();
    expect(await told('2 alerts').innerText()).toMatch(/is at 9\d .*\n.*is at 9\d /);
    expect(await told('2 alerts').locator('svg.text-crit').count()).toBe(1);
    await page.keyboard.press('Escape');
    await sendValues(server, 'home', { 'h-1': 1, 'h-2': 1 });
    await vi.waitFor(async () => expect(await firing.count()).toBe(0), patience);
    await button(/^Notifications/).click();
    await told('well again').first().locator('svg.text-ok').waitFor();
  });

  it('a list of a board that slides loses what was over before its range', async () => {
    const rule = await makeHostRule(api, 'sliding');
    await sendValues(server, 'sliding', { 's-1': 95 });
    await alertsOf(api, rule.rule_id, 'firing', 1);
    await sendValues(server, 'sliding', { 's-1': 1 });
    await alertsOf(api, rule.rule_id, 'resolved', 1);
    const list = {
      visualization_id: 'list',
      title: 'Lately',
      metric_type: 'sliding',
      chart_type: 'alerts',
      query: {},
      layout: { x: 0, y: 0, w: 12, h: 6 },
      display: { alert_states: ['firing', 'resolved'] },
    };
    const { board_id: board } = await api.call<Board>('POST', '/api/v1/boards', {
      body: { content: { title: 'Sliding', panels: [list] } },
    });
    await page.goto(`${server.url}/boards/${board}?from=now-45s`);
    const line = page.getByRole('article', { name: 'Lately' }).getByText(rule.name);
    await line.waitFor();
    await line.waitFor({ state: 'detached' });
  });

  it('a rule about silence is well while its source sends, and has no other value', async () => {
    await sendValues(server, 'beat', { 'b-1': 1 });
    const { rule_id: id, name } = await makeHostRule(api, 'beat', {
      name: 'No heartbeat',
      evaluation: {
        query: { metric_type: 'beat' },
        group_by: ['host'],
        window: '1h',
        condition: { kind: 'no_data' },
      },
    });
    await vi.waitFor(async () => {
      const { counts } = await api.call<Rule>('GET', `/api/v1/rules/${id}`);
      expect(counts).toEqual({ ok: 0, pending: 0, firing: 0, no_data: 1 });
    }, patience);
    await show('/alerts/rules', 'Rules');
    await page.getByRole('listitem').filter({ hasText: name }).getByText('Well', { exact: true }).waitFor();
  });
});

describe('the inbox', () => {
  it('is worked through with j, k, a and s alone', async () => {
    const rule = await makeHostRule(api, 'keys', { severity: 'info', name: 'Keys' });
    await sendValues(server, 'keys', { 'k-1': 95, 'k-2': 96, 'k-3': 97 });
    await alertsOf(api, rule.rule_id, 'firing', 3);
    await open(desktop);
    await show('/alerts', 'Inbox');
    const lines = page
      .getByRole('list', { name: 'Firing' })
      .getByRole('listitem')
      .filter({ hasText: 'Keys' });
    await vi.waitFor(async () => expect(await lines.count()).toBe(3), patience);
    const focused = () => page.evaluate<string>(`document.activeElement.closest('li')?.innerText ?? ''`);
    const hosts = await lines.evaluateAll((items) => items.map((item) => /k-\d/.exec(item.textContent)![0]));
    // Each has the line of its value.
    await vi.waitFor(
      async () => expect(await lines.locator('svg path[stroke-width]').count()).toBe(3),
      patience,
    );
    // Down to the second of them, past it and back: j and k move the focus, which a screen reader follows.
    for (let steps = 0; steps < 50 && !(await focused()).includes(hosts[2]!); steps++)
      await page.keyboard.press('j');
    expect(await focused()).toContain(hosts[2]);
    await page.keyboard.press('k');
    expect(await focused()).toContain(hosts[1]);
    await page.keyboard.press('a');
    const [taken] = await alertsOf(api, rule.rule_id, 'acknowledged', 1);
    expect(taken!.labels['host']).toBe(hosts[1]);
    await vi.waitFor(async () => expect(await lines.count()).toBe(2), patience);
    await page.keyboard.press('s');
    await dialog(/Silence/).waitFor();
    await page.keyboard.type('being rebuilt');
    await page.keyboard.press('Enter');
    await dialog(/Silence/).waitFor({ state: 'detached' });
    const silenced = await vi.waitFor(async () => {
      const alerts = await alertsOf(api, rule.rule_id, 'firing', 2);
      const quiet = alerts.filter(({ muted_by: mutedBy }) => mutedBy?.includes('being rebuilt'));
      expect(quiet).toHaveLength(1);
      return quiet[0]!;
    }, patience);
    expect(hosts).toContain(silenced.labels['host']);
  });
});

describe('settings of alerting', () => {
  it('a schedule is made, covered and deleted by keyboard', async () => {
    await open(desktop);
    await show('/alerts/on-call', 'On call');
    await button('New schedule').first().focus();
    await page.keyboard.press('Enter');
    await dialog('New schedule').waitFor();
    await page.keyboard.type('Night watch');
    await page.getByRole('list', { name: 'Next shifts' }).getByRole('listitem').nth(3).waitFor();
    await page.keyboard.press('Enter');
    await dialog('New schedule').waitFor({ state: 'detached' });
    await page.getByText('on call, with nobody to take over').waitFor();
    await button('Cover a shift of Night watch').focus();
    await page.keyboard.press('Enter');
    await dialog(/Cover/).waitFor();
    await page.keyboard.press('Escape');
    await dialog(/Cover/).waitFor({ state: 'detached' });
    const label = () => page.evaluate<string | null>(`document.activeElement.getAttribute('aria-label')`);
    await vi.waitFor(async () => expect(await label()).toBe('Cover a shift of Night watch'), patience);
    await button('Delete Night watch').focus();
    await page.keyboard.press('Enter');
    await dialog('Delete “Night watch”?').waitFor();
    // The way back is what is focused first: Enter alone deletes nothing.
    await page.keyboard.press('Enter');
    await dialog('Delete “Night watch”?').waitFor({ state: 'detached' });
    await button('Delete Night watch').focus();
    await page.keyboard.press('Enter');
    await dialog('Delete “Night watch”?').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nobody takes turns yet' }).waitFor();
  });

  it('a maintenance window says when it comes before it is made, and pages of others show it by themselves', async () => {
    await open(phone);
    await show('/alerts/maintenance', 'Maintenance');
    await button('New window').first().click();
    const form = dialog('New maintenance window');
    await form.getByLabel('Name').fill('Deployments');
    for (const day of ['Monday', 'Tuesday', 'Wednesday', 'Friday', 'Saturday', 'Sunday'])
      await form.getByRole('button', { name: day }).click();
    await form.getByLabel('Time zone').selectOption('Europe/Berlin');
    await form.getByLabel('From').fill('22:30');
    await form.getByLabel('For').fill('3');
    const next = form.getByRole('region', { name: 'It comes next' }).getByRole('listitem');
    await vi.waitFor(async () => {
      const texts = await next.allInnerTexts();
      expect(texts).toHaveLength(5);
      for (const text of texts) expect(text).toMatch(/^Thu .* 22:30 – Fri .* 01:30$/);
    }, patience);
    await form.getByRole('button', { name: 'Create window' }).click();
    await page.getByText('Thu at 22:30 for 3').waitFor();
    // Made elsewhere, shown here: nobody touches this page.
    await api.call('POST', '/api/v1/maintenance', {
      body: { name: 'Backup', where: {}, days: [0], start: '01:00', duration: '1h', tz: 'UTC' },
    });
    await page.getByText('Backup', { exact: true }).waitFor();
    await button('Switch off Backup').click();
    await page.getByText('Off: it does not come.').waitFor();
  });

  it('an inhibition is made as a sentence; an unfinished condition cannot be saved', async () => {
    await open(desktop);
    await show('/alerts/inhibitions', 'Inhibitions');
    await button('New inhibition').first().click();
    const form = dialog('New inhibition');
    await form.getByLabel('Name').fill('Down means quiet');
    const create = form.getByRole('button', { name: 'Create inhibition' });
    expect(await create.isEnabled()).toBe(true);
    await form.getByRole('button', { name: 'Add a condition' }).first().click();
    expect(await create.isEnabled()).toBe(false);
    const source = form.getByRole('group', { name: 'While an alert fires where' });
    const added = source.getByRole('group', { name: 'Condition 2' });
    await added.getByLabel('Label').fill('region');
    await added.getByLabel('Values, with commas between them').fill('eu, us');
    await create.click();
    await page.getByText('severity is critical and region is one of eu, us fires').waitFor();
  });

  it('viewers see the limit of a rule and any range before it, and change nothing', async () => {
    const rule = await makeHostRule(api, 'looked_at');
    await sendValues(server, 'looked_at', { 'l-1': 40 });
    await addPerson(server.url, await signInOwner(server), 'reader', 'viewer');
    await open(desktop, { login: 'reader', password: 'a long enough password' });
    await page.goto(`${server.url}/alerts/rules/${rule.rule_id}`);
    await page.getByRole('img', { name: /^Limit 90/ }).waitFor();
    expect(await page.getByRole('slider').count()).toBe(0);
    await page.getByRole('combobox', { name: 'Range of the past' }).selectOption('1h');
  });

  it('viewers see who is on call and change nothing', async () => {
    const owner = await signInOwner(server);
    await addPerson(server.url, owner, 'vic', 'viewer');
    await api.call('POST', '/api/v1/schedules', {
      body: {
        name: 'Operations',
        tz: 'UTC',
        members: [owner.userId],
        handover_day: 1,
        handover_time: '09:00',
        starts_at: Date.now(),
      },
    });
    await open(desktop, { login: 'vic', password: 'a long enough password' });
    await show('/alerts/on-call', 'On call');
    await page.getByText('on call, with nobody to take over').waitFor();
    for (const [path, title] of [
      ['/alerts/on-call', 'On call'],
      ['/alerts/maintenance', 'Maintenance'],
      ['/alerts/inhibitions', 'Inhibitions'],
      ['/alerts/silences', 'Silences'],
    ] as const) {
      await show(path, title);
      expect(await button(/^(New|Edit|Delete|Cover|Switch)/).count()).toBe(0);
    }
    await page.goto(`${server.url}/alerts/rules/new`);
    await page.getByText('Rules are written by editors; ask an administrator.').waitFor();
  });
});

describe('the rule editor', () => {
  it('asks for a limit that was emptied, and saves nothing behind it', async () => {
    await sendValues(server, 'emptied', { 'e-1': 40, 'e-2': 60 });
    const made = await makeHostRule(api, 'emptied', { name: 'Emptied' });
    await open(desktop);
    await show(`/alerts/rules/${made.rule_id}`, 'Emptied');
    const limit = page.getByRole('textbox', { name: 'Limit', exact: true });
    await page.getByRole('slider', { name: 'Limit' }).waitFor();
    await limit.fill('');
    await page.getByText('Enter the number that is missing.').waitFor();
    expect(await page.getByRole('slider', { name: 'Limit' }).count()).toBe(0);
    await page.getByRole('textbox', { name: 'Name', exact: true }).click();
    expect(await limit.inputValue()).toBe('');
    expect(await button('Save').isDisabled()).toBe(true);
    await limit.fill('7,5');
    await button('Save').click();
    await page.getByRole('heading', { name: 'Rules' }).first().waitFor();
    const { evaluation } = await api.call<Rule>('GET', `/api/v1/rules/${made.rule_id}`);
    expect(evaluation.condition).toMatchObject({ value: 7.5 });
  });

  it('has one limit, whether it is typed, dragged on the chart or moved by keys; what it keeps comes back', async () => {
    await sendValues(server, 'editor', { 'e-1': 40, 'e-2': 60 });
    const made = await makeHostRule(api, 'editor', { name: 'Edited' });
    await open(desktop);
    await show(`/alerts/rules/${made.rule_id}`, 'Edited');
    const limit = page.getByRole('textbox', { name: 'Limit', exact: true });
    const line = page.getByRole('slider', { name: 'Limit' });
    await line.waitFor();
    await limit.fill('70');
    await vi.waitFor(async () => expect(await line.getAttribute('aria-valuenow')).toBe('70'), patience);
    const box = (await line.locator('.grip').boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x, box.y + 40, { steps: 5 });
    await page.mouse.up();
    const dragged = Number(await limit.inputValue());
    expect(dragged).toBeLessThan(70);
    await line.focus();
    await page.keyboard.press('ArrowUp');
    await vi.waitFor(async () => expect(Number(await limit.inputValue())).toBeGreaterThan(dragged), patience);
    await page.locator('summary', { hasText: 'More' }).click();
    await button('Add a label').click();
    await page.getByRole('group', { name: 'Label 1' }).getByLabel('Name').fill('team');
    await page.getByRole('group', { name: 'Label 1' }).getByLabel('Value').fill('platform');
    await page.getByRole('textbox', { name: 'Message' }).fill('Look: ');
    await button('labels.host').click();
    await page.getByText('Reads like: Look: host-1').waitFor();
    await page.getByLabel('How late a point may come').selectOption('5m');
    await page.getByRole('textbox', { name: 'Changes that are flapping' }).fill('8');
    await button('Group').click();
    await button('Save').click();
    await page.getByRole('heading', { name: 'Rules' }).first().waitFor();
    const saved = await api.call<Rule>('GET', `/api/v1/rules/${made.rule_id}`);
    expect(saved).toMatchObject({
      labels: { team: 'platform' },
      message: 'Look: {{labels.host}}',
      flap: { changes: 8, within: '15m' },
      evaluation: { lateness: '5m' },
      notify: { group_wait: '30s' },
    });
  });

  it('shows what the keyboard goes to, above the bar at the bottom and below the one at the top', async () => {
    await sendValues(server, 'reached', { 'k-1': 40 });
    const made = await makeHostRule(api, 'reached', { name: 'Reached' });
    await open(desktop);
    await page.setViewportSize({ width: 1280, height: 480 });
    await show(`/alerts/rules/${made.rule_id}`, 'Reached');
    await page.locator('summary', { hasText: 'More' }).click();
    for (const key of ['Tab', 'Shift+Tab']) {
      let reached = 0;
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press(key);
        const covered: unknown = await page.evaluate(coveredFocus);
        if (covered === 'outside') continue;
        expect(covered).toBe('');
        reached++;
      }
      expect(reached).toBeGreaterThan(20);
    }
    await page.setViewportSize({ width: 700, height: 480 });
    await page.goto(`${server.url}/explore?metric=reached`);
    const toolbar = page.getByRole('toolbar', { name: 'Query' });
    await toolbar.waitFor();
    const kept = () =>
      page.evaluate('parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)');
    // The page's bar and this one, which has two rows here.
    await vi.waitFor(
      async () => expect(await kept()).toBeGreaterThanOrEqual(48 + (await toolbar.boundingBox())!.height),
      patience,
    );
    expect((await toolbar.boundingBox())!.height).toBeGreaterThan(64);
  });

  it('a ratio of two metrics is a sentence, too', async () => {
    await open(phone);
    await sendValues(server, 'requests', { 'r-1': 10 });
    await show('/alerts/rules/new', 'New rule');
    await button('A ratio of two').click();
    await button('Metric: choose a metric').click();
    await page.getByRole('dialog').getByText('requests', { exact: true }).click();
    await button('Divisor: requests').waitFor();
    await button('Send a test').click();
    const went = page.getByRole('list', { name: 'How the test went' });
    await went.getByText('Under the bell of ada').waitFor();
    await page
      .getByText(/Would (not )?have fired/)
      .first()
      .waitFor();
    await button('Create rule').click();
    await page.getByText(/of requests divided by .* of requests is above 5.%/).waitFor();
  });
});

/** Counts the tones that the page asks the browser to play, in `tones`. */
const countTones = `
  const { start } = OscillatorNode.prototype;
  globalThis.tones = 0;
  OscillatorNode.prototype.start = function (when) {
    globalThis.tones += 1;
    start.call(this, when);
  };
`;

/** In the page: what lies over the focused field of the form, nothing, or that the focus is elsewhere. */
const coveredFocus = `(() => {
  const focused = document.activeElement;
  if (focused?.closest('main form') == null) return 'outside';
  const { left, top, width, height } = focused.getBoundingClientRect();
  const over = document.elementFromPoint(left + width / 2, top + Math.min(height / 2, 20));
  const text = (element) => element.outerHTML.slice(0, 120);
  if (over === null) return text(focused) + ' is out of sight';
  const isSame = focused.contains(over) || over.contains(focused) || over.closest('label')?.contains(focused);
  return isSame ? '' : text(focused) + ' lies below ' + text(over);
})()`;
