import type { Clock } from '@nowcast/kernel';
import type { MaintainRequest, Warehouse } from '@nowcast/ports';
import type { EngineLog } from './embedded-engine.ts';

const everyMs = 60_000;
/** A go is at least so many pieces, and as many as fit into its time; the rest waits a minute for queries' sake. */
const fewestPieces = 20;
const goMs = everyMs / 3;

/** Lets the warehouse do its background work (sealing, compaction, retention) a piece at a time. */
export class Upkeep {
  readonly #warehouse: Pick<Warehouse, 'maintain'>;
  readonly #clock: Clock;
  readonly #log: EngineLog;
  readonly #request: () => MaintainRequest;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(
    warehouse: Pick<Warehouse, 'maintain'>,
    clock: Clock,
    log: EngineLog,
    request: () => MaintainRequest,
  ) {
    this.#warehouse = warehouse;
    this.#clock = clock;
    this.#log = log;
    this.#request = request;
  }

  start(): void {
    this.#cancel = this.#clock.after(everyMs, () => {
      this.#running = this.#work().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  async #work(): Promise<void> {
    const until = this.#clock.monotonic() + goMs;
    try {
      for (let i = 0; i < fewestPieces || this.#clock.monotonic() < until; i++)
        if (this.#stopped || !(await this.#warehouse.maintain(this.#request()))) return;
    } catch (error) {
      this.#log('warn', 'upkeep of the warehouse failed, will be tried again', { reason: String(error) });
    }
  }
}
