/**
 * The gates and suites of bin/test, in order, each as its own process. Every gate and every test counts as one; the
 * last line is the tally, alone: `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
}

let passed = 0;
let failed = 0;
let skipped = 0;

for (const [name, command] of gates) {
  const started = performance.now();
  const result = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  const ok = result.status === 0;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(result.stdout + result.stderr);
  if (ok) passed++;
  else failed++;
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
    failed += report.numFailedTests;
    skipped += report.numPendingTests + report.numTodoTests;
  }
  // A suite that breaks before or after its tests (an import, an unhandled error) is a failure too.
  if (result.status !== 0 && (report === undefined || report.numFailedTests === 0)) failed++;
}
rmSync(folder, { recursive: true, force: true });

if (skipped > 0) console.log(`\n${skipped} skipped`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}
