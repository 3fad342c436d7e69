import type { Severity, UnitName, webhookFormats } from '@nowcast/contract';

/**
 * Hands messages to the world: webhooks, mail servers, push services. One call is one attempt; whoever calls owns
 * retries, order and bookkeeping. Every connection goes through the guard against private addresses unless the
 * operator has allowed them. Never throws for what the other side does: the outcome says it.
 */
export interface Outgoing {
  send(delivery: OutgoingDelivery, signal: AbortSignal): Promise<DeliveryOutcome>;
  /** Whether mail can be sent at all here. */
  readonly email: boolean;
  /** VAPID public key, base64url. */
  readonly pushPublicKey: string;
}

/** What can be known of a destination before anything is sent there: for those who save one. */
export interface DestinationCheck {
  /** Why it can never work (no URL, a template that is not JSON, a missing key), in words; undefined: nothing. */
  problem(destination: Destination): string | undefined;
}

export interface OutgoingDelivery {
  /** The same for every attempt: `Idempotency-Key`, `Message-ID`, `Topic` and tag are made from it. */
  key: string;
  destination: Destination;
  message: AlertMessage;
}

export type Destination =
  | {
      kind: 'webhook';
      url: string;
      format: (typeof webhookFormats)[number];
      template: string;
      secret: string;
      /** HMAC-SHA256 key of `nowcast` bodies. */
      signingSecret: string;
    }
  | { kind: 'email'; to: readonly string[] }
  | { kind: 'push'; endpoint: string; p256dh: string; auth: string };

/** One notification, whichever way it goes. */
export interface AlertMessage {
  notificationId: string;
  kind:
    | 'firing'
    | 'resolved'
    /** Somebody took it: said to channels that keep incidents of their own (PagerDuty, Opsgenie). */
    | 'acknowledged'
    | 'escalated'
    | 'repeated'
    | 'flapping'
    | 'rule_problem'
    | 'delivery_problem'
    | 'test'
    | 'digest';
  severity: Severity;
  /** What it is about; its state and severity are added where it is shown. */
  title: string;
  text: string;
  /** Epoch ms of the transition. */
  at: number;
  tenantName: string;
  ruleId: string;
  ruleName: string;
  /** Of the alert on the page. Stored it is a path; it is sent as an address, so that a moved server's links are right. */
  url: string;
  runbookUrl: string;
  alerts: readonly {
    alertId: string;
    labels: Readonly<Record<string, string>>;
    value: number | undefined;
    limit: number | undefined;
    since: number;
  }[];
  unit: UnitName;
  /** The last hour of the first alert's value, for a picture in a mail; absent where none belongs or can be had. */
  chart?: AlertChart;
  /** Why there is no picture where one belongs, in words. */
  chartProblem?: string;
  /** Groups the messages of one alert on a device and in PagerDuty or Opsgenie. */
  tag: string;
}

/** A rule's value over time for one alert, and what it was compared with. Times are epoch ms. */
export interface AlertChart {
  from: number;
  to: number;
  /** Ascending, within [from, to]. */
  timestamps: readonly number[];
  /** NaN where there is no value. */
  values: readonly number[];
  /** Levels, each over the span for which it is known. */
  limits: readonly { value: number; from: number; to: number }[];
  firing: readonly { from: number; to: number }[];
}

export type DeliveryOutcome =
  | { ok: true }
  | {
      ok: false;
      /** Trying again may help. */
      retryable: boolean;
      /** The address exists no more (a push subscription that ended): forget it. */
      gone: boolean;
      /** In words, for the inbox; never holds a secret. */
      error: string;
      retryAfterMs: number | undefined;
    };
