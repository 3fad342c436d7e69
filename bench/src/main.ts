/**
 * `bin/bench ingest | fanout | latency | query | alerts | decode | log | views | all`: each prints one line of JSON with its figures and the machine
 * they were measured on. Figures of a shared machine are worth their ratios; run two versions in turn.
 */
import { benchAlerts } from './alerts.ts';
import { benchDecode } from './decode.ts';
import { benchFanout } from './fanout.ts';
import { benchIngest } from './ingest.ts';
import { benchLatency } from './latency.ts';
import { benchLog } from './log.ts';
import { benchQuery } from './query.ts';
import { benchViews } from './views.ts';

const measures: Readonly<Record<string, () => Promise<unknown>>> = {
  ingest: benchIngest,
  fanout: benchFanout,
  latency: benchLatency,
  query: benchQuery,
  // How well anomaly and change rules find what was labelled in real series.
  alerts: benchAlerts,
  // Parts by themselves: where the time of the whole goes.
  decode: benchDecode,
  log: benchLog,
  views: benchViews,
};

const wanted = process.argv[2] ?? '';
const names = wanted === 'all' ? Object.keys(measures) : [wanted];
if (names.some((name) => !(name in measures))) {
  console.error(`usage: bin/bench ${Object.keys(measures).join(' | ')} | all`);
  process.exit(2);
}
for (const name of names) console.log(JSON.stringify(await measures[name]!()));
