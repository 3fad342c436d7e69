import type { CommandContext } from './output.ts';

const everyMs = 500;

/** One line that counts up, where somebody watches. */
export class Progress {
  readonly #context: CommandContext;
  readonly #what: string;
  readonly #startedMs = performance.now();
  #shownMs = 0;

  constructor(context: CommandContext, what: string) {
    this.#context = context;
    this.#what = what;
  }

  show(count: number): void {
    const now = performance.now();
    if (!this.#context.interactive || now - this.#shownMs < everyMs) return;
    this.#shownMs = now;
    const perSecond = Math.round((count * 1000) / Math.max(now - this.#startedMs, 1));
    this.#context.note(`\r\u001B[K${count} ${this.#what}, ${perSecond} a second`);
  }

  end(): void {
    if (this.#shownMs > 0) this.#context.note('\r\u001B[K');
    this.#shownMs = 0;
  }
}

/** `1.5 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
