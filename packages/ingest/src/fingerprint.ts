/**
 * 64-bit fingerprints of what dedupe remembers, as two 32-bit halves: a million remembered ids collide with a new one
 * by chance once in 10^13. The hash is cyrb53's pair of multiply-xor lanes (public domain, bryc) with the murmur3
 * finaliser, kept whole. It is no defence against a sender that makes its own ids collide: it would lose its own
 * points only, the windows are per tenant. Constants are part of the log's meaning: a checkpoint holds fingerprints.
 */
export class Fingerprint {
  high = 0;
  low = 0;

  /** Of a `data_id`. */
  ofDataId(dataId: string): void {
    this.#start(1);
    this.#text(dataId);
    this.#finish();
  }

  /** Of a text point without `data_id`: series, time and the text itself. */
  ofMessage(partition: number, local: number, timestamp: number, message: string): void {
    this.#start(2);
    this.#unit(partition);
    this.#unit(local);
    this.#unit(Math.floor(timestamp / 2 ** 32));
    this.#unit(timestamp | 0);
    this.#unit((timestamp - Math.floor(timestamp)) * 2 ** 20);
    this.#text(message);
    this.#finish();
  }

  #start(kind: number): void {
    this.high = 0xdeadbeef ^ kind;
    this.low = 0x41c6ce57 ^ kind;
  }

  #text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#unit(text.charCodeAt(i));
  }

  #unit(value: number): void {
    this.high = Math.imul(this.high ^ value, 0x9e3779b1);
    this.low = Math.imul(this.low ^ value, 0x5f356495);
  }

  #finish(): void {
    const { high, low } = this;
    this.high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
    this.low =
      Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(this.high ^ (this.high >>> 13), 0xc2b2ae35);
  }
}
