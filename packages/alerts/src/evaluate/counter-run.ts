import type { ByteReader, ByteWriter } from '@nowcast/contract';

/**
 * The recent points of one counter in (time, value) order, from which growth is computed anew whenever it is asked for:
 * a late point simply takes its place. A drop is a restart from zero.
 */
export class CounterRun {
  timestamps = new Float64Array(16);
  values = new Float64Array(16);
  length = 0;

  /** Adds a point and forgets those more than `keepMs` older than the newest, but for the last of them. */
  add(timestamp: number, value: number, keepMs: number): void {
    const at = this.#placeOf(timestamp, value);
    this.#reserve();
    this.timestamps.copyWithin(at + 1, at, this.length);
    this.values.copyWithin(at + 1, at, this.length);
    this.timestamps[at] = timestamp;
    this.values[at] = value;
    this.length += 1;
    const oldest = this.timestamps[this.length - 1]! - keepMs;
    if (this.length > 64 && this.timestamps[this.length >> 1]! < oldest) this.#dropBefore(oldest);
  }

  /**
   * Growth in [from, to), beginning at the last point before `from` that is at most `reachMs` older; NaN when no point
   * lies in the range.
   */
  growth(from: number, to: number, reachMs: number): number {
    const first = this.#firstAtOrAfter(from);
    const end = this.#firstAtOrAfter(to);
    if (end <= first) return Number.NaN;
    let growth = 0;
    const start = first > 0 && this.timestamps[first - 1]! >= from - reachMs ? first : first + 1;
    for (let i = start; i < end; i += 1) {
      const before = this.values[i - 1]!;
      const value = this.values[i]!;
      growth += value >= before ? value - before : value;
    }
    return growth;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.length);
    writer.raw(this.timestamps.subarray(0, this.length));
    writer.raw(this.values.subarray(0, this.length));
  }

  load(reader: ByteReader): void {
    this.length = reader.varint();
    this.timestamps = Float64Array.from({ length: Math.max(16, this.length) });
    this.values = Float64Array.from({ length: Math.max(16, this.length) });
    for (let i = 0; i < this.length; i += 1) this.timestamps[i] = reader.f64();
    for (let i = 0; i < this.length; i += 1) this.values[i] = reader.f64();
  }

  #firstAtOrAfter(time: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timestamps[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #placeOf(timestamp: number, value: number): number {
    let at = this.length;
    while (
      at > 0 &&
      (this.timestamps[at - 1]! > timestamp ||
        (this.timestamps[at - 1] === timestamp && this.values[at - 1]! > value))
    )
      at -= 1;
    return at;
  }

  #dropBefore(oldest: number): void {
    const from = Math.max(0, this.#firstAtOrAfter(oldest) - 1);
    this.timestamps.copyWithin(0, from, this.length);
    this.values.copyWithin(0, from, this.length);
    this.length -= from;
  }

  #reserve(): void {
    if (this.length < this.timestamps.length) return;
    const timestamps = new Float64Array(this.length * 2);
    const values = new Float64Array(this.length * 2);
    timestamps.set(this.timestamps);
    values.set(this.values);
    this.timestamps = timestamps;
    this.values = values;
  }
}
