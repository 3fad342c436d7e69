import type { AlertStore } from '@nowcast/ports';
import type { Kysely } from 'kysely';
import { SqliteDeliveries } from './alert-deliveries.ts';
import { SqliteAlerts } from './alert-history.ts';
import { SqliteInbox } from './alert-inbox.ts';
import { SqliteAlertPeople } from './alert-people.ts';
import { SqliteAlertPolicies } from './alert-policies.ts';
import { SqliteAlertRules } from './alert-rules.ts';
import type { Tables } from './schema.ts';

export function sqliteAlertStore(db: Kysely<Tables>): AlertStore {
  return {
    rules: new SqliteAlertRules(db),
    policies: new SqliteAlertPolicies(db),
    alerts: new SqliteAlerts(db),
    inbox: new SqliteInbox(db),
    deliveries: new SqliteDeliveries(db),
    people: new SqliteAlertPeople(db),
  };
}
