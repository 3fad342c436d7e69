import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Machine, machine } from './machine.ts';
import type { Outcome } from './measure.ts';
import type { Row } from './rounds.ts';

const folder = resolve(import.meta.dirname, '../../results');

/** One run of bin/bench, as it is kept in bench/results. */
export interface Recorded extends Outcome {
  recorded_at: string;
  /** `+` behind it: with changes that were not committed. */
  commit: string;
  arguments: string[];
  machine: Machine;
}

/** A figure that moved by more than a tenth since it was last recorded. */
export interface Change {
  where: string;
  name: string;
  before: number;
  now: number;
}

export function recorded(outcome: Outcome, args: readonly string[]): Recorded {
  const commit =
    git('rev-parse', '--short', 'HEAD') +
    (git('status', '--porcelain', '--', ':/', ':/!bench/results', ':/!docs/performance.md') === ''
      ? ''
      : '+');
  return {
    recorded_at: new Date().toISOString(),
    commit,
    arguments: [...args],
    machine: machine(),
    ...outcome,
  };
}

function git(...args: string[]): string {
  return spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
}

/** Writes the document; its path. Git ignores what begins with `local-`: runs on the way, not to be quoted. */
export function write(result: Recorded, name: string): string {
  mkdirSync(folder, { recursive: true });
  const kind = result.arguments.includes('--record') ? '' : 'local-';
  const path = join(folder, `${kind}${result.recorded_at.slice(0, 19).replaceAll(':', '')}-${name}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`);
  return path;
}

/** All documents of the folder, oldest first. */
function documents(): Recorded[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recorded)
    .toSorted((a, b) => a.recorded_at.localeCompare(b.recorded_at));
}

/** The newest record of each case, with the document it is in. */
export function newestRows(): { row: Row; document: Recorded }[] {
  const cases = new Map<string, { row: Row; document: Recorded }[]>();
  for (const document of documents()) {
    if (!document.arguments.includes('--record')) continue;
    for (const name of new Set(document.rows.map(caseOf)))
      cases.set(
        name,
        document.rows.filter((row) => caseOf(row) === name).map((row) => ({ row, document })),
      );
  }
  return [...cases.values()].flat();
}

/** What changed against the newest record of each row. Quick runs are compared with quick ones. */
export function changesOf(result: Recorded): Change[] {
  const quick = result.arguments.includes('--quick');
  const before = new Map<string, Row>();
  for (const old of documents()) {
    if (old.recorded_at >= result.recorded_at || old.arguments.includes('--quick') !== quick) continue;
    for (const row of old.rows) before.set(keyOf(row), row);
  }
  return result.rows.flatMap((row) =>
    Object.entries(row.figures).flatMap(([name, { median: now }]) => {
      const was = before.get(keyOf(row))?.figures[name]?.median;
      if (was === undefined || was === 0 || Math.abs(now / was - 1) <= 0.1) return [];
      return [{ where: keyOf(row), name, before: was, now }];
    }),
  );
}

function caseOf(row: Row): string {
  return `${row.measure}: ${row.case}`;
}

function keyOf(row: Row): string {
  return `${caseOf(row)}: ${row.subject}`;
}
