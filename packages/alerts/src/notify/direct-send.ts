import type { Delivery } from '@nowcast/contract';
import { randomId } from '@nowcast/kernel';
import type { AlertMessage, DeliveryOutcome, Destination } from '@nowcast/ports';
import type { NotifyOptions } from './notify-options.ts';

const attemptMs = 15_000;

/** One attempt with a time limit; whoever calls does the bookkeeping. */
export class DirectSend {
  readonly #options: NotifyOptions;
  readonly #stopping = new AbortController();

  constructor(options: NotifyOptions) {
    this.#options = options;
  }

  /** Ends what is under way. */
  stop(): void {
    this.#stopping.abort();
  }

  /** A path in the message becomes an address of the page, as it is now. */
  async attempt(key: string, destination: Destination, stored: AlertMessage): Promise<DeliveryOutcome> {
    const message = { ...stored, url: this.#addressOf(stored.url) };
    const limit = new AbortController();
    const cancel = this.#options.clock.after(attemptMs, () => limit.abort());
    try {
      const signal = AbortSignal.any([limit.signal, this.#stopping.signal]);
      const outcome = await this.#options.outgoing.send({ key, destination, message }, signal);
      return limit.signal.aborted && !outcome.ok
        ? { ...outcome, retryable: true, error: `no answer within ${attemptMs / 1000} s` }
        : outcome;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { ok: false, retryable: true, gone: false, error: text, retryAfterMs: undefined };
    } finally {
      cancel();
    }
  }

  #addressOf(url: string): string {
    return url.startsWith('/') ? `${this.#options.publicUrl()}${url}` : url;
  }

  /** A message that says it is a test, once. */
  async test(tenantId: string, destination: Destination, via: string): Promise<Delivery> {
    const id = randomId('dlv');
    const tenant = await this.#options.store.tenants.get(tenantId);
    const at = this.#options.clock.now();
    const outcome = await this.attempt(id, destination, {
      notificationId: id,
      kind: 'test',
      severity: 'info',
      title: 'Test message',
      text: 'This is a test message; nothing has happened.',
      at,
      tenantName: tenant?.name ?? '',
      ruleId: '',
      ruleName: '',
      url: '/alerts',
      runbookUrl: '',
      alerts: [],
      unit: 'none',
      tag: 'test',
    });
    return {
      delivery_id: id,
      via,
      status: outcome.ok ? 'sent' : 'failed',
      attempts: 1,
      error: outcome.ok ? '' : outcome.error,
      at: this.#options.clock.now(),
    };
  }
}
