import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { dataFolder } from '../harness/cache.ts';
import { get } from '../harness/http-client.ts';
import { load } from '../harness/load.ts';
import { median, residentBytes } from '../harness/machine.ts';
import {
  check,
  figure,
  type Measure,
  type Options,
  type Outcome,
  runsOf,
  wanted,
} from '../harness/measure.ts';
import { warmedUp, withNothingHeld } from '../servers/nowcast.ts';
import { figureOf, interleave, type Row, type Run } from '../harness/rounds.ts';
import { dropFromPageCache } from '../harness/storage.ts';
import { coldBoard, measureColdBoard } from './cold-board.ts';
import {
  historyOf,
  type History,
  type Question,
  querySubjects,
  type QuerySubject,
  questions,
  type RunningSubject,
  series,
} from './query-subjects.ts';

const warmRequests = 15;
/** Asked of every server before it is measured warm: what runs for weeks has its code compiled and its pages read. */
const warmUpRequests = 60;
const mostMsOfQuestion = 3000;
const underIngest = 'warm, under 50k points/s';
const pointsPerSecond = 50_000;
/** Longer than all questions take, three seconds at most each. */
const loadSeconds = 14;

/**
 * Questions of boards over 30 days of 1,000 series: warm (the median of fifteen of each run, after sixty that do not
 * count, or as many as three seconds take), cold (the first after a restart, with the files dropped from the page
 * cache), and while 50,000 points a second come in. Nobody has a cache of results. Data are loaded once; `--data DIR`
 * keeps them for another run.
 */
export const query: Measure = async (options) => {
  const outcome: Outcome = { rows: [], checks: [] };
  const folder = options.data ?? dataFolder('query');
  try {
    mkdirSync(folder, { recursive: true });
    const history = historyOf(
      options.full ? 50_000_000 : options.quick ? 2_000_000 : 20_000_000,
      loadedAt(folder),
    );
    const subjects = querySubjects(folder, history, options.peers);
    for (const subject of subjects) outcome.rows.push(await fill(subject, history));
    if (wanted(options, 'warm')) outcome.rows.push(...(await warm(subjects, options)));
    if (wanted(options, 'cold')) outcome.rows.push(...(await cold(subjects, options)));
    if (wanted(options, coldBoard))
      outcome.rows.push(...(await measureColdBoard(subjects[0]!.folder, history, options)));
    // Last: it adds points to what is stored.
    if (wanted(options, underIngest)) outcome.rows.push(...(await warmUnderIngest(subjects, options)));
    outcome.notes = [
      `${history.points} points of ${series} series, one every ${history.stepMs / 1000} s of each`,
    ];
  } finally {
    if (options.data === undefined) rmSync(folder, { recursive: true, force: true });
  }
  outcome.checks.push(...checksOf(outcome));
  return options.full ? named(outcome, '50 M points') : outcome;
};

/** The same with a word before every case and check: they stand beside those of the usual size. */
function named(outcome: Outcome, size: string): Outcome {
  const rows = outcome.rows.map((row) => ({ ...row, case: `${size}, ${row.case}` }));
  const checks = outcome.checks.map((one) => ({ ...one, what: `${size}, ${one.what}` }));
  return { ...outcome, rows, checks };
}

/** When the data of a folder were loaded: the questions' times follow from it. */
function loadedAt(folder: string): number {
  const file = join(folder, 'loaded-at');
  if (!existsSync(file)) writeFileSync(file, String(Date.now()));
  return Number(readFileSync(file, 'utf8'));
}

/** Loads what is missing, and says what it takes on disk and in memory once everything is where it stays. */
async function fill(subject: QuerySubject, history: History): Promise<Row> {
  const done = join(subject.folder, '..', `${subject.name}.json`);
  if (!existsSync(done)) {
    console.error(`query: loading ${history.points} points into ${subject.name}`);
    const server = await subject.start();
    await load({
      port: server.port,
      path: server.loadPath,
      headers: server.loadHeaders,
      series,
      batch: 5000,
      connections: 2,
      points: history.points,
      startMs: history.startMs,
      stepMs: history.stepMs,
    });
    await subject.settled(server);
    const resident = residentBytes(server.pid);
    await server.stop();
    const again = await subject.start();
    await subject.settled(again);
    await again.stop();
    const perPoint = Object.entries(subject.disk()).map(([name, bytes]) => [
      `${name}_a_point`,
      bytes / history.points,
    ]);
    const figures = { ...Object.fromEntries(perPoint), resident_mib: resident / 2 ** 20 };
    writeFileSync(done, JSON.stringify(figures));
  }
  const figures = JSON.parse(readFileSync(done, 'utf8')) as Record<string, number>;
  return {
    measure: 'query',
    case: 'stored',
    subject: subject.name,
    figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, figureOf([value])])),
    runs: 1,
    noisy_runs: 0,
  };
}

async function askAll(server: RunningSubject): Promise<Run> {
  const figures: Record<string, number> = {};
  for (const question of questions)
    figures[`${question}, ms`] = median(await askOften(server, question, warmRequests));
  return { figures };
}

/** Milliseconds of each answer. A server that takes seconds is asked three times. */
async function askOften(server: RunningSubject, question: Question, requests: number): Promise<number[]> {
  const times: number[] = [];
  for (const until = performance.now() + mostMsOfQuestion; times.length < requests;) {
    if (times.length >= 3 && performance.now() > until) break;
    times.push(await ask(server, question));
  }
  return times;
}

async function ask(server: RunningSubject, question: Question): Promise<number> {
  const { path, headers } = server.question(question);
  const { body, ms } = await get(server.port, path, headers);
  if (body.length < 200) throw new Error(`an empty answer to ${path}: ${body}`);
  return ms;
}

async function warmUp(running: readonly RunningSubject[]): Promise<void> {
  for (const server of running)
    for (const question of questions) await askOften(server, question, warmUpRequests);
}

async function warm(subjects: readonly QuerySubject[], options: Options): Promise<Row[]> {
  const running = await Promise.all(subjects.map((subject) => subject.start()));
  try {
    await warmUp(running);
    const asked = subjects.map(({ name }, i) => ({ name, run: () => askAll(running[i]!) }));
    const rounds = { measure: 'query', case: 'warm', runs: runsOf(options), settleMs: 200 };
    return await interleave(asked, rounds);
  } finally {
    for (const server of running) await server.stop();
  }
}

/** The same questions while 50,000 points a second of the same series come in; each server has its load by itself. */
async function warmUnderIngest(subjects: readonly QuerySubject[], options: Options): Promise<Row[]> {
  const running = await Promise.all(subjects.map((subject) => subject.start()));
  const nextMs = running.map(() => 0);
  try {
    await warmUp(running);
    const asked = subjects.map(({ name }, i) => ({
      name,
      run: async () => {
        const { port, loadPath, loadHeaders } = running[i]!;
        const startMs = Math.max(nextMs[i]!, Date.now());
        const background = load({
          port,
          path: loadPath,
          headers: loadHeaders,
          series,
          batch: 500,
          connections: 4,
          rate: pointsPerSecond,
          seconds: loadSeconds,
          startMs,
          stepMs: (series / pointsPerSecond) * 1000,
        });
        await delay(1000);
        const { figures } = await askAll(running[i]!);
        const { p99_ms: ingestP99, next_ms: next } = await background;
        nextMs[i] = next;
        return { figures: { ...figures, ingest_p99_ms: ingestP99 } };
      },
    }));
    const rounds = { measure: 'query', case: underIngest, runs: runsOf(options, 3), settleMs: 200 };
    return await interleave(asked, rounds);
  } finally {
    for (const server of running) await server.stop();
  }
}

async function cold(subjects: readonly QuerySubject[], options: Options): Promise<Row[]> {
  await holdAnswers(subjects[0]!);
  const asked = subjects.map((subject) => ({ name: subject.name, run: () => askCold(subject) }));
  const own = subjects[0]!;
  asked.push({
    name: `${own.name}, nothing held`,
    run: () => withNothingHeld(own.folder, () => askCold(own)),
  });
  return interleave(asked, {
    measure: 'query',
    case: 'cold',
    runs: runsOf(options, 3),
    warmUps: 0,
    settleMs: 0,
  });
}

/** What people ask every day is in our server's memory when it is stopped. */
async function holdAnswers(own: QuerySubject): Promise<void> {
  const server = await own.start();
  try {
    for (const question of questions) await ask(server, question);
    await warmedUp(server.port);
  } finally {
    await server.stop();
  }
}

/**
 * Each question is the first that the server is asked. Ours still has what it was asked before it was stopped, unless
 * that was taken away.
 */
async function askCold(subject: QuerySubject): Promise<Run> {
  const figures: Record<string, number> = {};
  for (const question of questions) {
    dropFromPageCache(subject.folder);
    const server = await subject.start();
    try {
      figures[`${question}, ms`] = await ask(server, question);
    } finally {
      await server.stop();
    }
  }
  return { figures };
}

function checksOf({ rows }: Outcome) {
  const of = (name: string, question: string, subject = 'nowcast') =>
    figure(rows, { case: name, subject, name: `${question}, ms` });
  const [one, month, top, p99] = questions;
  const stored = (subject: string, name: string) => figure(rows, { case: 'stored', subject, name });
  const peer = 'victoria-metrics';
  return [
    ...check('query', `warm: ${one}, ms`, of('warm', one), '≤', 2),
    ...check('query', `warm: ${month}, ms`, of('warm', month), '≤', 20),
    ...check(
      'query',
      `warm: ${month}, times VictoriaMetrics`,
      of('warm', month) / of('warm', month, peer),
      '≤',
      0.4,
    ),
    ...check('query', `warm: ${top}, ms`, of('warm', top), '≤', 8),
    ...check('query', `warm: ${p99}, ms`, of('warm', p99), '≤', 15),
    ...questions.flatMap((question) =>
      check(
        'query',
        `cold: ${question}, times VictoriaMetrics`,
        of('cold', question) / of('cold', question, peer),
        '≤',
        1,
      ),
    ),
    ...check(
      'query',
      `${coldBoard}, ms`,
      figure(rows, { case: coldBoard, subject: 'nowcast', name: 'board_ms' }),
      '≤',
      300,
    ),
    ...check('query', 'raw bytes a point', stored('nowcast', 'points_bytes_a_point'), '≤', 1),
    ...check(
      'query',
      'raw bytes a point, times VictoriaMetrics',
      stored('nowcast', 'points_bytes_a_point') / stored(peer, 'points_bytes_a_point'),
      '≤',
      1,
    ),
    ...check('query', 'bytes of states a point', stored('nowcast', 'states_bytes_a_point'), '≤', 1.5),
  ];
}
