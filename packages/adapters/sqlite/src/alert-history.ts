import type { AlertEvent, AlertState, Severity } from '@nowcast/contract';
import type {
  AlertChange,
  AlertFilter,
  AlertRepository,
  AlertRow,
  DecidedTransition,
  LabelTest,
  TransitionFilter,
} from '@nowcast/ports';
import { type Kysely, sql } from 'kysely';
import { findKnown, readPosition, writeChange } from './alert-change.ts';
import { after, holds, oneOf, pageOf } from './alert-page.ts';
import { alertFromRow, transitionFromRow } from './alert-rows.ts';
import { forgetBefore } from './alert-retention.ts';
import type { Tables } from './schema.ts';

/** As the index of active alerts has it: a bound value would not be known to be the same condition. */
const active = sql<boolean>`alerts.state <> 'resolved'`;

export class SqliteAlerts implements AlertRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  apply(change: AlertChange): Promise<void> {
    return this.#db.transaction().execute((trx) => writeChange(trx, change));
  }

  knownTransitions(ids: readonly string[]): Promise<Set<string>> {
    return findKnown(this.#db, ids);
  }

  position(): Promise<number> {
    return readPosition(this.#db);
  }

  async list(
    tenantId: string,
    filter: AlertFilter,
  ): Promise<{ alerts: AlertRow[]; cursor: string | undefined }> {
    const { accepts } = filter;
    let query = matching(this.#db, tenantId, filter);
    if (accepts !== undefined) {
      const sets = await query.select('labels').distinct().execute();
      query = query.where('labels', 'in', oneOf(accepted(sets, accepts)));
    }
    if (filter.cursor !== undefined) query = query.where(after(filter.cursor, 'changed_at', 'alert_id'));
    const rows = await query
      .selectAll()
      .orderBy('changed_at', 'desc')
      .orderBy('alert_id', 'desc')
      .limit(filter.limit + 1)
      .execute();
    const { page, cursor } = pageOf(rows, filter.limit, (row) => ({ at: row.changed_at, id: row.alert_id }));
    return { alerts: page.map(alertFromRow), cursor };
  }

  async get(tenantId: string, alertId: string): Promise<AlertRow | undefined> {
    const row = await this.#db
      .selectFrom('alerts')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('alert_id', '=', alertId)
      .executeTakeFirst();
    return row && alertFromRow(row);
  }

  events(tenantId: string, alertId: string): Promise<AlertEvent[]> {
    return this.#db
      .selectFrom('alert_events')
      .select(['at', 'kind', 'user_name', 'note', 'value'])
      .where('tenant_id', '=', tenantId)
      .where('alert_id', '=', alertId)
      .orderBy('at')
      .orderBy('position')
      .execute();
  }

  async active(tenantId?: string): Promise<AlertRow[]> {
    let query = this.#db.selectFrom('alerts').selectAll().where(active);
    if (tenantId !== undefined) query = query.where('tenant_id', '=', tenantId);
    const rows = await query.orderBy('tenant_id').orderBy('since').orderBy('alert_id').execute();
    return rows.map(alertFromRow);
  }

  async unended(tenantId: string, of: { tags: readonly string[] } | { ruleId: string }): Promise<AlertRow[]> {
    const ofTenant = this.#db.selectFrom('alerts').selectAll().where('tenant_id', '=', tenantId);
    const wanted =
      'tags' in of ? ofTenant.where('tag', 'in', oneOf(of.tags)) : ofTenant.where('rule_id', '=', of.ruleId);
    // Each in the order of an index of its own.
    const rows = await wanted
      .where(active)
      .union(wanted.where('due_at', 'is not', null))
      .execute();
    return rows.map(alertFromRow);
  }

  async due(now: number, limit: number): Promise<AlertRow[]> {
    const rows = await this.#db
      .selectFrom('alerts')
      .selectAll()
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(limit)
      .execute();
    return rows.map(alertFromRow);
  }

  async nextDue(): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('alerts')
      .select('due_at')
      .where('due_at', 'is not', null)
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst();
    return row?.due_at ?? undefined;
  }

  async transitions(
    tenantId: string,
    filter: TransitionFilter,
  ): Promise<(DecidedTransition & { rule_name: string; severity: Severity })[]> {
    let query = this.#db
      .selectFrom('alert_transitions')
      .innerJoin('alerts', (join) =>
        join
          .onRef('alerts.tenant_id', '=', 'alert_transitions.tenant_id')
          .onRef('alerts.alert_id', '=', 'alert_transitions.alert_id'),
      )
      .where('alert_transitions.tenant_id', '=', tenantId)
      .where('at', '>=', filter.from)
      .where('at', '<', filter.to);
    if (filter.ruleIds !== undefined)
      query = query.where('alert_transitions.rule_id', 'in', oneOf(filter.ruleIds));
    if (filter.accepts !== undefined) {
      const sets = await query.select('alert_transitions.labels').distinct().execute();
      query = query.where('alert_transitions.labels', 'in', oneOf(accepted(sets, filter.accepts)));
    }
    const rows = await query
      .selectAll('alert_transitions')
      .select(['alerts.rule_name', 'alerts.severity'])
      .orderBy('at', 'desc')
      .orderBy('position', 'desc')
      .limit(filter.limit)
      .execute();
    return rows.toReversed().map((row) => ({
      ...transitionFromRow(row),
      rule_name: row.rule_name,
      severity: row.severity,
    }));
  }

  async changedSince(tenantId: string, ruleId: string, since: number, limit: number): Promise<AlertRow[]> {
    const rows = await this.#db
      .selectFrom('alerts')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('rule_id', '=', ruleId)
      .where('changed_at', '>=', since)
      .orderBy('changed_at', 'desc')
      .orderBy('alert_id', 'desc')
      .limit(limit)
      .execute();
    return rows.toReversed().map(alertFromRow);
  }

  forget(before: { time: number; neverFired: number }): Promise<boolean> {
    return forgetBefore(this.#db, before);
  }
}

function matching(db: Kysely<Tables>, tenantId: string, filter: AlertFilter) {
  let query = db.selectFrom('alerts').where('tenant_id', '=', tenantId);
  if (filter.states.length > 0) {
    query = query.where('state', 'in', oneOf<AlertState>(filter.states));
    if (!filter.states.includes('resolved')) query = query.where(active);
  }
  // Over before it fired: nobody was told of it, and there may be thousands.
  query = query.where((eb) => eb.or([active, eb('fired_at', 'is not', null)]));
  const [only, ...others] = filter.ruleIds ?? [];
  // With `=` the index of rules gives the order too.
  if (only !== undefined && others.length === 0) query = query.where('rule_id', '=', only);
  else if (filter.ruleIds !== undefined) query = query.where('rule_id', 'in', oneOf(filter.ruleIds));
  if (filter.metricType !== undefined) query = query.where('metric_type', '=', filter.metricType);
  if (filter.severities !== undefined)
    query = query.where('severity', 'in', oneOf<Severity>(filter.severities));
  if (filter.during !== undefined) {
    const { from, to } = filter.during;
    query = query.where('since', '<', to).where((eb) => eb.or([active, eb('resolved_at', '>=', from)]))
      // Implied by the line above, in the order of the index: what ended long ago is not looked at.
      .where(sql<boolean>`changed_at >= min(${from}, coalesce((
        select min(open.changed_at) from alerts as open
        where open.tenant_id = ${tenantId} and open.state <> 'resolved'), ${from}))`);
  }
  if (filter.search) query = query.where(holds('search_key', filter.search));
  return query;
}

/** The texts among these whose labels are wanted. */
function accepted(sets: readonly { labels: string }[], accepts: LabelTest): string[] {
  return sets
    .map(({ labels }) => labels)
    .filter((text) => accepts(JSON.parse(text) as Record<string, string>));
}
