import { readdirSync, readFileSync } from 'node:fs';
import { FoldedRun, planRule, RuleEvaluator } from '@nowcast/alerts';
import { evaluationSchema, type EvaluationInput } from '@nowcast/contract';
import { machine } from '../harness/machine.ts';

const folder = new URL('../../../../shared/data/nab/', import.meta.url);
const minute = 60_000;
/** Nobody is told again of what lasts: breaches closer than this are one alert. */
const quietMs = 60 * minute;

interface Series {
  name: string;
  timestamps: number[];
  values: number[];
  /** Labelled windows in which something was wrong, [start, end]. */
  windows: [number, number][];
}

/** Says whether an alert fires at a value, knowing only those before it. */
type Detector = (timestamp: number, value: number) => boolean;

interface Score {
  alerts: number;
  right: number;
  windows: number;
  found: number;
  /** From the start of a found window to its first alert, minutes. */
  delays: number[];
}

const rules: Readonly<Record<string, EvaluationInput['condition']>> = {
  anomaly: { kind: 'anomaly', direction: 'either', sensitivity: 'medium' },
  'anomaly, high sensitivity': { kind: 'anomaly', direction: 'either', sensitivity: 'high' },
  'anomaly, low sensitivity': { kind: 'anomaly', direction: 'either', sensitivity: 'low' },
  'change 50 % against yesterday': {
    kind: 'change',
    direction: 'either',
    by: 50,
    unit: 'percent',
    against: 'day',
  },
};

/**
 * Causal replay of the labelled series of the Numenta Anomaly Benchmark through rules at their default sensitivity, beside
 * what anybody would write: outside three standard deviations.
 */
export async function benchAnomalies(): Promise<unknown> {
  const all = readSeries();
  const detectors: Record<string, () => Detector> = {
    ...Object.fromEntries(
      Object.entries(rules).map(([name, condition]) => [name, () => ruleDetector(condition)]),
    ),
    '3 sigma of the last day': () => beyondSigma(3, 24 * 60 * minute),
    '3 sigma of all before': () => beyondSigma(3, Number.POSITIVE_INFINITY),
    '3.5 sigma of all before': () => beyondSigma(3.5, Number.POSITIVE_INFINITY),
    // As many alerts as the band gives, nearly: what a wider plain rule would do.
    '5 sigma of all before': () => beyondSigma(5, Number.POSITIVE_INFINITY),
  };
  const results = Object.entries(detectors).map(([name, create]) => {
    const bySeries = all.map((series) => [series.name, score(series, create())] as const);
    const scores = bySeries.map(([, one]) => one);
    return [
      name,
      {
        all: summary(scores),
        // The band's constants were chosen on every other series by name; the others say what that is worth elsewhere.
        chosenOn: summary(scores.filter((_, i) => i % 2 === 0)),
        heldOut: summary(scores.filter((_, i) => i % 2 === 1)),
        series: Object.fromEntries(bySeries.map(([file, one]) => [file, summary([one])])),
      },
    ] as const;
  });
  return Promise.resolve({
    measure: 'anomalies',
    machine: machine(),
    series: all.length,
    points: all.reduce((sum, { values }) => sum + values.length, 0),
    ...Object.fromEntries(results),
  });
}

function readSeries(): Series[] {
  const labels = JSON.parse(readFileSync(new URL('anomaly-windows.json', folder), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.csv'))
    .sort()
    .map((name) => {
      const rows = readFileSync(new URL(name, folder), 'utf8').trim().split('\n').slice(1);
      return {
        name: name.replace('.csv', ''),
        timestamps: rows.map((row) => timeOf(row.slice(0, 19))),
        values: rows.map((row) => Number(row.slice(20))),
        windows: (labels[name] ?? []).map(([from, to]) => [
          timeOf(from.slice(0, 19)),
          timeOf(to.slice(0, 19)),
        ]),
      };
    });
}

function timeOf(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}

function ruleDetector(condition: EvaluationInput['condition']): Detector {
  const evaluation = { query: { metric_type: 'm', agg: 'last' as const }, window: '5m', condition };
  const rule = new RuleEvaluator(planRule(evaluationSchema.parse(evaluation), () => 'last'));
  const unit = rule.addSeries(0, { tenant: 't', metric_type: 'm', source: '', labels: [] }, 's');
  return (timestamp, value) => {
    rule.add(0, unit, FoldedRun.ofPoint(timestamp, value), timestamp);
    rule.evaluate(timestamp);
    const [group] = rule.groups.values();
    return group!.machine.state === 'firing';
  };
}

/** Outside so many deviations of the values of the last `memoryMs`, of which there must be 100. */
function beyondSigma(deviations: number, memoryMs: number): Detector {
  const recent: [timestamp: number, value: number][] = [];
  let oldest = 0;
  let sum = 0;
  let squares = 0;
  return (timestamp, value) => {
    for (; oldest < recent.length && recent[oldest]![0] <= timestamp - memoryMs; oldest += 1) {
      sum -= recent[oldest]![1];
      squares -= recent[oldest]![1] ** 2;
    }
    const count = recent.length - oldest;
    const mean = sum / count;
    const deviation = Math.sqrt(Math.max(0, squares / count - mean ** 2));
    recent.push([timestamp, value]);
    sum += value;
    squares += value ** 2;
    return count >= 100 && Math.abs(value - mean) > deviations * deviation;
  };
}

function score({ timestamps, values, windows }: Series, detect: Detector): Score {
  const found = new Map<number, number>();
  let alerts = 0;
  let right = 0;
  let last = Number.NEGATIVE_INFINITY;
  timestamps.forEach((at, i) => {
    if (!detect(at, values[i]!)) return;
    const window = windows.findIndex(([from, to]) => at >= from && at <= to);
    if (window >= 0 && !found.has(window)) found.set(window, (at - windows[window]![0]) / minute);
    if (at - last > quietMs) {
      alerts += 1;
      if (window >= 0) right += 1;
    }
    last = at;
  });
  return { alerts, right, windows: windows.length, found: found.size, delays: [...found.values()] };
}

function summary(scores: readonly Score[]): Record<string, number | string> {
  const total = (pick: (one: Score) => number) => scores.reduce((sum, one) => sum + pick(one), 0);
  const delays = scores.flatMap((one) => one.delays).sort((a, b) => a - b);
  const alerts = total((one) => one.alerts);
  const right = total((one) => one.right);
  const windows = total((one) => one.windows);
  const found = total((one) => one.found);
  return {
    alerts,
    right,
    windows,
    found,
    precision: round(right / alerts),
    recall: round(found / windows),
    medianDelayMinutes: delays[delays.length >> 1] ?? '',
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
