/**
 * C9 in a real browser: markup that would run stands in every text of the product, from the organisation's name to the
 * label of a point, and is shown as the text it is. Nothing runs, nothing becomes an element, and the policy that
 * would have stopped it never has to.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chartTypes } from '@nowcast/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { patience } from '../fixtures/live-peer.ts';
import { callAs, logIn, type Person, personOf } from '../fixtures/people.ts';
import { launchBrowser, openScreen, type Screen, sizes } from './browser.ts';
import { serve } from './server.ts';

const attack = `"'><b data-ran><img src=x onerror=ran=1><script>ran=1</script>\${ran=1}`;
/** The attack as the text of one field; the name tells which field it is when it is (not) found on a page. */
const evil = (field: string): string => `${attack} ${field}`;

const password = 'correct horse battery';

let browser: Browser;
let server: Awaited<ReturnType<typeof serve>>;
let screen: Screen;
let page: Page;
let boardId: string;
let violations: string[];

beforeAll(async () => {
  server = await serve(mkdtempSync(join(tmpdir(), 'nowcast-payloads-')), { args: ['--no-collector'] });
  const owner = await setUp();
  await sendPoints(owner);
  boardId = await makeBoard(owner);
  browser = await launchBrowser();
  screen = await openScreen(browser, sizes[2]);
  ({ page } = screen);
  violations = [];
  await page.exposeFunction('reportViolation', (what: string) => violations.push(what));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => reportViolation(e.violatedDirective + ' ' + e.blockedURI))",
  );
  await signIn();
});
afterAll(async () => {
  await screen?.context.close();
  await browser?.close();
  await server?.destroy();
});

async function setUp(): Promise<Person> {
  const token = await vi.waitFor(() => {
    const found = /setup\?token=(\S+)/.exec(server.output())?.[1];
    expect(found).toBeDefined();
    return found;
  }, patience);
  const names = { organisation: evil('organisation'), name: evil('owner'), username: 'ada' };
  const made = await fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, ...names, email: "o'hara+&={}`@example.com", password }),
  });
  expect(made.status).toBe(200);
  const device = { 'User-Agent': evil('device') };
  const owner = await personOf('ada', await logIn(server.url, { login: 'ada', password }, device));
  const other = {
    name: evil('colleague'),
    username: 'bob',
    email: 'bob@example.com',
    password,
    role: 'viewer',
  };
  expect((await callAs(owner, server.url, 'POST', '/api/v1/users', other)).status).toBe(201);
  return owner;
}

async function sendPoints(owner: Person): Promise<void> {
  const made = await callAs(owner, server.url, 'POST', '/api/v1/keys', { name: evil('key') });
  const { secret } = (await made.json()) as { secret: string };
  const points = [0, 1, 2].map((age) => ({
    metric_type: evil('metric'),
    value: age + 1,
    timestamp: Date.now() - age * 1000,
    labels: { [evil('label')]: evil('value') },
    actor: evil('actor'),
    message: evil('message'),
  }));
  const answer = await fetch(`${server.url}/api/v1/ingest`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secret}` },
    body: JSON.stringify(points),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
}

async function makeBoard(owner: Person): Promise<string> {
  const panels = chartTypes.map((chart_type, i) => ({
    visualization_id: `p${i}`,
    title: evil(`panel ${chart_type}`),
    metric_type: evil('metric'),
    chart_type,
    query: { group_by: [evil('label')], ...(chart_type === 'feed' ? { agg: 'none' } : {}) },
    layout: { x: (i % 3) * 4, y: Math.floor(i / 3) * 8, w: 4, h: 8 },
    display: {},
  }));
  const variable = { label: evil('label'), title: evil('variable'), metric_type: evil('metric') };
  const content = {
    title: evil('board'),
    description: evil('description'),
    shared: true,
    variables: [variable],
    panels,
  };
  const made = await callAs(owner, server.url, 'POST', '/api/v1/boards', { content });
  expect([made.status, await made.clone().text()]).toEqual([201, expect.any(String)]);
  return ((await made.json()) as { board_id: string }).board_id;
}

async function signIn(): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel('E-mail or username').fill('ada');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

/** What the page shows or has in its fields and names, in lower case, since styles may change the case. */
function shown(): Promise<string> {
  return page.evaluate<string>(`[document.body.innerText, document.title,
    ...[...document.querySelectorAll('input,textarea,select')].map((field) => field.value),
    ...[...document.querySelectorAll('[title],[aria-label]')].map((e) => e.title + ' ' + e.ariaLabel)]
    .join(' ').toLowerCase()`);
}

/** Every one of these fields is on the page, as it was written, and none of them did anything. */
async function expectHarmless(...fields: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const text = await shown();
    expect(fields.filter((field) => !text.includes(evil(field).toLowerCase()))).toEqual([]);
  }, patience);
  expect(await page.evaluate('window.ran')).toBeUndefined();
  expect(await page.locator('[data-ran]').count()).toBe(0);
  expect([...violations, ...screen.complaints]).toEqual([]);
}

it('the attack runs, and is an element, where nothing holds it', async () => {
  const bare = await screen.context.newPage();
  await bare.setContent(`<p title="${evil('title')}">`);
  await bare.waitForFunction('window.ran === 1');
  expect(await bare.locator('[data-ran]').count()).toBe(1);
  await bare.close();
});

it('C9: the list of boards', async () => {
  await page.goto(`${server.url}/boards`);
  await expectHarmless('board', 'description');
});

it('C9: a board with every kind of panel, looked at and edited', async () => {
  await page.goto(`${server.url}/boards/${boardId}`);
  await expectHarmless(
    'board',
    'variable',
    'value',
    'actor',
    'message',
    ...chartTypes.map((type) => `panel ${type}`),
  );
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  await page.getByRole('button', { name: `Menu of ${evil('panel table')}`, exact: true }).click();
  await expectHarmless('panel table');
  await page.getByRole('menuitem', { name: /Edit/ }).click();
  await page.getByRole('button', { name: 'Close editor' }).waitFor();
  await expectHarmless('panel table', 'metric', 'label');
});

it('C9: Explore, with everything in the address', async () => {
  const address = { metric: evil('metric'), by: JSON.stringify([evil('label')]), agg: 'avg' };
  await page.goto(`${server.url}/explore?${new URLSearchParams(address).toString()}`);
  await expectHarmless('metric', 'value');
  const more = { ...address, below: 'log', tz: evil('zone'), from: evil('from'), chart: evil('chart') };
  await page.goto(`${server.url}/explore?${new URLSearchParams(more).toString()}`);
  await expectHarmless('metric');
});

it('C9: sources, people and one’s own profile', async () => {
  await page.goto(`${server.url}/sources`);
  await expectHarmless('key');
  await page.goto(`${server.url}/admin`);
  await expectHarmless('owner', 'colleague', 'organisation');
  await page.goto(`${server.url}/profile`);
  await expectHarmless('owner', 'organisation', 'device');
});

it('C9: addresses made of nothing else', async () => {
  const piece = encodeURIComponent(evil('address'));
  for (const path of [
    piece,
    `boards/${piece}`,
    `boards/${boardId}?from=${piece}&to=${piece}&where=${piece}&tz=${piece}&${piece}=${piece}`,
    `explore?metric=${piece}&where=${piece}`,
    `setup?token=${piece}`,
    `alerts/${piece}`,
    `?${piece}#${piece}`,
    `sources?${piece}`,
  ]) {
    await page.goto(`${server.url}/${path}`);
    await page.locator('h1,h2,button,a').first().waitFor();
    await expectHarmless();
  }
  await page.context().clearCookies();
  for (const query of [`error=${piece}`, `next=${piece}`, `next=/${piece}`, `next=javascript:ran=1`]) {
    await page.goto(`${server.url}/login?${query}`);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await expectHarmless();
  }
  await signIn();
  await expectHarmless();
});
