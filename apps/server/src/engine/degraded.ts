import type { PartitionState } from './partition-state.ts';

/** What readiness says does not work for now; several things may not at once, and each is said by itself. */
export class Degraded {
  readonly #tell: (why: string | undefined) => void;
  readonly #reasons = new Map<'history' | 'clock', string>();

  constructor(tell: (why: string | undefined) => void) {
    this.#tell = tell;
  }

  /** `undefined`: it works. */
  say(what: 'history' | 'clock', why: string | undefined): void {
    if (why === undefined) this.#reasons.delete(what);
    else this.#reasons.set(what, why);
    this.#tell(this.#reasons.size === 0 ? undefined : [...this.#reasons.values()].join('\n'));
  }
}

export function historyMissing(states: readonly PartitionState[], why: string): string {
  const behind = states.filter(({ watermark, nextOffset }) => watermark < nextOffset);
  const storedTo =
    behind.length > 0
      ? Math.min(...behind.map(({ flushedReceivedAt }) => flushedReceivedAt))
      : Math.max(...states.map(({ lastReceivedAt }) => lastReceivedAt));
  const reach = storedTo > 0 ? `, stored and complete to ${new Date(storedTo).toISOString()}` : '';
  return `history is not available for now${reach}; newer points are kept: ${why}`;
}
