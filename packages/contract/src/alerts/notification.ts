import type { AlertState, Severity } from './alert-names.ts';

export type DeliveryStatus = 'waiting' | 'sent' | 'retrying' | 'failed' | 'skipped';

/** How one message went one way. */
export interface Delivery {
  delivery_id: string;
  /** `push` or `email` of the person, or the channel's name. */
  via: string;
  status: DeliveryStatus;
  attempts: number;
  /**
   * Why the last attempt failed (for those who manage channels) or why it was not sent, in words; empty when all is well.
   */
  error: string;
  at: number;
}

/** A message in a person's inbox: the mission's record, with what it is about. */
export interface Notification {
  notification_id: string;
  user_id: string;
  message: string;
  timestamp: number;
  title: string;
  severity: Severity;
  /** What it says: it fires, it is over, nobody acknowledged it, a rule cannot be evaluated, a delivery failed. */
  kind:
    | 'firing'
    | 'resolved'
    | 'escalated'
    | 'repeated'
    | 'flapping'
    | 'rule_problem'
    | 'delivery_problem'
    | 'test';
  rule_id: string | null;
  /** All alerts it speaks of; one unless the rule groups. */
  alert_ids: string[];
  /** State of the first one at the moment of the answer. */
  alert_state: AlertState | null;
  labels: Record<string, string>;
  value: number | null;
  read_at: number | null;
  /** From the receipt of the point that decided it to its handing over to the first channel, ms. */
  delay_ms: number | null;
  deliveries: Delivery[];
}

/** Pushed to every open page that follows: something of this kind changed; lists are read again. */
export type TenantEvent =
  | { topic: 'alerts'; alert_id: string; rule_id: string; state: AlertState; severity: Severity }
  | { topic: 'notifications'; notification: Notification; unread: number }
  | { topic: 'unread'; unread: number }
  | { topic: 'rules'; rule_id: string }
  | { topic: 'policies'; kind: 'silence' | 'maintenance' | 'inhibition' | 'schedule' | 'channel' };
