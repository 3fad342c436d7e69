import type { Can } from '@nowcast/contract';
import type { Clock } from '@nowcast/kernel';
import type { AlertEvaluation, DestinationCheck, MetaStore, Outgoing, RevocationBus } from '@nowcast/ports';

export type NotifyStore = Pick<MetaStore, 'tenants' | 'members' | 'users' | 'alerting'>;

export interface NotifyOptions {
  store: NotifyStore;
  evaluation: AlertEvaluation;
  outgoing: Outgoing & Partial<DestinationCheck>;
  clock: Clock;
  can: Can;
  /** Who leaves an organisation leaves rules and policies to somebody else. */
  onRevoked: RevocationBus['onRevoked'];
  /** Origin of the page, no slash at the end: what links in messages begin with. */
  publicUrl: () => string;
  log: (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
  /** Hears how long it took from the receipt of the point to the first way out, for each message that was sent. */
  observeDelayMs?: (ms: number) => void;
}
