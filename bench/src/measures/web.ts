import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeDeltaBody, decodeFrame } from '@nowcast/contract';
import { launchBrowser, openScreen, sizes } from '@nowcast/e2e/browser';
import type { CDPSession, Page } from 'playwright-core';
import { quantile } from '../harness/machine.ts';
import {
  check,
  figure,
  type Measure,
  type Options,
  type Outcome,
  runsOf,
  wanted,
} from '../harness/measure.ts';
import { interleave, type Run, type Subject } from '../harness/rounds.ts';
import { feed } from '../servers/feed.ts';
import { type Netdata, startNetdata } from '../servers/netdata.ts';
import { type Nowcast, startNowcast } from '../servers/nowcast.ts';

const panels = 12;
const series = 4;
const hz = 10;
const windowSeconds = 12;
const name = '12 panels at 10 Hz in Chromium';
const long = 'heap after ten minutes';
const longMs = 600_000;

/** A moment after the page was opened: what opening it costs is not what watching it costs. */
const warmUpMs = 10_000;

/**
 * The page itself, from the real server, in a headless Chromium that draws in software; and Netdata's, which asks for
 * the charts of this machine that are in sight once a second. Each is open in its own turns only. With `--full`
 * ours is then opened once more, for ten minutes, and what its heap has become is looked at.
 */
export const web: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  const isLong = options.full && wanted(options, long);
  if (!wanted(options, name) && !isLong) return outcome;
  buildPage();
  const server = await startNowcast();
  const netdata = options.peers ? await startNetdata() : undefined;
  const stop = await feed(server, { views: panels, series, hz });
  const browser = await launchBrowser();
  try {
    const address = await makeBoard(server);
    const own = await pageFor(browser);
    await signIn(own.page, server);
    const subjects = [watcher('nowcast', own, () => openBoard(own.page, address), options)];
    if (netdata !== undefined) {
      const theirs = await pageFor(browser);
      subjects.push(watcher('netdata', theirs, () => openNetdata(theirs.page, netdata), options));
    }
    const rounds = { measure: 'web', case: name, runs: runsOf(options, 5), settleMs: 500 };
    if (wanted(options, name)) outcome.rows.push(...(await interleave(subjects, rounds)));
    if (isLong) {
      const run = () => staysSmall(own, () => openBoard(own.page, address));
      const once = { ...rounds, case: long, runs: 1, warmUps: 0 };
      outcome.rows.push(...(await interleave([{ name: 'nowcast', run }], once)));
    }
  } finally {
    await browser.close();
    await stop();
    await server.destroy();
    await netdata?.destroy();
  }
  const of = (what: string) => figure(outcome.rows, { case: name, subject: 'nowcast', name: what });
  outcome.checks.push(
    ...check('web', 'main thread busy, %', of('main_thread_percent'), '≤', 40),
    ...check('web', 'long tasks in 12 s', of('long_tasks'), '≤', 2),
    ...check('web', 'worst interaction, ms', of('worst_interaction_ms'), '≤', 200),
    ...check('latency', 'to the pixel, p50 ms', of('painted_p50_ms'), '≤', 50),
    ...check('latency', 'to the pixel, p99 ms', of('painted_p99_ms'), '≤', 150),
    ...check(
      'web',
      `${long}, MiB more`,
      figure(outcome.rows, { case: long, subject: 'nowcast', name: 'heap_growth_mib' }),
      '≤',
      5,
    ),
  );
  return outcome;
};

interface Watched {
  page: Page;
  devtools: CDPSession;
}

async function pageFor(browser: Awaited<ReturnType<typeof launchBrowser>>): Promise<Watched> {
  const { page } = await openScreen(browser, sizes[2]);
  await page.addInitScript(probe);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  return { page, devtools };
}

function watcher(subject: string, watched: Watched, open: () => Promise<void>, options: Options): Subject {
  return {
    name: subject,
    async run() {
      await open();
      await delay(warmUpMs);
      const run = await look(watched.page, watched.devtools, options);
      await watched.page.goto('about:blank');
      return run;
    },
  };
}

/** What the server serves: the page as it is built from these sources. */
function buildPage(): void {
  const root = resolve(import.meta.dirname, '../../..');
  const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'build:web'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the page cannot be built:\n${stdout}${stderr}`);
}

/**
 * In the page: long tasks, slow interactions, and for each frame of the socket when the picture after it was drawn: the
 * frame of the screen that follows the message and the one after that, when the first is on the screen.
 */
const probe = `(() => {
  const seen = (window.seen = { longTasks: 0, interactions: [], frames: [] });
  new PerformanceObserver((list) => (seen.longTasks += list.getEntries().length)).observe({ type: 'longtask' });
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.interactions.push(duration);
  }).observe({ type: 'event', durationThreshold: 16 });
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        const bytes = Array.from(new Uint8Array(data));
        requestAnimationFrame(() => requestAnimationFrame(() => seen.frames.push([Date.now(), bytes])));
      });
    }
  };
})()`;

interface Seen {
  longTasks: number;
  interactions: number[];
  frames: [paintedAt: number, bytes: number[]][];
}

/** Makes the board; its address. */
async function makeBoard(server: Nowcast): Promise<string> {
  const content = {
    title: 'Bench',
    panels: Array.from({ length: panels }, (_, i) => ({
      visualization_id: `p${i}`,
      title: `Load ${i}`,
      metric_type: `load_${i}`,
      chart_type: 'line',
      query: { group_by: ['host'], agg: 'last', step: '1s' },
      layout: { x: (i % 4) * 3, y: Math.floor(i / 4) * 8, w: 3, h: 8 },
      display: {},
    })),
  };
  const board = await server.api.call<{ board_id: string }>('POST', '/api/v1/boards', { body: { content } });
  return `${server.url}/boards/${board.board_id}`;
}

async function signIn(page: Page, server: Nowcast): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel('E-mail or username').fill(server.login.login);
  await page.getByLabel('Password', { exact: true }).fill(server.login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

async function openBoard(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page
    .locator('canvas')
    .nth(panels - 1)
    .waitFor();
}

async function openNetdata(page: Page, { port }: Netdata): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.locator('canvas').first().waitFor();
}

async function look(page: Page, devtools: CDPSession, options: Options): Promise<Run> {
  await forget(page);
  const heapBefore = await heapBytes(devtools);
  const before = { at: performance.now(), busy: await busySeconds(devtools) };
  // Somebody moves over the charts and clicks in one, as people do.
  const seconds = options.quick ? windowSeconds / 2 : windowSeconds;
  for (let i = 0; i < seconds * 2; i++) {
    await page.mouse.move(100 + ((i * 97) % 1200), 150 + ((i * 53) % 600));
    if (i % 6 === 0) await page.mouse.click(1300, 20);
    await delay(500);
  }
  const after = { at: performance.now(), busy: await busySeconds(devtools) };
  const seen = await page.evaluate<Seen>('seen');
  const painted = seen.frames.flatMap(([at, bytes]) => {
    const frame = decodeFrame(Uint8Array.from(bytes));
    const newest = frame.type === 2 ? decodeDeltaBody(frame.body).newest : 0;
    return newest === 0 ? [] : [at - newest];
  });
  return {
    figures: {
      main_thread_percent: ((after.busy - before.busy) / ((after.at - before.at) / 1000)) * 100,
      long_tasks: seen.longTasks * (windowSeconds / seconds),
      worst_interaction_ms: Math.max(0, ...seen.interactions),
      // Only ours is told when a point came.
      ...(painted.length === 0
        ? {}
        : {
            painted_p50_ms: quantile(painted, 0.5),
            painted_p99_ms: quantile(painted, 0.99),
            frames_per_second: seen.frames.length / seconds,
          }),
      heap_growth_mib: ((await heapBytes(devtools)) - heapBefore) / 2 ** 20,
    },
  };
}

/** How much larger the heap is after ten minutes of watching, garbage apart. */
async function staysSmall({ page, devtools }: Watched, open: () => Promise<void>): Promise<Run> {
  await open();
  await delay(warmUpMs);
  await forget(page);
  const before = await heapBytes(devtools);
  for (let i = 0; i < longMs / 1000; i++) {
    await page.mouse.move(100 + ((i * 97) % 1200), 150 + ((i * 53) % 600));
    await delay(1000);
    // What the probe notes is not the page's.
    await forget(page);
  }
  return { figures: { heap_growth_mib: ((await heapBytes(devtools)) - before) / 2 ** 20 } };
}

function forget(page: Page): Promise<unknown> {
  return page.evaluate('seen.longTasks = 0; seen.interactions = []; seen.frames = []');
}

async function busySeconds(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name: of }) => of === 'TaskDuration')!.value;
}

/** Objects, and the array buffers that the samples of the charts are in. */
async function heapBytes(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize } = await devtools.send('Runtime.getHeapUsage');
  return usedSize + backingStorageSize;
}
