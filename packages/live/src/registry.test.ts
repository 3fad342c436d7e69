import { normaliseQuery, rangeNow } from '@nowcast/aggregate';
import { differences, evaluate, scenario } from '@nowcast/aggregate/testing';
import { type Query, querySchema } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import type { ViewFrame } from '@nowcast/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveViewRegistry } from './registry.ts';
import { drainMicrotasks } from './testing/drain-microtasks.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { pass } from './testing/pass.ts';
import { Viewer } from './testing/viewer.ts';

interface Client {
  query: Query;
  viewer: Viewer;
  /** Open and reading frames. */
  view: number | undefined;
  opening: boolean;
}

const runs = globalThis.process.env['NOWCAST_LONG'] === '1' ? 5000 : 250;

/** What a run met; the scripted runs prove that each of them can be met at all. */
interface Happened {
  compared: number;
  resumed: number;
  restarted: number;
  reloaded: number;
  others: number;
}

/** The engine, the registry and some clients that come and go, driven one step at a time. */
class World {
  readonly clock: ManualClock;
  readonly engine: FakeEngine;
  readonly registry: LiveViewRegistry;
  readonly clients: Client[];
  readonly happened: Happened = { compared: 0, resumed: 0, restarted: 0, reloaded: 0, others: 0 };

  constructor(nowMs: number, queries: readonly Query[]) {
    this.clock = new ManualClock(nowMs);
    this.engine = new FakeEngine(this.clock);
    this.registry = new LiveViewRegistry(this.engine, this.engine.at, {
      lingerMs: 3000,
      lingering: 1,
      reloadShare: 1e9,
    });
    this.clients = queries.map((query) => ({ query, viewer: new Viewer(), view: undefined, opening: false }));
  }

  tick(): void {
    this.deliver(pass(this.registry, this.engine.tick()));
  }

  deliver(frames: readonly ViewFrame[]): void {
    for (const frame of frames)
      for (const { view, viewer } of this.clients) if (view === frame.view) viewer.apply(frame);
  }

  /** Opens the client's view, or resumes it where the client was when it closed. */
  toggle(client: Client): void {
    if (client.opening) return;
    if (client.view !== undefined) {
      this.registry.close(client.view);
      client.view = undefined;
      return;
    }
    client.opening = true;
    void this.#open(client);
  }

  async #open(client: Client): Promise<void> {
    const { view, epoch } = await this.registry.open('t', client.query);
    client.opening = false;
    client.view = view;
    const { seq } = client.viewer;
    const frame = this.registry.read(view, seq === undefined ? undefined : { epoch, seq });
    if (seq !== undefined) this.happened[frame.kind === 'delta' ? 'resumed' : 'restarted'] += 1;
    client.viewer.apply(frame);
  }

  /** Until nothing is under way any more: loads done, late counters reloaded, rankings worked out. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i += 1) {
      this.engine.releaseLoads();
      await drainMicrotasks();
      this.clock.advance(1000);
      this.tick();
      await drainMicrotasks();
    }
    this.engine.releaseLoads();
    await drainMicrotasks();
    this.tick();
  }

  /** How far what each open client shows departs from the naive reference. */
  check(): string[] {
    const now = this.clock.now();
    return this.clients.flatMap(({ query, viewer, view }) => {
      if (view === undefined) return [];
      const resolved = normaliseQuery(query, now);
      const { from } = rangeNow(resolved, now);
      if (resolved.agg === 'none') {
        const expected = JSON.stringify(
          this.engine.newestRecords(resolved, from).map(({ data_id }) => data_id),
        );
        const given = JSON.stringify(viewer.points(from, resolved.limit!).map(({ data_id }) => data_id));
        return given === expected ? [] : [`records ${given}, expected ${expected}`];
      }
      return differences(viewer.lines(from), evaluate(this.engine.log, resolved, { from, to: Infinity }));
    });
  }
}

/** Other questions about the same points, so that folds are shared by views of other steps and parts. */
function variants({ limit: _limit, ...query }: Query): Query[] {
  return [
    { ...query, agg: 'p90', across: 'merge' },
    { ...query, agg: 'last', group_by: [] },
    { ...query, agg: 'none', limit: 7 },
  ];
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('toggle' as const), client: fc.nat({ max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('load' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: 4000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** One life of five clients, compared with the reference at every settled moment and at the end. */
async function live(
  { points, query, nowMs }: Scenario,
  steps: readonly Step[],
  slow: boolean,
): Promise<Happened> {
  const world = new World(nowMs, [query, query, ...variants(query)]);
  const { happened } = world;
  world.engine.slow = slow;
  const queue = [...points];
  for (const action of steps) {
    if (action.do === 'append') for (const point of queue.splice(0, action.count)) world.engine.append(point);
    else if (action.do === 'tick') world.tick();
    else if (action.do === 'toggle') world.toggle(world.clients[action.client]!);
    else if (action.do === 'load') world.engine.releaseLoads();
    else if (action.do === 'sleep') world.clock.advance(action.ms);
    else {
      await world.settle();
      happened.compared += world.clients.filter(({ view }) => view !== undefined).length;
      expect(world.check()).toEqual([]);
    }
    await drainMicrotasks();
  }
  for (const point of queue) world.engine.append(point);
  for (const client of world.clients) if (client.view === undefined) world.toggle(client);
  await world.settle();
  expect(world.clients.every(({ view }) => view !== undefined)).toBe(true);
  happened.compared += world.clients.length;
  happened.reloaded = world.registry.stats().reloads;
  happened.others = world.clients[0]!.viewer.lines(0).filter(
    ({ labels }) => labels['region'] === 'Other',
  ).length;
  expect(world.check()).toEqual([]);
  return happened;
}

describe('live views against the naive reference', () => {
  it('show the same at every settled moment, whatever the interleaving of points, ticks, opens and resumes', async () => {
    await fc.assert(
      fc.asyncProperty(
        scenario,
        fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
        fc.boolean(),
        async (given, steps, slow) => {
          const { compared } = await live(given, steps, slow);
          expect(compared).toBeGreaterThanOrEqual(5);
        },
      ),
      { numRuns: runs },
    );
  }, 120_000);

  // The random runs meet these more often or less often, as luck has it; here each is certain.
  const nowMs = 1_800_000_060_000;
  const increase = querySchema.parse({
    metric_type: 'm',
    agg: 'increase',
    group_by: ['region'],
    limit: 1,
    window: '90s',
    step: '10s',
  });
  /** Counters of two regions, with three points each in one bucket. */
  const counters = (['eu', 'us'] as const).flatMap((region, i) =>
    [
      { agoMs: 20_000, value: 1 },
      { agoMs: 15_000, value: 3 },
      { agoMs: 11_000, value: 5 + i },
    ].map(({ agoMs, value }, offset) => ({
      series: {
        tenant: 't',
        metric_type: 'm',
        source: 'a',
        labels: [['region', region] as [string, string]],
      },
      timestamp: nowMs - agoMs,
      value,
      order: i * 2 ** 40 + offset,
    })),
  );
  const inOrder: Scenario = { points: counters, query: increase, nowMs };
  const append = (count: number): Step => ({ do: 'append', count });
  const toggle = (client: number): Step => ({ do: 'toggle', client });
  const settle: Step = { do: 'settle' };

  it.each([false, true])('a client that comes back soon resumes (slow loads: %s)', async (slow) => {
    const steps: Step[] = [append(2), toggle(0), settle, toggle(0), append(2), toggle(0), settle];
    expect(await live(inOrder, steps, slow)).toMatchObject({ resumed: 1, restarted: 0, compared: 7 });
  });

  it.each([false, true])('a client that comes back late starts again (slow loads: %s)', async (slow) => {
    const away: Step[] = [toggle(0), { do: 'sleep', ms: 4000 }, append(2), toggle(0)];
    expect(await live(inOrder, [append(2), toggle(0), settle, ...away, settle], slow)).toMatchObject({
      resumed: 0,
      restarted: 1,
      compared: 7,
    });
  });

  it.each([false, true])('a late point of a counter makes its view reload (slow loads: %s)', async (slow) => {
    const [first, between, ...others] = counters;
    const late = { ...inOrder, points: [first!, ...others, between!] };
    const steps: Step[] = [append(5), { do: 'tick' }, toggle(0), settle, append(1), settle];
    expect((await live(late, steps, slow)).reloaded).toBe(1);
    expect((await live(inOrder, steps, slow)).reloaded).toBe(0);
  });

  it('the group that ranks second is among all others', async () => {
    expect((await live(inOrder, [append(6), settle], false)).others).toBe(1);
    const all: Scenario = { ...inOrder, query: { ...increase, limit: 2 } };
    expect((await live(all, [append(6), settle], false)).others).toBe(0);
  });
});
