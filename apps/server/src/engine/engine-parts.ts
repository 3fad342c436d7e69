import type { Clock } from '@nowcast/kernel';
import type { EventLog, HotStore, TransitionBatch, ViewFrame, Warehouse } from '@nowcast/ports';
import type { MetricDefaults } from './catalog.ts';
import type { EngineLog } from './embedded-engine.ts';
import type { EngineOptions } from './options.ts';
import type { LogFigures } from './stats.ts';

/** What an engine is put together from. */
export interface EngineParts {
  options: EngineOptions;
  clock: Clock;
  eventLog: EventLog;
  logFigures: () => LogFigures;
  warehouse: Warehouse;
  hot: HotStore;
  defaults: MetricDefaults;
  log: EngineLog;
  publish: (frames: readonly ViewFrame[]) => void;
  transitions: (batch: TransitionBatch) => void;
  /** Hears what does not work for now although points are acknowledged and shown live; undefined: everything does. */
  degraded: (why: string | undefined) => void;
  /** Hears of what only another start cures. */
  fatal: (error: unknown) => void;
}
