import type { Change } from './results.ts';
import type { Check } from './measure.ts';
import type { Row } from './rounds.ts';

/** A figure as people read it: 2.51 M, 18.4 k, 0.37. */
export function short(value: number): string {
  if (Number.isNaN(value)) return '–';
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e4],
  ] as const)
    if (Math.abs(value) >= size)
      return `${Number((value / (unit === 'k' ? 1e3 : size)).toPrecision(3))} ${unit}`;
  return String(Number(value.toPrecision(3)));
}

/** The rows of one case: a subject a line, a figure a column; the spread of the first figure beside it. */
export function printRows(rows: readonly Row[]): void {
  for (const name of new Set(rows.map((row) => `${row.measure}: ${row.case}`))) {
    const group = rows.filter((row) => `${row.measure}: ${row.case}` === name);
    const columns = [...new Set(group.flatMap((row) => Object.keys(row.figures)))];
    console.log(`\n${name}`);
    printTable([
      ['', ...columns, ''],
      ...group.map((row) => [
        row.subject,
        ...columns.map((column) => cell(row, column)),
        row.noisy_runs > 0 ? `noisy: ${row.noisy_runs} of ${row.runs} runs` : '',
      ]),
    ]);
  }
}

function cell(row: Row, column: string): string {
  const figure = row.figures[column];
  if (figure === undefined) return '';
  if (figure.min === figure.max) return short(figure.median);
  return `${short(figure.median)} (${short(figure.min)}–${short(figure.max)})`;
}

export function printTable(lines: readonly (readonly string[])[]): void {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  for (const line of lines)
    console.log(
      line
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    );
}

export function printChecks(checks: readonly Check[]): void {
  if (checks.length === 0) return;
  console.log('\nMust hold');
  printTable(checks.map(checkText));
}

export function checkText({ measure, what, limit, got, holds }: Check): string[] {
  return [holds ? 'holds ' : 'MISSED', `${measure}: ${what}`, short(got), limit];
}

export function printChanges(changes: readonly Change[], against: string): void {
  if (changes.length === 0) return;
  console.log(`\nAgainst ${against}`);
  printTable(
    changes.map(({ where, name, before, now }) => [
      where,
      name,
      `${short(before)} → ${short(now)}`,
      `${now >= before ? '+' : '−'}${Math.abs((now / before - 1) * 100).toFixed(0)} %`,
    ]),
  );
}
