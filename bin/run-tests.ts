/**
 * The gates and suites of bin/test, in order, each as its own process. Every gate and every test counts as one; the
 * last line is the tally, alone: `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const gates: readonly [name: string, command: string][] = [
  ['format', 'npm run -s check:format'],
  ['lint', 'npm run -s check:lint'],
  ['imports', 'npm run -s check:imports'],
  ['unused code', 'npm run -s check:unused'],
  ['types', 'npm run -s check:types'],
  ['page, within its size budget', 'npm run -s build:web'],
  ['speed, as a multiple of its floors', 'node bench/src/main.ts guard'],
];
const suites = ['unit', 'int', 'web'] as const;

interface VitestReport {
  numPassedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: (string | null)[] }[];
  }[];
}

let passed = 0;
let skipped = 0;
/** What failed, by name: said again at the end, which is what is left of a long log. */
const failures: string[] = [];

for (const [name, command] of gates) {
  const started = performance.now();
  const result = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  const ok = result.status === 0;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(result.stdout + result.stderr);
  if (ok) passed++;
  else failures.push(`gate: ${name}`);
}

const folder = mkdtempSync(join(tmpdir(), 'nowcast-tests-'));
for (const suite of suites) {
  const file = join(folder, `${suite}.json`);
  const args = [
    'vitest',
    'run',
    '--project',
    suite,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  console.log(`\n${suite}`);
  const result = spawnSync('npx', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const report = readReport(file);
  if (report !== undefined) {
    passed += report.numPassedTests;
    skipped += report.numPendingTests + report.numTodoTests;
  }
  const failedHere = report === undefined ? [] : failuresOf(report);
  for (const failure of failedHere) failures.push(`${suite}: ${failure}`);
  // A suite that breaks before or after its files is a failure too.
  if (result.status !== 0 && failedHere.length === 0) failures.push(`${suite}: broke outside of its tests`);
}
rmSync(folder, { recursive: true, force: true });

if (skipped > 0) console.log(`\n${skipped} skipped`);
if (failures.length > 0) console.log(`\nFailed:\n${failures.join('\n')}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

/** Failed tests, and files that broke outside of their tests, with the beginning of what they said: the rest stands above. */
function failuresOf({ testResults }: VitestReport): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const tests = assertionResults.filter((test) => test.status === 'failed');
    if (tests.length === 0) return status === 'failed' ? [`${file}\n${beginning(message)}`] : [];
    return tests.map(({ fullName, failureMessages }) =>
      [`${file}: ${fullName}`, ...failureMessages.map(beginning)].join('\n'),
    );
  });
}

/** Somebody may have thrown what has no message. */
function beginning(message: string | null): string {
  const lines = (message ?? '').split('\n').slice(0, 4);
  return lines.map((line) => `  ${line.slice(0, 300)}`).join('\n');
}
