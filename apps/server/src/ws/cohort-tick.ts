import type { Cohort, SharedView } from './connection.ts';
import type { EncodedFrame } from './encoded-frame.ts';

interface CohortBytes {
  bytes: Buffer;
  frames: number;
}

/** What a tick has for one cohort, with and without the question for an acknowledgement. */
export class CohortTick {
  readonly plain: CohortBytes;
  readonly #cohort: Cohort;
  readonly #news: Map<SharedView, EncodedFrame[]>;
  readonly #question: number;
  #asking: CohortBytes | undefined;

  constructor(cohort: Cohort, news: Map<SharedView, EncodedFrame[]>, question: number) {
    this.#cohort = cohort;
    this.#news = news;
    this.#question = question;
    this.plain = this.#bytes(0);
  }

  get asking(): CohortBytes {
    return (this.#asking ??= this.#bytes(this.#question));
  }

  /** Only the last frame asks. */
  #bytes(question: number): CohortBytes {
    const { format, entries } = this.#cohort;
    const wanted: { id: string; frame: EncodedFrame }[] = [];
    for (const { id, view } of entries) {
      for (const frame of this.#news.get(view) ?? []) wanted.push({ id, frame });
    }
    const last = wanted.length - 1;
    const parts = wanted.map(({ id, frame }, i) => frame.bytes(format, id, i === last ? question : 0));
    return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), frames: parts.length };
  }
}
