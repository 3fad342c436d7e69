import { createHash } from 'node:crypto';
import { isAppError } from '@nowcast/kernel';
import type { DeliveryOutcome, DeliveryRow, Destination } from '@nowcast/ports';
import type { PictureReader } from './alert-picture.ts';
import { type AfterAttempt, afterAttempt } from './decide-retry.ts';
import { addressOf } from './delivery-address.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { digestMessage } from './digest.ts';
import type { DirectSend } from './direct-send.ts';
import type { FirstAttempts } from './first-attempts.ts';
import { MailTurns, mailsAnHour, type TurnMail } from './mail-turns.ts';
import type { NotifyOptions } from './notify-options.ts';

const readAtOnce = 200;
/** Messages in one mail; each has its text in memory. */
const mostInDigest = 5000;
const retryReadMs = 1000;

const itIsOver = 'it was over before this could be sent';

/** Told of a delivery, or all of a digest, that failed for good: one way and tenant, at least one row. */
export type OnFailed = (rows: readonly DeliveryRow[], error: string) => Promise<void>;

/**
 * Makes the deliveries that are due. What is stored is the truth: a crash between an attempt and its bookkeeping makes
 * the attempt again under the same key. One way out that is slow or broken holds up no other.
 */
export class DeliveryWorker {
  readonly #options: NotifyOptions;
  readonly #direct: DirectSend;
  readonly #attempts: FirstAttempts;
  readonly #pictures: PictureReader;
  readonly #onFailed: OnFailed;
  readonly #queue = new DeliveryQueue();
  readonly #running = new Set<Promise<void>>();
  readonly #mails = new MailTurns();
  #pumping: Promise<void> | undefined;
  #again = false;
  /** The store may have something that is not in the queue. */
  #isStale = true;
  #stopped = true;
  #cancelTimer = (): void => {};

  constructor(
    options: NotifyOptions,
    parts: { direct: DirectSend; attempts: FirstAttempts; pictures: PictureReader; onFailed: OnFailed },
  ) {
    this.#options = options;
    this.#attempts = parts.attempts;
    this.#direct = parts.direct;
    this.#pictures = parts.pictures;
    this.#onFailed = parts.onFailed;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#direct.stop();
    this.#attempts.stop();
    await this.#pumping;
    await Promise.all(this.#running);
  }

  /** Something may be due. */
  wake(): void {
    this.#isStale = true;
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    this.#again = true;
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      // Woken while the timer was being set.
      if (this.#again && !this.#stopped) this.#pumpSoon();
    });
  }

  async #pump(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#startDue();
      }
      await this.#setTimer();
    } catch (error) {
      this.#options.log('error', 'deliveries could not be read; trying again', { error });
      this.#wakeAfter(retryReadMs);
    }
  }

  async #startDue(): Promise<void> {
    do {
      if (this.#isStale) await this.#read();
      if (this.#stopped) return;
      for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
        this.#isStale ||= next.ranOut;
        this.#start(await this.#wholeOf(next.digest));
      }
    } while (this.#isStale);
  }

  /** Behind a full page there may be others: what is known by then is left out of the next. */
  async #read(): Promise<void> {
    const { clock, store } = this.#options;
    const limit = readAtOnce + this.#queue.size;
    this.#isStale = false;
    this.#queue.beginRead();
    try {
      const rows = await store.alerting.deliveries.due(clock.now(), limit, this.#queue.busy);
      this.#queue.add(rows);
      this.#isStale ||= rows.length === limit;
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  /** A digest may go on behind the page that was read. */
  async #wholeOf(digest: readonly DeliveryRow[]): Promise<readonly DeliveryRow[]> {
    const key = digest[0]?.digestKey;
    if (key === undefined) return digest;
    const { clock, store } = this.#options;
    this.#queue.beginRead();
    try {
      const rows = await store.alerting.deliveries.dueOfDigest(key, clock.now(), mostInDigest);
      return this.#queue.join(digest, rows);
    } catch (error) {
      this.#queue.done(digest);
      this.#isStale = true;
      throw error;
    }
  }

  #start(digest: readonly DeliveryRow[]): void {
    const making = this.#make(digest).finally(() => {
      this.#queue.done(digest);
      this.#running.delete(making);
      if (!this.#stopped) this.#pumpSoon();
    });
    this.#running.add(making);
  }

  async #make(digest: readonly DeliveryRow[]): Promise<void> {
    const [first] = digest;
    if (first === undefined) return;
    try {
      if (hasWaited(first) && (await this.#isOver(first))) {
        await this.#skip(digest, itIsOver);
        return;
      }
      const address = await addressOf(this.#options, first);
      if ('skipped' in address) {
        await this.#skip(digest, address.skipped);
        return;
      }
      const waitMs = this.#mailWaitMs(first, address.destination);
      if (waitMs > 0) {
        await this.#postpone(digest, waitMs);
        return;
      }
      const message = digest.length === 1 ? first.message : digestMessage(digest);
      const picture =
        address.destination.kind === 'email' ? await this.#pictures.pictureOf(first.tenantId, message) : {};
      const { destination } = address;
      const outcome = await this.#direct.attempt(first.deliveryId, destination, { ...message, ...picture });
      this.#noteMail(first, destination, outcome);
      if (this.#stopped && !outcome.ok) return;
      await this.#finish(digest, outcome);
    } catch (error) {
      // The store is away; what is stored stays due.
      const text = isAppError(error) ? error.message : String(error);
      this.#options.log('error', 'a delivery could not be noted; it is made again', { error: text });
      await new Promise<void>((resolve) => this.#options.clock.after(retryReadMs, resolve));
    }
  }

  async #finish(digest: readonly DeliveryRow[], outcome: DeliveryOutcome): Promise<void> {
    const now = this.#options.clock.now();
    await this.#noteDevice(digest[0], outcome, now);
    const [first] = digest;
    const noted: { row: DeliveryRow; after: AfterAttempt }[] = [];
    for (const row of digest) {
      if (!outcome.ok && (await this.#isOver(row))) {
        await this.#skip([row], itIsOver);
        continue;
      }
      const chance = chanceOf(first?.deliveryId ?? '', row.attempts);
      const after = afterAttempt(row, isTest(row) ? onceOnly(outcome) : outcome, now, chance);
      noted.push({ row, after });
    }
    await this.#note(noted);
  }

  async #note(noted: readonly { row: DeliveryRow; after: AfterAttempt }[]): Promise<void> {
    // First said, then noted: a crash between says it twice rather than never; the fallback's id is the same then.
    const failed = noted.filter(({ row, after }) => after.status === 'failed' && !isTest(row));
    const [one] = failed;
    if (one !== undefined)
      await this.#onFailed(
        failed.map(({ row }) => row),
        one.after.error,
      );
    for (const { row, after } of noted) {
      await this.#store(row.deliveryId, after);
      if (after.delayMs !== undefined) this.#options.observeDelayMs?.(after.delayMs);
    }
  }

  async #store(deliveryId: string, after: AfterAttempt): Promise<void> {
    const letsOthersGo = await this.#options.store.alerting.deliveries.finish(deliveryId, after);
    this.#isStale ||= letsOthersGo;
    this.#attempts.note(deliveryId, after);
  }

  /** Nobody need hear of it any more: what says that it is over follows by the same way. */
  async #isOver({ deliveryId, tags }: DeliveryRow): Promise<boolean> {
    return tags.length > 0 && this.#options.store.alerting.deliveries.isOver(deliveryId);
  }

  /** Counts a mail to each of its recipients, or says how long it must wait. */
  #mailWaitMs(row: DeliveryRow, destination: Destination): number {
    const mail = mailOf(row, destination);
    return mail === undefined ? 0 : this.#mails.take(mail, this.#options.clock.monotonic());
  }

  /** A mail server that cannot be reached, or not yet, was not burdened; one that has refused for good was. */
  #noteMail(row: DeliveryRow, destination: Destination, outcome: DeliveryOutcome): void {
    const mail = mailOf(row, destination);
    if (mail === undefined || outcome.ok || !outcome.retryable) return;
    this.#mails.giveBack(mail, this.#options.clock.monotonic());
  }

  /** Keeps it for later, and says why in the inbox; this is no attempt. */
  async #postpone(digest: readonly DeliveryRow[], waitMs: number): Promise<void> {
    const at = this.#options.clock.now();
    const error = `this organisation has sent ${mailsAnHour} mails within an hour; the next one goes when there is room`;
    for (const { deliveryId, attempts } of digest)
      await this.#store(deliveryId, {
        status: 'waiting',
        attempts,
        error,
        at,
        dueAt: at + waitMs,
        delayMs: undefined,
      });
  }

  async #skip(digest: readonly DeliveryRow[], reason: string): Promise<void> {
    const at = this.#options.clock.now();
    for (const { deliveryId, tenantId, attempts } of digest) {
      this.#mails.leave({ id: deliveryId, tenantId });
      await this.#store(deliveryId, {
        status: 'skipped',
        attempts,
        error: reason,
        at,
        dueAt: undefined,
        delayMs: undefined,
      });
    }
  }

  async #noteDevice(row: DeliveryRow | undefined, outcome: DeliveryOutcome, at: number): Promise<void> {
    if (row?.via.kind !== 'push') return;
    const { people } = this.#options.store.alerting;
    const { userId, deviceId } = row.via;
    if (!outcome.ok && outcome.gone) await people.deleteDevice(row.tenantId, userId, deviceId);
    else await people.noteDevice(deviceId, { at, ok: outcome.ok, error: outcome.ok ? '' : outcome.error });
  }

  async #setTimer(): Promise<void> {
    const next = await this.#options.store.alerting.deliveries.nextDue();
    const now = this.#options.clock.now();
    if (next === undefined) return;
    // What is due and not under way waits for a place: whatever ends next looks again, this is for what becomes due.
    this.#wakeAfter(next > now ? Math.min(next - now, 3_600_000) : retryReadMs);
  }

  #wakeAfter(delayMs: number): void {
    this.#cancelTimer();
    if (this.#stopped) return;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.wake());
  }
}

/** It failed, or found no room among the mails: meanwhile it may be over. */
function hasWaited({ attempts, error }: DeliveryRow): boolean {
  return attempts > 0 || error !== '';
}

function mailOf(
  { deliveryId, tenantId, message }: DeliveryRow,
  destination: Destination,
): TurnMail | undefined {
  if (destination.kind !== 'email') return undefined;
  return {
    id: deliveryId,
    tenantId,
    isCritical: message.severity === 'critical',
    count: destination.to.length,
  };
}

function isTest({ message }: DeliveryRow): boolean {
  return message.kind === 'test';
}

/** Whoever sent a test is told how it went, and sends another when something has changed. */
function onceOnly(outcome: DeliveryOutcome): DeliveryOutcome {
  return outcome.ok ? outcome : { ...outcome, retryable: false };
}

/** Spreads retries in [0, 1), the same for the same attempt. */
function chanceOf(deliveryId: string, attempts: number): number {
  return createHash('sha256').update(`${deliveryId} ${attempts}`).digest().readUInt32BE(0) / 2 ** 32;
}
