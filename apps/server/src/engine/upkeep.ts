import type { Clock } from '@nowcast/kernel';
import type { MaintainRequest, Warehouse } from '@nowcast/ports';
import type { EngineLog } from './embedded-engine.ts';

const everyMs = 60_000;
/** Pieces of work in one go; the rest waits a minute, so that queries are never far behind. */
const mostPieces = 20;

/** Lets the warehouse do its background work (sealing, compaction, retention) a piece at a time. */
export class Upkeep {
  readonly #warehouse: Warehouse;
  readonly #clock: Clock;
  readonly #log: EngineLog;
  readonly #request: () => MaintainRequest;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(warehouse: Warehouse, clock: Clock, log: EngineLog, request: () => MaintainRequest) {
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
    try {
      for (let i = 0; i < mostPieces && !this.#stopped; i++)
        if (!(await this.#warehouse.maintain(this.#request()))) return;
    } catch (error) {
      this.#log('warn', 'upkeep of the warehouse failed, will be tried again', { reason: String(error) });
    }
  }
}
