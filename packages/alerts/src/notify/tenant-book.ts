import type { AlertRow, MetaStore, PolicyKind, PolicyRow, RuleRow } from '@nowcast/ports';
import type { TenantState } from './decide-change.ts';

/**
 * Rules, policies and open alerts of the tenants as decisions need them, so that a batch reads nothing that did not
 * change. Whoever changes one says so here, and so does whoever hears that somebody left: their rules and policies have
 * another owner then.
 */
export class TenantBook {
  readonly #meta: Pick<MetaStore, 'alerting'>;
  readonly #rules = new Map<string, Promise<ReadonlyMap<string, RuleRow>>>();
  readonly #policies = new Map<string, Promise<readonly PolicyRow<PolicyKind>[]>>();
  readonly #active = new Map<string, Map<string, AlertRow>>();

  constructor(meta: Pick<MetaStore, 'alerting'>) {
    this.#meta = meta;
  }

  /** Only there while the store runs. */
  get #store() {
    return this.#meta.alerting;
  }

  /** Reads the open alerts of every tenant: once, before anything is decided. */
  async load(): Promise<void> {
    this.#active.clear();
    for (const alert of await this.#store.alerts.active()) this.keep(alert);
  }

  keep(alert: AlertRow): void {
    const alerts = this.#active.get(alert.tenantId) ?? new Map<string, AlertRow>();
    this.#active.set(alert.tenantId, alerts);
    if (alert.state === 'resolved') alerts.delete(alert.alertId);
    else alerts.set(alert.alertId, alert);
  }

  tenants(): string[] {
    return [...this.#active.keys()];
  }

  active(tenantId: string): ReadonlyMap<string, AlertRow> {
    return this.#active.get(tenantId) ?? new Map();
  }

  rules(tenantId: string): Promise<ReadonlyMap<string, RuleRow>> {
    return kept(this.#rules, tenantId, async () => {
      const rows = await this.#store.rules.list(tenantId);
      return new Map(rows.map((row) => [row.ruleId, heard(row)]));
    });
  }

  rulesChanged(tenantId: string): void {
    this.#rules.delete(tenantId);
  }

  policiesChanged(tenantId: string): void {
    this.#policies.delete(tenantId);
  }

  /** Rules and policies are read again. */
  forget(tenantId: string): void {
    this.rulesChanged(tenantId);
    this.policiesChanged(tenantId);
  }

  async policies<K extends PolicyKind>(tenantId: string, kind: K): Promise<PolicyRow<K>[]> {
    const rows = await kept(this.#policies, tenantId, () => this.#readPolicies(tenantId));
    return rows.filter((row): row is PolicyRow<K> => row.kind === kind);
  }

  async state(tenantId: string): Promise<TenantState> {
    const [rules, silences, maintenance, inhibitions] = await Promise.all([
      this.rules(tenantId),
      this.policies(tenantId, 'silence'),
      this.policies(tenantId, 'maintenance'),
      this.policies(tenantId, 'inhibition'),
    ]);
    return { rules, policies: { silences, maintenance, inhibitions }, active: this.active(tenantId) };
  }

  async #readPolicies(tenantId: string): Promise<readonly PolicyRow<PolicyKind>[]> {
    const kinds = ['silence', 'maintenance', 'inhibition', 'schedule', 'channel'] as const;
    const lists = await Promise.all(kinds.map((kind) => this.#store.policies.list(tenantId, kind)));
    return lists.flat() as PolicyRow<PolicyKind>[];
  }
}

/**
 * A rule that names nobody means its owner. Said here, once: beside the targets of an escalation an empty list would
 * mean nobody.
 */
function heard(row: RuleRow): RuleRow {
  const { notify } = row.content;
  if (notify.targets.some(({ kind }) => kind !== 'channel')) return row;
  const targets = [...notify.targets, { kind: 'user' as const, user_id: row.userId }];
  return { ...row, content: { ...row.content, notify: { ...notify, targets } } };
}

/** One read for all who ask at once; a failed one is asked again by the next. */
function kept<Value>(
  cache: Map<string, Promise<Value>>,
  key: string,
  read: () => Promise<Value>,
): Promise<Value> {
  const before = cache.get(key);
  if (before !== undefined) return before;
  const reading = read();
  cache.set(key, reading);
  reading.catch(() => {
    if (cache.get(key) === reading) cache.delete(key);
  });
  return reading;
}
