import { readFileSync } from 'node:fs';
import { type ConditionState, conditionStates, type RuleCondition } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueAt, type MachineState, type Patience, step } from './machine.ts';
import { thresholdHolds } from './threshold.ts';

interface Cell {
  state: ConditionState;
  holds: boolean;
  when: string;
  next: ConditionState;
}

/** Examples of each condition that SPEC.md knows: time since the state was entered, and the rule's patience. */
const examples: Readonly<Record<string, readonly (Patience & { held: number })[]>> = {
  always: [0, 1, 10, 99].flatMap((held) => [0, 10].flatMap((ms) => ({ held, forMs: ms, keepMs: 10 - ms }))),
  'for = 0': [{ held: 5, forMs: 0, keepMs: 7 }],
  'for > 0': [1, 60_000].map((forMs) => ({ held: 90_000, forMs, keepMs: 0 })),
  'held < for': [0, 9].map((held) => ({ held, forMs: 10, keepMs: 0 })),
  'held ≥ for': [10, 11].map((held) => ({ held, forMs: 10, keepMs: 99 })),
  'keep = 0': [{ held: 5, forMs: 7, keepMs: 0 }],
  'keep > 0': [1, 60_000].map((keepMs) => ({ held: 90_000, forMs: 0, keepMs })),
  'held < keep': [0, 9].map((held) => ({ held, forMs: 0, keepMs: 10 })),
  'held ≥ keep': [10, 11].map((held) => ({ held, forMs: 99, keepMs: 10 })),
};

const page = readFileSync(new URL('../../SPEC.md', import.meta.url), 'utf8');
const cells = [...page.matchAll(/^\| (\w+) \| (holds|ends) \| ([^|]+) \| (\w+) \|$/gm)].map(
  ([, state, input, when, next]): Cell => ({
    state: state as ConditionState,
    holds: input === 'holds',
    when: when!,
    next: next as ConditionState,
  }),
);

describe('the table of SPEC.md', () => {
  test('has every state with every input, and whatever is not always comes with its opposite', () => {
    const found = Map.groupBy(cells, ({ state, holds }) => `${state} ${holds ? 'holds' : 'ends'}`);
    expect([...found.keys()].sort()).toEqual(
      conditionStates.flatMap((state) => [`${state} ends`, `${state} holds`]).sort(),
    );
    const opposites = [
      'always',
      'for = 0, for > 0',
      'held < for, held ≥ for',
      'keep = 0, keep > 0',
      'held < keep, held ≥ keep',
    ];
    for (const [name, own] of found)
      expect(opposites, name).toContain(own.map(({ when }) => when).join(', '));
  });

  test.each(cells)(
    'is what the machine does: $state, holds $holds, $when',
    ({ state, holds, when, next }) => {
      const own = examples[when]!;
      expect(own.length).toBeGreaterThan(0);
      for (const { held, ...patience } of own) {
        const before = { state, since: 1000 };
        const after = step(before, holds, 1000 + held, patience);
        expect(after.state).toBe(next);
        if (next === state) expect(after).toBe(before);
        else expect(after.since).toBe(1000 + held);
      }
    },
  );
});

const patience = fc.record({
  forMs: fc.constantFrom(0, 1, 50, 1000),
  keepMs: fc.constantFrom(0, 1, 50, 1000),
});
const wobble = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), value: fc.integer({ min: 60, max: 90 }) }),
  { minLength: 1, maxLength: 60 },
);
const condition: Extract<RuleCondition, { kind: 'threshold' }> = {
  kind: 'threshold',
  op: 'above',
  value: 80,
  recovery: 70,
};

describe('the machine behind a threshold with hysteresis', () => {
  test('fires and recovers exactly when its history says so', () => {
    fc.assert(
      fc.property(patience, wobble, (rule, values) => {
        let now = 0;
        let held = false;
        /** When the condition last began to hold, or ended to. */
        let turnedAt = 0;
        let machine: MachineState = { state: 'ok', since: 0 };
        for (const { afterMs, value } of values) {
          now += afterMs;
          const holds = thresholdHolds(condition, value, held);
          // Hysteresis in words: above the limit it holds, at or below the recovery it does not, between nothing changes.
          expect(holds).toBe(value > 80 || (value > 70 && held));
          if (holds !== held) turnedAt = now;
          held = holds;
          const was = machine.state === 'firing' || machine.state === 'recovering';
          const due = dueAt(machine, rule);
          const before = machine;
          machine = step(machine, holds, now, rule);
          const fires = machine.state === 'firing' || machine.state === 'recovering';
          const waited = now - turnedAt;
          if (holds)
            expect(fires).toBe(
              was || (waited >= rule.forMs && (before.state === 'pending' || rule.forMs === 0)),
            );
          else
            expect(fires).toBe(
              was && !(rule.keepMs === 0 || (before.state === 'recovering' && waited >= rule.keepMs)),
            );
          if (
            machine.state !== before.state &&
            holds === (before.state === 'pending' || before.state === 'firing')
          )
            expect(now).toBeGreaterThanOrEqual(due);
          expect(machine.state === 'pending').toBe(holds && !fires);
          expect(machine.state === 'recovering').toBe(!holds && fires);
        }
      }),
      { seed: 20_261_124, numRuns: 2000 },
    );
  });
});
