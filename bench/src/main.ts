/**
 * `bin/bench MEASURE… [--peers] [--quick] [--full] [--record] [--only PATTERN]`: see docs/performance.md. Prints tables, writes one
 * document into bench/results and says what changed since the last one that was recorded.
 */
import { parseArgs } from 'node:util';
import type { Measure, Outcome } from './harness/measure.ts';
import { printChanges, printChecks, printRows } from './harness/report.ts';
import { changesOf, recorded, write } from './harness/results.ts';
import { ingest } from './measures/ingest.ts';
import { benchAnomalies } from './parts/anomalies.ts';
import { benchDecode } from './parts/decode.ts';
import { benchFanout } from './parts/fanout.ts';
import { benchLatency } from './parts/latency.ts';
import { benchLog } from './parts/log.ts';
import { benchQuery } from './parts/query.ts';
import { benchViews } from './parts/views.ts';

const measures: Readonly<Record<string, Measure>> = { ingest };

/** Where the time of the whole goes, each by itself; and how well rules find what was labelled. Printed, not recorded. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  anomalies: benchAnomalies,
  decode: benchDecode,
  fanout: benchFanout,
  latency: benchLatency,
  query: benchQuery,
  log: benchLog,
  views: benchViews,
};

const usage = `usage: bin/bench ${Object.keys(measures).join(' | ')} | all [--peers] [--quick] [--full] [--record] [--only PATTERN]
       bin/bench ${Object.keys(parts).join(' | ')}`;

const args = process.argv.slice(2);
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
  const result = recorded(outcome, args);
  const path = write(result, names.filter((name) => name in measures).join('+'));
  printChanges(changesOf(result), 'what was recorded last');
  console.log(`\n${path}`);
}
// Some servers under measure are still on their way out.
process.exit(0);

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
      },
    });
    const { only, ...flags } = values;
    const wanted = positionals.includes('all') ? Object.keys(measures) : positionals;
    const unknown = wanted.find((name) => !(name in measures) && !(name in parts));
    if (unknown !== undefined) throw new Error(`there is no measure ${unknown}`);
    if (wanted.length === 0) throw new Error('which measure?');
    return {
      names: wanted,
      options: { ...flags, only: only === undefined ? undefined : new RegExp(only, 'i') },
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}
