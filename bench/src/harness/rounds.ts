import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, median, processorTime } from './machine.ts';
import { isOver } from './stop.ts';

/** One of those compared in a case: Nowcast, a peer, or a limit. */
export interface Subject {
  name: string;
  /** Whose processor time counts, children included; without it only what `run` returns is reported. */
  pid?: number;
  run(): Promise<Run>;
}

/** What one run brought. */
export interface Run {
  /** By name; the unit is in the name. */
  figures: Record<string, number>;
  /** Points, frames …: reported as `NAME_per_cpu_second`. */
  work?: { name: string; amount: number };
}

export interface Figure {
  median: number;
  min: number;
  max: number;
}

/** The figures of one subject in one case. */
export interface Row {
  measure: string;
  case: string;
  subject: string;
  figures: Record<string, Figure>;
  runs: number;
  /** Runs in which something else used more than a tenth of the machine, or its host took more than 2 % of it. */
  noisy_runs: number;
}

export interface Rounds {
  measure: string;
  case: string;
  runs: number;
  warmUps?: number;
  /** How long a server is left alone before its next run, at least. */
  settleMs?: number;
}

interface Taken extends Run {
  noisy: boolean;
  cpuBefore: number;
  cpuUsed?: number;
}

/**
 * Runs the subjects in turn (A B C, A B C, …) and gives the medians. A subject's processor time is counted from the
 * beginning of a run to the beginning of its next one: what a server puts off (merges, flushes, compactions) is in it.
 */
export async function interleave(subjects: readonly Subject[], rounds: Rounds): Promise<Row[]> {
  const { runs, warmUps = 1, settleMs = 2000 } = rounds;
  const taken = subjects.map(() => [] as Taken[]);
  const settle = (i: number) => {
    const { pid } = subjects[i]!;
    const last = taken[i]!.at(-1);
    if (last !== undefined && pid !== undefined) last.cpuUsed = cpuSeconds(pid) - last.cpuBefore;
  };
  for (let round = 0; round < warmUps + runs; round++) {
    for (const [i, subject] of subjects.entries()) {
      if (isOver()) break;
      await delay(settleMs / subjects.length);
      settle(i);
      console.error(
        `${rounds.measure}, ${rounds.case}: ${subject.name}, run ${round + 1} of ${warmUps + runs}`,
      );
      taken[i]!.push(await watch(subject));
    }
  }
  await delay(settleMs);
  subjects.forEach((_, i) => settle(i));
  return subjects
    .map((subject, i) => rowOf(subject, taken[i]!.slice(warmUps), rounds))
    .filter(({ runs: done }) => done > 0);
}

async function watch(subject: Subject): Promise<Taken> {
  const cpuBefore = subject.pid === undefined ? 0 : cpuSeconds(subject.pid);
  const sample = () => ({ at: performance.now(), ours: cpuSeconds(process.pid), ...processorTime() });
  const before = sample();
  const run = await subject.run();
  const after = sample();
  const available = ((after.at - before.at) / 1000) * availableParallelism();
  const others = after.busy - before.busy - (after.ours - before.ours);
  const noisy = others > 0.1 * available || after.steal - before.steal > 0.02 * available;
  return { ...run, noisy, cpuBefore };
}

function rowOf(subject: Subject, taken: readonly Taken[], rounds: Rounds): Row {
  const perRun = taken.map(({ figures, work, cpuUsed }) =>
    work === undefined || cpuUsed === undefined
      ? figures
      : { [`${work.name}_per_cpu_second`]: work.amount / Math.max(cpuUsed, 0.01), ...figures },
  );
  const names = Object.keys(perRun[0] ?? {});
  return {
    measure: rounds.measure,
    case: rounds.case,
    subject: subject.name,
    figures: Object.fromEntries(names.map((name) => [name, figureOf(perRun.map((run) => run[name]!))])),
    runs: taken.length,
    noisy_runs: taken.filter(({ noisy }) => noisy).length,
  };
}

export function figureOf(values: readonly number[]): Figure {
  return {
    median: rounded(median(values)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
  };
}

/** Four significant digits are more than any of these figures deserves. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
