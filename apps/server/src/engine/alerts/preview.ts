import { coarser, type Decision, type RuleEvaluator, type RulePlan } from '@nowcast/alerts';
import type { RulePreview } from '@nowcast/contract';
import { learning, type RuleHistory } from './rule-history.ts';

const mostPoints = 500;
const mostSeries = 20;
const cutNote = 'so short a window, or so many groups, can only be tried over the newest part of this range';
const blindNote =
  'with so short a window, or so many groups, history does not reach back far enough to compare with';
const youngNote = 'history begins there';

type Line = RulePreview['series'][number];

/** What a rule did over a range. Times are epoch ms. */
interface Trial extends Pick<RulePreview, 'from' | 'to' | 'step_ms' | 'point_ms'> {
  lines: ReadonlyMap<string, Line>;
  /** Start of the first part with a value. */
  first: number | undefined;
  /** What could not be done, in words. */
  note: string | undefined;
}

/**
 * "Would have fired N times": the rule's own evaluator over stored states. It is asked at the end of each part of its
 * window; live it is asked at every arrival, so a shorter breach may fire there and not here, which the answer says.
 * Where data begins in the second half of the range, the answer does too: a week's parts and points are too coarse for
 * the minutes that a young series has.
 */
export async function previewRule(
  history: RuleHistory,
  tenant: string,
  plan: RulePlan,
  range: { from: number; to: number },
  signal: AbortSignal | undefined,
): Promise<RulePreview> {
  const whole = await tryRange(history, tenant, plan, range, signal);
  const { from, to, first, note } = whole;
  if (first === undefined || first - from <= (to - from) / 2) return answer(whole);
  const young = await tryRange(history, tenant, plan, { from: first, to }, signal);
  return answer({ ...young, from: young.first ?? first, note: note ?? youngNote });
}

/**
 * What a run of `spanMs` sees before the range begins: what the rule learns from, half of it if need be, or more where
 * less would not do. It is then too short for all of the range.
 */
function warmUpOf(plan: RulePlan, rangeMs: number, spanMs: number): number {
  const { most, least } = learning(plan);
  const learned = Math.min(most, Math.max(least, spanMs - rangeMs, spanMs / 2));
  const wanted = Math.max(learned, windowsOf(plan));
  return wanted < spanMs ? wanted : spanMs / 2;
}

function windowsOf({ windowMs, delayMs }: RulePlan): number {
  return 2 * windowMs + delayMs;
}

async function tryRange(
  history: RuleHistory,
  tenant: string,
  plan: RulePlan,
  range: { from: number; to: number },
  signal: AbortSignal | undefined,
): Promise<Trial> {
  const { most, least } = learning(plan);
  const rangeMs = range.to - range.from;
  const parts = history.mostParts(tenant, plan);
  const coarse = coarser(plan, (rangeMs + Math.max(most, windowsOf(plan))) / parts);
  const { partMs } = coarse;
  const spanMs = partMs * parts;
  const warmUp = warmUpOf(plan, rangeMs, spanMs);
  const from = Math.max(range.from, range.to - spanMs + warmUp);
  const every = Math.max(1, Math.ceil((range.to - from) / partMs / mostPoints));
  const lines = new Map<string, Line>();
  const extremes = new Map<string, Extremes>();
  let part = 0;
  let last = from;
  let first: number | undefined;
  const note = (decisions: readonly Decision[], at: number, rule: RuleEvaluator): void => {
    if (at < from) return;
    part += 1;
    last = at;
    if (first === undefined && hasValue(rule)) first = Math.max(from, at - partMs);
    if (part === 1) noteStanding(lines, rule, decisions, from);
    if (every > 1) noteExtremes(extremes, rule);
    if (part % every === 0) notePoints(lines, rule, at, extremes);
    for (const { group, from: before, to: after } of decisions)
      lineOf(lines, group.name, group.labels).transitions.push({
        from: before,
        to: after,
        at,
        value: orNull(group.value),
      });
  };
  const rule = await history.run(tenant, coarse, from - warmUp, range.to, note, signal);
  if (part % every !== 0) notePoints(lines, rule, last, extremes);
  const limit = least > warmUp ? blindNote : from > range.from ? cutNote : undefined;
  return { from, to: range.to, step_ms: partMs, point_ms: partMs * every, lines, first, note: limit };
}

function hasValue(rule: RuleEvaluator): boolean {
  return rule.groups.values().some(({ seen }) => seen);
}

/** What was not well before the range begins with it: it would be listed as firing. */
function noteStanding(
  lines: Map<string, Line>,
  rule: RuleEvaluator,
  decisions: readonly Decision[],
  at: number,
): void {
  for (const group of rule.groups.values()) {
    const { state } = group.machine;
    if (state === 'ok' || decisions.some((decision) => decision.group === group)) continue;
    lineOf(lines, group.name, group.labels).transitions.push({
      from: 'ok',
      to: state === 'recovering' ? 'firing' : state,
      at,
      value: orNull(group.value),
    });
  }
}

/** Between two points of the answer; a breach of one part among many is what the rule is about. */
interface Extremes {
  least: number;
  greatest: number;
}

function noteExtremes(extremes: Map<string, Extremes>, rule: RuleEvaluator): void {
  for (const { name, value } of rule.groups.values()) {
    if (!Number.isFinite(value)) continue;
    const known = extremes.get(name);
    if (known === undefined) extremes.set(name, { least: value, greatest: value });
    else {
      known.least = Math.min(known.least, value);
      known.greatest = Math.max(known.greatest, value);
    }
  }
}

function notePoints(
  lines: Map<string, Line>,
  rule: RuleEvaluator,
  at: number,
  extremes: Map<string, Extremes>,
): void {
  for (const group of rule.groups.values()) {
    if (!group.seen) continue;
    const line = lineOf(lines, group.name, group.labels);
    line.timestamp.push(at);
    line.value.push(orNull(group.value));
    const between = extremes.get(group.name);
    push(line, 'least', between?.least);
    push(line, 'greatest', between?.greatest);
    push(line, 'lower', group.limits?.lower);
    push(line, 'upper', group.limits?.upper);
  }
  extremes.clear();
}

/** Adds to a column that begins with its first value, later than its line perhaps. */
function push(line: Line, column: 'least' | 'greatest' | 'lower' | 'upper', value: number | undefined): void {
  if (value === undefined && line[column] === undefined) return;
  (line[column] ??= line.timestamp.slice(1).map(() => null)).push(orNull(value ?? Number.NaN));
}

function lineOf(lines: Map<string, Line>, name: string, labels: Readonly<Record<string, string>>): Line {
  let line = lines.get(name);
  if (line === undefined) {
    line = { labels: { ...labels }, timestamp: [], value: [], transitions: [] };
    lines.set(name, line);
  }
  return line;
}

function answer({ lines, from, to, step_ms, point_ms, note }: Trial): RulePreview {
  const firings = (line: Line) => line.transitions.filter(({ to }) => to === 'firing').length;
  const ranked = [...lines.values()].sort((a, b) => firings(b) - firings(a));
  return {
    from,
    to,
    step_ms,
    point_ms,
    fired: ranked.reduce((sum, line) => sum + firings(line), 0),
    series: ranked.slice(0, mostSeries),
    more: Math.max(0, ranked.length - mostSeries),
    ...(note === undefined ? {} : { note }),
  };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
