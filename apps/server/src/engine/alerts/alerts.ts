import { checkRule, planRule, type RulePlan } from '@nowcast/alerts';
import {
  type AggName,
  appError,
  type ControlRecord,
  ByteWriter,
  type EvaluatedRule,
  type Evaluation,
  type RulePreview,
} from '@nowcast/contract';
import type { SeriesIndex } from '@nowcast/head';
import type { HistoryReader } from '@nowcast/history';
import { type Clock, isAppError } from '@nowcast/kernel';
import type { EvaluatedRuleStatus, TransitionBatch } from '@nowcast/ports';
import type { MetricDefaults } from '../catalog.ts';
import { clockBehind } from '../clock-watch.ts';
import type { EngineLog } from '../embedded-engine.ts';
import type { PartitionState } from '../partition-state.ts';
import type { SeriesWatch } from '../series-watch.ts';
import {
  alertCheckpointPath,
  type AlertCheckpoint,
  readAlertCheckpoint,
  writeAlertCheckpoint,
} from './alert-checkpoint.ts';
import { AlertEngine, alertOwner, type LoggedControl } from './alert-engine.ts';
import { previewRule } from './preview.ts';
import { learning, RuleHistory } from './rule-history.ts';
import { RulePoints } from './rule-points.ts';

export interface AlertsParts {
  dataDir: string;
  epoch: string;
  clock: Clock;
  index: SeriesIndex;
  watch: SeriesWatch;
  states: readonly PartitionState[];
  reader: HistoryReader;
  defaults: MetricDefaults;
  receivedAt: () => number;
  lastReceivedAt: () => number;
  append: (partition: number, record: ControlRecord) => Promise<number>;
  report: (batch: TransitionBatch) => void;
  log: EngineLog;
}

const unread =
  'its history could not be read when it began, so that it has nothing to compare with until it has run for long enough; switch it off and on again to have it read once more';
const readTooLittle =
  'with so short a window, or so many groups, too little of its history could be read to compare with; it waits until it has run for long enough';

/** How often the rules' states are written down; the log is kept from there on. */
const checkpointMs = 15_000;

/** Alert rules inside the engine: what the core calls, and what the main thread asks for. */
export class Alerts {
  readonly points: RulePoints;
  readonly #parts: AlertsParts;
  readonly #engine: AlertEngine;
  readonly #history: RuleHistory;
  /** Until when rules have nothing to compare with since their history was not read, epoch ms, and why not. */
  readonly #blind = new Map<string, { until: number; why: string }>();
  #savedAt = Number.NEGATIVE_INFINITY;
  /** The checkpoint on disk has no rules, or there is none. */
  #isSavedIdle = true;
  /** The log is needed from here on for the checkpoint that is on disk. */
  #needed: readonly number[];

  constructor(parts: AlertsParts) {
    this.#parts = parts;
    this.points = new RulePoints(
      parts.index,
      parts.watch,
      parts.states.map(({ tail }) => tail),
    );
    this.#history = new RuleHistory(parts.index, parts.reader);
    this.#engine = new AlertEngine({
      ...parts,
      points: this.points,
      defaultAgg: (_tenant, metricType) => this.#defaultAgg(metricType),
      seedOf: (tenant, rule) => this.#seed(tenant, rule),
    });
    this.#needed = this.#engine.neededFrom;
  }

  get engine(): AlertEngine {
    return this.#engine;
  }

  /** First offset of each partition that a restart would need. */
  get neededFrom(): readonly number[] {
    if (this.#isSavedIdle && this.#engine.isIdle) this.#needed = this.#engine.neededFrom;
    return this.#needed;
  }

  recover(checkpoint: AlertCheckpoint | undefined, controls: readonly LoggedControl[]): void {
    this.#engine.recover(checkpoint, controls);
    this.#isSavedIdle = checkpoint === undefined;
    this.#needed =
      checkpoint === undefined
        ? this.#engine.neededFrom
        : checkpoint.at.map((offset, i) => (i === alertOwner ? Math.min(offset, checkpoint.seq) : offset));
  }

  /** The next `save` is the last one. */
  end(): void {
    this.#engine.stop();
    this.#savedAt = Number.NEGATIVE_INFINITY;
  }

  /** Writes the rules' states down, not more often than need be. */
  async save(): Promise<void> {
    const now = this.#parts.clock.monotonic();
    if (now - this.#savedAt < checkpointMs) return;
    this.#savedAt = now;
    const { checkpoint, neededFrom, isIdle } = await this.#engine.checkpoint();
    await writeAlertCheckpoint(alertCheckpointPath(this.#parts.dataDir), checkpoint);
    this.#needed = neededFrom;
    this.#isSavedIdle = isIdle;
  }

  async put(tenant: string, rule: EvaluatedRule): Promise<void> {
    const complete = { ...rule, evaluation: this.#complete(rule.evaluation) };
    checkRule(complete.evaluation, (metricType) => this.#defaultAgg(metricType));
    await this.#engine.put(tenant, complete);
  }

  remove(tenant: string, ruleId: string): Promise<void> {
    this.#blind.delete(blindKey(tenant, ruleId));
    return this.#engine.remove(tenant, ruleId);
  }

  rules(tenant: string | undefined): EvaluatedRuleStatus[] {
    const lastReceivedAt = this.#parts.lastReceivedAt();
    const now = this.#parts.clock.now();
    const behind = clockBehind(lastReceivedAt, now);
    return this.#engine.statuses(tenant).map((status) => {
      if (behind !== undefined) return { ...status, problem: behind, isServers: true };
      const blind = this.#blind.get(blindKey(status.tenant, status.ruleId));
      const isBlind = blind !== undefined && blind.until > Math.max(lastReceivedAt, now);
      return isBlind ? { ...status, problem: blind.why } : status;
    });
  }

  preview(
    tenant: string,
    evaluation: Evaluation,
    range: { from: number; to: number },
    signal: AbortSignal,
  ): Promise<RulePreview> {
    const plan = this.#plan(evaluation);
    if (plan.condition.kind === 'composite')
      throw appError('query.invalid', 'a rule about rules has no preview; look at those of its rules');
    return previewRule(this.#history, tenant, plan, range, signal);
  }

  #plan(evaluation: Evaluation): RulePlan {
    return planRule(evaluation, (metricType) => this.#defaultAgg(metricType));
  }

  #defaultAgg(metricType: string): AggName {
    const { default_agg: agg } = this.#parts.defaults(metricType);
    return agg === 'none' ? 'count' : agg;
  }

  /** What is logged must not depend on what a later version takes for the default of a metric. */
  #complete(evaluation: Evaluation): Evaluation {
    const { query, divide_by: divideBy } = evaluation;
    return {
      ...evaluation,
      ...(query === undefined
        ? {}
        : { query: { ...query, agg: query.agg ?? this.#defaultAgg(query.metric_type) } }),
      ...(divideBy === undefined
        ? {}
        : { divide_by: { ...divideBy, agg: divideBy.agg ?? this.#defaultAgg(divideBy.metric_type) } }),
    };
  }

  /** History may be out of reach; the rule then begins with what arrives. */
  async #seed(tenant: string, rule: EvaluatedRule): Promise<Uint8Array> {
    const plan = this.#plan(rule.evaluation);
    if (plan.queries.length === 0) return new Uint8Array(0);
    const key = blindKey(tenant, rule.rule_id);
    const now = this.#parts.receivedAt();
    try {
      const { evaluator, learnedMs } = await this.#history.seed(tenant, plan, now);
      const lacksMs = learning(plan).least - learnedMs;
      if (lacksMs > 0) this.#blind.set(key, { until: now + lacksMs, why: readTooLittle });
      else this.#blind.delete(key);
      const writer = new ByteWriter();
      evaluator.save(writer);
      return new Uint8Array(writer.written());
    } catch (error) {
      if (isAppError(error) && error.code === 'query.invalid') throw error;
      this.#parts.log('warn', 'an alert rule begins without history', {
        rule_id: rule.rule_id,
        reason: String(error),
      });
      this.#blind.set(key, { until: now + learning(plan).least, why: unread });
      return new Uint8Array(0);
    }
  }
}

function blindKey(tenant: string, ruleId: string): string {
  return JSON.stringify([tenant, ruleId]);
}

/** The checkpoint of this very log; undefined where there is none. */
export async function readAlerts(dataDir: string, epoch: string): Promise<AlertCheckpoint | undefined> {
  const checkpoint = await readAlertCheckpoint(alertCheckpointPath(dataDir));
  return checkpoint?.epoch === epoch ? checkpoint : undefined;
}
