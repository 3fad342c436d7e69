import * as fc from 'fast-check';
import { describe, test } from 'vitest';
import { checkEverything, logCommands } from './commands.ts';
import { type Coverage, Oracle } from './oracle.ts';
import type { LogSystem } from './system.ts';

export interface LogModelOptions {
  runs?: number;
  /** Most commands of one run. */
  commands?: number;
  /** As printed by a failure, together with `path`, to see it again. */
  seed?: number;
  path?: string;
  timeoutMs?: number;
}

/** Drives a system through random lives; rejects with fast-check's report (seed, path, shortest life found). */
export async function runLogModel(
  makeSystem: () => Promise<LogSystem>,
  options: LogModelOptions = {},
): Promise<Coverage> {
  const coverage = newCoverage();
  const life = async (commands: Iterable<fc.AsyncCommand<Oracle, LogSystem>>): Promise<void> => {
    const oracle = new Oracle(coverage);
    const system = await makeSystem();
    system.onFrame((frame) => oracle.receive(frame));
    try {
      await fc.asyncModelRun(() => ({ model: oracle, real: system }), commands);
      await checkEverything(oracle, system);
    } finally {
      await system.stop();
    }
  };
  await fc.assert(fc.asyncProperty(logCommands(options.commands ?? 40), life), {
    numRuns: options.runs ?? 100,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  return coverage;
}

/** The suite every implementation of the path of a point must pass; docs/log.md says what it checks. */
export function logModelSuite(
  name: string,
  makeSystem: () => Promise<LogSystem>,
  options: LogModelOptions = {},
): void {
  describe(`${name} as the path of a point`, () => {
    test(
      'whatever is appended, flushed, compacted, cut, crashed, restored and resumed, everything acknowledged is seen once',
      async () => {
        await runLogModel(makeSystem, options);
      },
      options.timeoutMs ?? 60_000,
    );
  });
}

function newCoverage(): Coverage {
  return {
    crashes: 0,
    restores: 0,
    resumed: 0,
    notRecovered: 0,
    pushed: 0,
    pinnedReads: 0,
    retries: 0,
    flushes: 0,
    cuts: 0,
  };
}
