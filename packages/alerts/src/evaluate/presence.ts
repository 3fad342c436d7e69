import type { ByteReader, ByteWriter } from '@nowcast/contract';
import { graceOf, noPause, type Pause } from './pause.ts';

const leastIntervalMs = 1000;
/** Missed intervals after which a source counts as silent. */
const missed = 3;
const mostReturns = 100;

/**
 * When a group was heard, and how often it went silent and came back. The usual interval follows the gaps between
 * arrivals slowly upwards and quickly downwards: one long pause must not make the next one look normal.
 */
export class Presence {
  /** Logged receipt times. */
  firstAt = 0;
  lastAt = 0;
  #intervalMs = 0;
  #returns: number[] = [];

  /** `pause`: the last time nobody listened. It is no silence, nor is the time that it takes to be heard again. */
  heard(now: number, pause: Pause = noPause): void {
    const wasBefore = this.lastAt < pause.end;
    if (this.lastAt === 0) {
      this.firstAt = now;
    } else if (now > this.lastAt) {
      if (this.#isSilent(now - (wasBefore ? pause.end + graceOf(pause) : this.lastAt)))
        this.#returns = [...this.#returns.slice(1 - mostReturns), now];
      if (!wasBefore) this.#learnInterval(now - this.lastAt);
    }
    this.lastAt = Math.max(this.lastAt, now);
  }

  /** A pause counts as at most so many intervals: a source that became slower is usual again after a few of them. */
  #learnInterval(gap: number): void {
    const usual = this.#intervalMs;
    if (usual === 0) this.#intervalMs = gap;
    else if (gap < usual) this.#intervalMs = Math.max(leastIntervalMs, usual + (gap - usual) * 0.5);
    else this.#intervalMs = usual + (Math.min(gap, missed * Math.max(leastIntervalMs, usual)) - usual) * 0.1;
  }

  #isSilent(pauseMs: number): boolean {
    return this.#intervalMs > 0 && pauseMs > missed * Math.max(leastIntervalMs, this.#intervalMs);
  }

  /** How often it came back within the last `windowMs`. */
  returnsWithin(now: number, windowMs: number): number {
    return this.#returns.filter((at) => at > now - windowMs).length;
  }

  save(writer: ByteWriter): void {
    for (const value of [this.firstAt, this.lastAt, this.#intervalMs]) writer.f64(value);
    writer.varint(this.#returns.length);
    for (const at of this.#returns) writer.f64(at);
  }

  load(reader: ByteReader): void {
    this.firstAt = reader.f64();
    this.lastAt = reader.f64();
    this.#intervalMs = reader.f64();
    this.#returns = Array.from({ length: reader.varint() }, () => reader.f64());
  }
}
