/**
 * `bin/bench MEASURE… [--peers] [--quick] [--full] [--record] [--only PATTERN] [--data DIR] [--within SECONDS]`: see docs/performance.md. Prints tables, writes one
 * document into bench/results and says what changed since the last one that was recorded.
 */
import { parseArgs } from 'node:util';
import type { Measure, Outcome } from './harness/measure.ts';
import { writePerformancePage } from './harness/performance-page.ts';
import { printChanges, printChecks, printRows } from './harness/report.ts';
import { changesOf, recorded, write } from './harness/results.ts';
import { alerts } from './measures/alerts.ts';
import { fanout } from './measures/fanout.ts';
import { growth } from './measures/growth.ts';
import { guard } from './measures/guard.ts';
import { ingest } from './measures/ingest.ts';
import { latency } from './measures/latency.ts';
import { memory } from './measures/memory.ts';
import { query } from './measures/query.ts';
import { visible } from './measures/visible.ts';
import { web } from './measures/web.ts';
import { stopAfter } from './harness/stop.ts';
import { benchAnomalies } from './parts/anomalies.ts';
import { benchDecode } from './parts/decode.ts';
import { benchLog } from './parts/log.ts';
import { benchViews } from './parts/views.ts';

const measures: Readonly<Record<string, Measure>> = {
  ingest,
  visible,
  fanout,
  latency,
  alerts,
  query,
  memory,
  web,
  growth,
  // For CI: short, and only against floors of the same run. Not in `all`.
  guard,
};

/** Where the time of the whole goes, each by itself; and how well rules find what was labelled. Printed, not recorded. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  anomalies: benchAnomalies,
  decode: benchDecode,
  log: benchLog,
  views: benchViews,
};

const usage = `usage: bin/bench ${Object.keys(measures).join(' | ')} | all [--peers] [--quick] [--full] [--record] [--only PATTERN] [--data DIR]
       bin/bench ${Object.keys(parts).join(' | ')}
       bin/bench page    puts what was recorded into docs/performance.md`;

const args = process.argv.slice(2);
if (args[0] === 'page') {
  writePerformancePage();
  process.exit(0);
}
const { names, options } = parse();
const outcome: Outcome = { rows: [], checks: [], notes: [] };
for (const name of names) {
  if (name in parts) {
    console.log(JSON.stringify(await parts[name]!()));
    continue;
  }
  const one = await measures[name]!(options);
  printRows(one.rows);
  for (const note of one.notes ?? []) console.log(note);
  outcome.rows.push(...one.rows);
  outcome.checks.push(...one.checks);
  outcome.notes!.push(...(one.notes ?? []));
}
if (outcome.rows.length > 0) {
  printChecks(outcome.checks);
  // A record does not say where somebody keeps their data.
  const said = args.map((arg) => (arg === options.data ? 'DIR' : arg));
  const result = recorded(outcome, said);
  const path = write(result, names.filter((name) => name in measures).join('+'));
  printChanges(changesOf(result), 'what was recorded last');
  console.log(`\n${path}`);
}
// Some servers under measure are still on their way out.
process.exit(outcome.checks.some(({ measure, holds }) => measure === 'guard' && !holds) ? 1 : 0);

function parse() {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        peers: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        record: { type: 'boolean', default: false },
        only: { type: 'string' },
        data: { type: 'string' },
        within: { type: 'string' },
      },
    });
    const { only, data, within, ...flags } = values;
    if (within !== undefined) stopAfter(Number(within));
    const wanted = positionals.includes('all')
      ? Object.keys(measures).filter((name) => name !== 'guard')
      : positionals;
    const unknown = wanted.find((name) => !(name in measures) && !(name in parts));
    if (unknown !== undefined) throw new Error(`there is no measure ${unknown}`);
    if (wanted.length === 0) throw new Error('which measure?');
    return {
      names: wanted,
      options: { ...flags, data, only: only === undefined ? undefined : new RegExp(only, 'i') },
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}
