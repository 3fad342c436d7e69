import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Check } from './measure.ts';
import { checkText, short } from './report.ts';
import { newestRows, type Recorded } from './results.ts';
import type { Row } from './rounds.ts';

const page = resolve(import.meta.dirname, '../../../docs/performance.md');
const begin = '<!-- figures: written by bin/bench page -->';
const end = '<!-- end of figures -->';

/** Puts the newest recorded figures into docs/performance.md, between its two marks. */
export function writePerformancePage(): void {
  const text = readFileSync(page, 'utf8');
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  const after = text.slice(text.indexOf(end));
  const newest = newestRows();
  const measures = [...new Set(newest.map(({ row }) => row.measure))];
  const checks = [...new Set(newest.map(({ document }) => document))]
    .toSorted((a, b) => a.recorded_at.localeCompare(b.recorded_at))
    .flatMap((one) => one.checks);
  const parts = measures.map((measure) =>
    section(
      measure,
      newest.filter(({ row }) => row.measure === measure),
      checks.filter((one) => one.measure === measure),
    ),
  );
  writeFileSync(page, `${before}\n\n${parts.join('\n\n')}\n\n${after}`);
}

type Newest = ReturnType<typeof newestRows>;

function section(measure: string, newest: Newest, checks: readonly Check[]): string {
  const lines = [`### ${measure}`];
  for (const name of new Set(newest.map(({ row }) => row.case)))
    lines.push('', ...table(newest.filter(({ row }) => row.case === name)));
  const documents = [...new Set(newest.map(({ document }) => document))];
  const latest = [...new Map(checks.map((one) => [one.what, one])).values()];
  if (latest.length > 0) lines.push('', '| Must hold | Limit | Measured | |', '|---|---|---|---|');
  for (const one of latest) {
    const [holds, , got, limit] = checkText(one);
    lines.push(`| ${one.what} | ${limit} | ${got} | ${holds?.trim() === 'holds' ? 'holds' : '**missed**'} |`);
  }
  const notes = [...new Set(documents.flatMap(({ notes: all = [] }) => all))];
  return [...lines, ...notes.map((note) => `\n${note}.`)].join('\n');
}

function table(newest: Newest): string[] {
  const { row, document } = newest[0]!;
  const rows = newest.map((one) => one.row);
  const columns = [...new Set(rows.flatMap((one) => Object.keys(one.figures)))];
  return [
    `**${row.case}** (${runsText(rows)}${conditions(rows, document)})`,
    '',
    `| | ${columns.map((column) => column.replaceAll('_', ' ')).join(' | ')} |`,
    `|---|${columns.map(() => '---:').join('|')}|`,
    ...rows.map((one) => `| ${one.subject} | ${columns.map((column) => cell(one, column)).join(' | ')} |`),
  ];
}

function runsText(rows: readonly Row[]): string {
  const runs = rows.map((one) => one.runs);
  const [least, most] = [Math.min(...runs), Math.max(...runs)];
  if (most === 1) return '1 run';
  return least === most ? `${most} runs` : `${least} to ${most} runs`;
}

/** When, on which commit, and whether the machine was quiet. */
function conditions(
  rows: readonly Row[],
  { recorded_at, commit, machine, arguments: args }: Recorded,
): string {
  const noisy = rows.reduce((sum, one) => sum + one.noisy_runs, 0);
  const all = rows.reduce((sum, one) => sum + one.runs, 0);
  const noise = noisy === 0 ? '' : `; ${noisy} of ${all} runs with other work on the machine`;
  const short = args.includes('--quick') ? ', quick' : '';
  return `${short}, ${recorded_at.slice(0, 10)}, ${commit}, load ${machine.load}${noise}`;
}

function cell(row: Row, column: string): string {
  const figure = row.figures[column];
  return figure === undefined ? '' : short(figure.median);
}
