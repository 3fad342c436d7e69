import { hashText } from './murmur3.ts';

/** What a derived id is made of. */
export interface NamelessRecord {
  /** Stable 64-bit id of the series. */
  seriesId: bigint;
  timestamp: number;
  value: number;
  receivedAt: number;
  actor?: string | undefined;
  message?: string | undefined;
}

/**
 * Names records that came without an id; derived whenever a record is shown, never stored.
 *
 * Numbering the points of a series and a time is not enough: two that were received in the same millisecond may be seen
 * together or one after the other, and whoever saw only the first would call it by the number that the second gets
 * later. So the name is the record's content, and a number tells apart only those that are alike in everything,
 * which may change places without anybody noticing. One instance must be given all records of a time.
 */
export class RecordNames {
  /** Records so far of each content, by time. */
  readonly #counts = new Map<number, Map<string, number>>();

  /** The id of one more record of this content. */
  next(record: NamelessRecord): string {
    const content = contentOf(record);
    const ofTime = this.#ofTime(record.timestamp);
    const count = ofTime.get(content) ?? 0;
    ofTime.set(content, count + 1);
    // Digits that sort as text: the newest of those alike is the one with the highest number.
    return count === 0 ? content : `${content}-${String(count).padStart(6, '0')}`;
  }

  /** Takes note of a record that was named elsewhere, in the same way, together with all those alike before it. */
  note(record: NamelessRecord, dataId: string): void {
    const content = contentOf(record);
    if (!dataId.startsWith(content)) return;
    const number = dataId === content ? 0 : Number(dataId.slice(content.length + 1));
    const ofTime = this.#ofTime(record.timestamp);
    ofTime.set(content, Math.max(ofTime.get(content) ?? 0, number + 1));
  }

  #ofTime(timestamp: number): Map<string, number> {
    let ofTime = this.#counts.get(timestamp);
    if (ofTime === undefined) this.#counts.set(timestamp, (ofTime = new Map<string, number>()));
    return ofTime;
  }

  /** Number of times of which something is remembered. */
  get size(): number {
    return this.#counts.size;
  }

  /** No record older than this will be named any more, epoch ms. */
  forgetBefore(timestamp: number): void {
    for (const time of this.#counts.keys()) if (time < timestamp) this.#counts.delete(time);
  }
}

function contentOf({ seriesId, timestamp, value, receivedAt, actor, message }: NamelessRecord): string {
  const base = `${hex(seriesId, 16)}-${timestamp}-${receivedAt}-${value}`;
  if (actor === undefined && message === undefined) return base;
  const [high, low] = hashText(JSON.stringify([actor ?? null, message ?? null]));
  return `${base}-${hex(high!, 8)}${hex(low!, 8)}`;
}

function hex(number: number | bigint, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}
