import {
  bothWhere,
  type Evaluation,
  labelOf,
  parseDuration,
  type RuleContent,
  type RuleQuery,
} from '@nowcast/contract';
import type { AlertChart, AlertMessage } from '@nowcast/ports';
import type { NotifyOptions } from './notify-options.ts';
import type { TenantBook } from './tenant-book.ts';
import { withinLimit } from './time-limit.ts';

type Picture = Pick<AlertMessage, 'chart' | 'chartProblem'>;
type FirstAlert = AlertMessage['alerts'][number];

const hourMs = 3_600_000;
const longestMs = 31 * 24 * hourMs;
/** A mail waits no longer for its picture. */
const limitMs = 5000;
/** Pictures kept for those who are told the same at the same time. */
const mostKept = 16;

const withPicture: ReadonlySet<AlertMessage['kind']> = new Set([
  'firing',
  'resolved',
  'escalated',
  'repeated',
  'flapping',
]);

/**
 * What the picture in a mail is drawn from: the first alert's value as its rule computes it, over the hour before the
 * message. Read when the mail is sent, so that a stored message stays small, and always up to the message's own time,
 * so that a retry shows the same. A mail never waits long for it: it goes without, and says so.
 */
export class PictureReader {
  readonly #options: NotifyOptions;
  readonly #book: TenantBook;
  readonly #kept = new Map<string, Promise<Picture>>();

  constructor(options: NotifyOptions, book: TenantBook) {
    this.#options = options;
    this.#book = book;
  }

  async pictureOf(tenantId: string, message: AlertMessage): Promise<Picture> {
    const [alert] = message.alerts;
    if (alert === undefined || !withPicture.has(message.kind)) return {};
    const rule = (await this.#book.rules(tenantId)).get(message.ruleId)?.content;
    if (rule === undefined) return { chartProblem: 'its rule is gone.' };
    // A rule about rules has no value of its own.
    if (rule.evaluation.query === undefined) return {};
    const key = JSON.stringify([tenantId, alert.alertId, message.at]);
    return this.#kept.get(key) ?? this.#keep(key, this.#read(tenantId, message.at, alert, rule));
  }

  #keep(key: string, reading: Promise<Picture>): Promise<Picture> {
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= mostKept && !oldest.done) this.#kept.delete(oldest.value);
    this.#kept.set(key, reading);
    // The next attempt may have more luck.
    void reading.then(({ chart }) => chart === undefined && this.#kept.delete(key));
    return reading;
  }

  async #read(tenantId: string, at: number, alert: FirstAlert, rule: RuleContent): Promise<Picture> {
    const { clock, evaluation, log } = this.#options;
    const from = at - lookBackMs(rule.evaluation);
    try {
      const answer = await withinLimit(clock, limitMs, (signal) =>
        evaluation.preview(tenantId, valueOf(rule, alert), from, at, signal),
      );
      if (answer === 'late') return { chartProblem: `the data did not come within ${limitMs / 1000} s.` };
      const chart = chartOf(answer.series[0], { from, to: at }, alert, rule);
      if (chart.values.filter(Number.isFinite).length >= 2) return { chart };
      return { chartProblem: 'there are not two values to draw a line between.' };
    } catch (error) {
      log('warn', 'a mail goes without its picture', { error });
      return { chartProblem: 'the data could not be read.' };
    }
  }
}

/** An hour; of a rule whose window is longer, two windows: its value hardly moves within one hour. */
export function lookBackMs({ window }: Evaluation): number {
  return Math.min(Math.max(hourMs, 2 * parseDuration(window)), longestMs);
}

/** The rule's value for this alert's group alone. */
export function valueOf({ evaluation }: RuleContent, { labels }: Pick<FirstAlert, 'labels'>): Evaluation {
  const group = Object.fromEntries(evaluation.group_by.map((name) => [name, [labelOf(labels, name)]]));
  const narrowed = (query: RuleQuery): RuleQuery => ({ ...query, where: bothWhere(query.where, group) });
  const { query, divide_by: divideBy } = evaluation;
  return {
    ...unjudged(evaluation),
    ...(query === undefined ? {} : { query: narrowed(query) }),
    ...(divideBy === undefined ? {} : { divide_by: narrowed(divideBy) }),
  };
}

/**
 * The rule's value and nothing else. What it is compared with is left out: learning what is usual takes weeks of data,
 * and what the alert said is in the alert.
 */
export function unjudged(evaluation: Evaluation): Evaluation {
  const never = { kind: 'threshold', op: 'above', value: Number.MAX_VALUE } as const;
  return { ...evaluation, condition: never, no_data: 'ok' };
}

function chartOf(
  series: { timestamp: readonly number[]; value: readonly (number | null)[] } | undefined,
  span: { from: number; to: number },
  alert: FirstAlert,
  rule: RuleContent,
): AlertChart {
  // A rule with a delay is decided later than its window ends: those moments lie after the message.
  const points = (series?.timestamp ?? [])
    .map((at, i) => ({ at, value: series?.value[i] ?? Number.NaN }))
    .filter(({ at }) => at >= span.from && at <= span.to);
  const firing = { from: Math.max(span.from, Math.min(alert.since, span.to)), to: span.to };
  return {
    ...span,
    timestamps: points.map(({ at }) => at),
    values: points.map(({ value }) => value),
    limits: limitsOf(rule, alert, span, firing),
    firing: [firing],
  };
}

/** Limits that a rule names hold always; one that moves is known for the alert alone. */
function limitsOf(
  { evaluation: { condition } }: RuleContent,
  { limit }: FirstAlert,
  span: { from: number; to: number },
  firing: { from: number; to: number },
): AlertChart['limits'] {
  switch (condition.kind) {
    case 'threshold': {
      const { value, upper } = condition;
      return [value, ...(upper === undefined ? [] : [upper])].map((level) => ({ value: level, ...span }));
    }
    case 'change':
    case 'anomaly':
      return limit === undefined ? [] : [{ value: limit, ...firing }];
    default:
      return [];
  }
}
