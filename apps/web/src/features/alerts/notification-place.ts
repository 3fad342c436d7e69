import type { Notification } from '@nowcast/contract';

/** Where a notification leads: its alert; its rule when it is about the rule; the inbox when it speaks of several. */
export function placeOf({
  alert_ids: alertIds,
  rule_id: ruleId,
}: Pick<Notification, 'alert_ids' | 'rule_id'>):
  | { to: '/alerts' }
  | { to: '/alerts/$alertId'; params: { alertId: string } }
  | { to: '/alerts/rules/$ruleId'; params: { ruleId: string } } {
  const [alertId] = alertIds;
  if (alertIds.length === 1 && alertId !== undefined) return { to: '/alerts/$alertId', params: { alertId } };
  if (alertIds.length === 0 && ruleId !== null) return { to: '/alerts/rules/$ruleId', params: { ruleId } };
  return { to: '/alerts' };
}
