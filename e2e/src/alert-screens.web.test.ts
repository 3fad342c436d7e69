/**
 * Every screen about alerts, empty and full, with its dialogs, at three sizes and in both colour schemes: nothing
 * sticks out sideways, no script complains, and axe-core finds nothing.
 */
import { HttpApi } from '@nowcast/client';
import type { Rule, RuleContentInput, User } from '@nowcast/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertsOf, makeHostRule, sendValues } from '../fixtures/alerting.ts';
import { look } from './axe.ts';
import { launchBrowser, openScreen, sizes } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

/** The tablet lies between the two others, and empty screens differ least: both are for the long run. */
const [phone, , desktop] = sizes;
const isLong = process.env['NOWCAST_LONG'] === '1';

let browser: Browser;
let server: RunningServer;
let api: HttpApi;
beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startServer(['--no-collector'])]);
  api = new HttpApi({ url: server.url });
  await api.login(server.login.login, server.login.password);
});
afterAll(async () => {
  await browser.close();
  await server.destroy();
});

async function signIn(page: Page): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel('E-mail or username').fill(server.login.login);
  await page.getByLabel('Password', { exact: true }).fill(server.login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
  // What fades in has the contrast of nothing while it does.
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
}

/** Both colour schemes of what is shown; only colours can differ between them. */
async function lookTwice(page: Page, name: string, found: string[]): Promise<void> {
  await look(page, `${name}, dark`, found);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await look(page, `${name}, light`, found, 'colours');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
}

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name }).first().waitFor();

const emptyScreens: readonly [string, string][] = [
  ['/alerts', 'All is well'],
  ['/alerts/rules', 'Nothing is watched yet'],
  ['/alerts/on-call', 'Nobody takes turns yet'],
  ['/alerts/silences', 'Nothing is silenced'],
  ['/alerts/maintenance', 'No maintenance windows'],
  ['/alerts/inhibitions', 'No inhibitions of your own'],
  ['/alerts/channels', 'No channels yet'],
  ['/alerts/rules/new', 'New rule'],
];

const dialogs: readonly [path: string, button: string, title: string][] = [
  ['/alerts/on-call', 'New schedule', 'New schedule'],
  ['/alerts/on-call', 'Cover a shift of Operations', 'Cover a shift of “Operations”'],
  ['/alerts/on-call', 'Delete Operations', 'Delete “Operations”?'],
  ['/alerts/maintenance', 'Edit Nightly backup', 'Maintenance window'],
  ['/alerts/inhibitions', 'New inhibition', 'New inhibition'],
  ['/alerts/silences', 'New silence', 'New silence'],
  ['/alerts/channels', 'New channel', 'New channel'],
];

/** A rule of each kind, all settings, and alerts in each state. */
async function fill(): Promise<{ rules: Rule[]; alertId: string }> {
  await sendValues(server, 'load', { 'web-1': 95, 'web-2': 96, 'web-3': 5 });
  const load = await makeHostRule(api, 'load', { labels: { team: 'platform' } });
  const [alert, taken] = await alertsOf(api, load.rule_id, 'firing', 2);
  await api.call('POST', `/api/v1/alerts/${encodeURIComponent(taken!.alert_id)}/acknowledge`, { body: {} });
  const query = { metric_type: 'load', agg: 'avg' as const };
  const make = (name: string, evaluation: RuleContentInput['evaluation']): Promise<Rule> =>
    api.call('POST', '/api/v1/rules', { body: { name, severity: 'info', evaluation } });
  const others = [
    await make('Ratio', {
      query,
      divide_by: query,
      condition: { kind: 'threshold', op: 'outside', value: 0.5, upper: 2 },
    }),
    await make('Unusual', {
      query,
      window: '15m',
      condition: { kind: 'anomaly', direction: 'either', sensitivity: 'low' },
    }),
    await make('Parts', { condition: { kind: 'composite', mode: 'any', rule_ids: [load.rule_id] } }),
    await make('Silent', { query, window: '5m', condition: { kind: 'no_data' } }),
  ];
  const { user_id: me } = await api.call<User>('GET', '/api/v1/me');
  const now = Date.now();
  const bodies: [string, object][] = [
    [
      'schedules',
      {
        name: 'Operations',
        tz: 'Europe/Berlin',
        members: [me],
        handover_day: 1,
        handover_time: '09:00',
        starts_at: now,
        overrides: [{ user_id: me, from: now + 3_600_000, to: now + 7_200_000 }],
      },
    ],
    [
      'maintenance',
      {
        name: 'Nightly backup',
        where: { host: { regex: 'db-.*' }, severity: ['info'] },
        days: [1, 2, 3],
        start: '03:00',
        duration: '90m',
        tz: 'UTC',
      },
    ],
    [
      'inhibitions',
      { name: 'Host', source: { severity: ['critical'] }, target: { severity: ['info'] }, equal: ['host'] },
    ],
    ['silences', { where: { host: ['db-9'] }, from: now, to: now + 3_600_000, reason: 'Moving' }],
    ['channels', { name: '#ops', config: { kind: 'webhook', url: 'https://hooks.example.com/T0/x' } }],
  ];
  for (const [path, body] of bodies) await api.call('POST', `/api/v1/${path}`, { body });
  return { rules: [load, ...others], alertId: alert!.alert_id };
}

describe('screens about alerts fit and are accessible', () => {
  it.each(isLong ? sizes : [phone])('empty, on a $name', async (size) => {
    const { page, context, complaints } = await openScreen(browser, size);
    const found: string[] = [];
    try {
      await signIn(page);
      for (const [path, title] of emptyScreens) {
        await page.goto(`${server.url}${path}`);
        await heading(page, title);
        await lookTwice(page, `empty ${path}`, found);
      }
      expect([...found, ...complaints]).toEqual([]);
    } finally {
      await context.close();
    }
  });

  describe('with alerts, rules and settings', () => {
    let filled: Awaited<ReturnType<typeof fill>>;
    beforeAll(async () => {
      filled = await fill();
    });

    it.each(isLong ? sizes : [phone, desktop])('on a $name', async (size) => {
      const { page, context, complaints } = await openScreen(browser, size);
      const found: string[] = [];
      const check = async (path: string, ready: () => Promise<unknown>) => {
        await page.goto(`${server.url}${path}`);
        await ready();
        // All of it at once: what lies half behind the bar at the bottom can be scrolled out of there.
        const height = await page.evaluate<number>('document.documentElement.scrollHeight');
        await page.setViewportSize({ width: size.viewport.width, height });
        await lookTwice(page, path, found);
        await page.setViewportSize(size.viewport);
      };
      const list = (name: string) => () =>
        page.getByRole('list', { name }).getByRole('listitem').first().waitFor();
      try {
        await signIn(page);
        await check('/alerts', list('Firing'));
        await check('/alerts?state=acknowledged', list('Acknowledged'));
        await check(`/alerts/${encodeURIComponent(filled.alertId)}`, () => heading(page, 'What happened'));
        await check('/alerts/rules', list('Rules'));
        for (const { rule_id: id, name } of filled.rules)
          await check(`/alerts/rules/${id}`, async () => {
            await heading(page, name);
            await page.locator('summary', { hasText: 'More' }).click();
            if (name !== 'Parts')
              await page
                .getByText(/Would (not )?have fired|No data/)
                .first()
                .waitFor();
          });
        await check('/alerts/on-call', list('Schedules'));
        await check('/alerts/silences', list('Silences'));
        await check('/alerts/maintenance', list('Maintenance windows'));
        await check('/alerts/inhibitions', list('Inhibitions'));
        await check('/alerts/channels', list('Channels'));
        await check('/alerts/notifications', () => heading(page, 'How I am told'));
        for (const [path, button, title] of dialogs) {
          await page.goto(`${server.url}${path}`);
          await page.getByRole('button', { name: button, exact: true }).click();
          await page.getByRole('dialog', { name: title }).waitFor();
          await lookTwice(page, title, found);
        }
        expect([...found, ...complaints]).toEqual([]);
      } finally {
        await context.close();
      }
    });
  });
});
