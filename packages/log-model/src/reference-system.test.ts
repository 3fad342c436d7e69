import { describe, expect, test } from 'vitest';
import { ReferenceSystem } from './reference-system.ts';
import { type Rules, soundRules } from './rules.ts';
import { logModelSuite, runLogModel } from './suite.ts';

const make =
  (rules: Partial<Rules> = {}) =>
  () =>
    Promise.resolve(new ReferenceSystem({ rules }));

logModelSuite('The reference model', make(), { runs: 300 });

test('a run meets everything it is about: crashes, restores, resumes of both kinds, pins, retries, cuts', async () => {
  const coverage = await runLogModel(make(), { runs: 100, seed: 20_260_101 });
  for (const [what, times] of Object.entries(coverage)) expect(times, what).toBeGreaterThan(10);
});

describe('each rule of the log is needed: the suite finds a system that breaks only', () => {
  test.each(Object.keys(soundRules) as (keyof Rules)[])('%s', async (rule) => {
    await expect(runLogModel(make({ [rule]: false }), { runs: 2000, seed: 1 })).rejects.toThrow(
      /Property failed/,
    );
  });
});
