import { groupLabels, normaliseQuery, type ResolvedQuery } from '@nowcast/aggregate';
import { seriesMatches } from '@nowcast/aggregate/testing';
import {
  decodeSnapshotBody,
  type Query,
  type QueryInput,
  querySchema,
  type SeriesDefinition,
} from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketsNow, fewestBuckets } from './budget.ts';
import { MatchingSeries } from './matching-series.ts';
import { LiveViewRegistry } from './registry.ts';
import type { LiveLimits } from './sources.ts';
import { drainMicrotasks } from './testing/drain-microtasks.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { pass } from './testing/pass.ts';

const start = 1_800_000_000_500;
const day = 86_400_000;
const runs = globalThis.process.env['NOWCAST_LONG'] === '1' ? 5000 : 300;

function ask(input: Omit<QueryInput, 'metric_type'> = {}): Query {
  const window = input.from === undefined ? { window: '20s' } : {};
  return querySchema.parse({ metric_type: 'm', agg: 'sum', step: '1s', ...window, ...input });
}

function seriesOf(host: string, region = ''): SeriesDefinition {
  const labels = [['host', host] as const, ['region', region] as const];
  return { tenant: 't', metric_type: 'm', source: 's', labels: labels.filter(([, value]) => value !== '') };
}

/** What a view shows from a time on, in a fixed order, and how many series it says it leaves out. */
function shown(registry: LiveViewRegistry, view: number, from = 0) {
  const { series, note } = decodeSnapshotBody(registry.read(view, undefined).body);
  const lines = series.flatMap(({ labels, timestamps, values }) =>
    Array.from(timestamps, (at, i) =>
      at < from || Number.isNaN(values[i]!) ? [] : [`${JSON.stringify(labels)} ${at} ${values[i]}`],
    ).flat(),
  );
  return {
    lines: lines.sort(),
    leftOut: Number(/^\d+/.exec(note ?? '0')![0]),
  };
}

function setUp(limits: Partial<LiveLimits> = {}) {
  const engine = new FakeEngine(new ManualClock(start));
  const registry = new LiveViewRegistry(engine, engine.at, limits);
  const send = (host: string, region?: string, value = 1): void =>
    engine.append({ series: seriesOf(host, region), timestamp: engine.clock.now(), value });
  const tick = () => pass(registry, engine.tick());
  const open = async (input: Omit<QueryInput, 'metric_type'> = {}): Promise<number> =>
    (await registry.open('t', ask(input))).view;
  const linesOf = (view: number) => shown(registry, view).lines.map((line) => line.replace(/ \d+ /, ' '));
  return { engine, registry, send, tick, open, linesOf };
}

describe('views of the same series', () => {
  it('hear of them through one watch, which ends with the last of them', async () => {
    const { engine, registry, send, tick, open, linesOf } = setUp({ lingerMs: 1000 });
    const views = [
      await open(),
      await open({ window: '10s' }),
      await open({ group_by: ['host'] }),
      await open({ across: 'max' }),
      await open({ agg: 'none' }),
    ];
    expect(engine.watching).toBe(1);
    const narrow = await open({ where: { host: ['a'] } });
    expect(engine.watching).toBe(2);
    send('a');
    send('b');
    tick();
    expect(linesOf(views[2]!)).toEqual(['{"host":"a"} 1', '{"host":"b"} 1']);
    expect(linesOf(narrow)).toEqual(['{} 1']);
    for (const view of [...views, narrow]) registry.close(view);
    engine.clock.advance(1000);
    expect(registry.stats().views).toBe(0);
    expect(engine.watching).toBe(0);
    send('a');
    const unread = {
      ...engine.tick(),
      read: () => {
        throw new Error('nobody watches');
      },
    };
    pass(registry, unread);
    expect(engine.defects).toEqual([]);
    expect(linesOf(await open({ step: '10s' }))).toEqual(['{} 3']);
  });

  it('may be opened late, and left, without harm to the others', async () => {
    const { engine, registry, send, tick, open, linesOf } = setUp({ lingerMs: 1000 });
    const early = await open({ group_by: ['region'] });
    send('a', 'eu');
    send('b', 'us');
    send('c', 'eu');
    tick();
    const late = await open({ group_by: ['region'], agg: 'max', window: '5s' });
    send('a', 'eu', 3);
    send('d', 'us', 2);
    send('e', 'ap', 4);
    tick();
    expect(linesOf(late)).toEqual(['{"region":"ap"} 4', '{"region":"eu"} 3', '{"region":"us"} 2']);
    registry.close(early);
    engine.clock.advance(1000);
    send('f', 'eu', 5);
    tick();
    expect(
      linesOf(late)
        .filter((line) => line.includes('eu'))
        .at(-1),
    ).toBe('{"region":"eu"} 5');
  });

  it('are not left half registered by a filter that is none', async () => {
    const { engine, registry, send, open } = setUp();
    send('a');
    const where = { host: { regex: '(' } };
    await expect(open({ where })).rejects.toThrow(/regular expression/);
    await expect(open({ where, agg: 'none' })).rejects.toThrow(/regular expression/);
    await expect(open({ where, across: 'sum' })).rejects.toThrow(/regular expression/);
    expect(engine.watching).toBe(0);
    expect(registry.stats().views).toBe(0);
  });
});

describe('matching series', () => {
  it('tell nobody of more than is wanted, and count them all the same', () => {
    const engine = new FakeEngine(new ManualClock(start));
    let ended = 0;
    const query = normaliseQuery(ask(), start);
    const matching = new MatchingSeries(
      (onSeries) => engine.watchSeries('t', query, onSeries),
      (handle) => engine.definitionOf(handle),
      () => (ended += 1),
    );
    const heard: string[] = [];
    const unfollow = ['all', 'two'].map((name) =>
      matching.follow(
        {
          addSeries: (handle) => {
            heard.push(`${name} ${handle}`);
            return name === 'all' || handle < 1;
          },
        },
        () => undefined,
      ),
    );
    for (const host of ['a', 'b', 'c']) engine.append({ series: seriesOf(host), timestamp: start, value: 1 });
    expect(heard).toEqual(['all 0', 'two 0', 'all 1', 'two 1', 'all 2']);
    unfollow[0]!();
    engine.append({ series: seriesOf('d'), timestamp: start, value: 1 });
    expect(heard).toHaveLength(5);
    expect([...matching.handles]).toEqual([0, 1, 2, 3]);
    for (const leave of [...unfollow, ...unfollow]) leave();
    expect(ended).toBe(1);
    expect(engine.watching).toBe(0);
  });
});

describe('a view without room', () => {
  // Once all live views were dropped: the states of a group were handed to a view that had refused it.
  it('does without a group that others of its kind have room for', async () => {
    const { engine, registry, send, tick, open, linesOf } = setUp({ groups: 1 });
    send('a');
    tick();
    const full = await open({ group_by: ['host'] });
    const ranked = await open({ group_by: ['host'], limit: 5 });
    send('b');
    send('c', 'eu');
    send('c', 'us');
    tick();
    expect(engine.defects).toEqual([]);
    expect(linesOf(full)).toEqual(['{"host":"a"} 1']);
    expect(linesOf(ranked)).toEqual(['{"host":"a"} 1', '{"host":"b"} 1', '{"host":"c"} 2']);
    expect(shown(registry, full).leftOut).toBe(3);
    expect(shown(registry, ranked).leftOut).toBe(0);
  });

  it('still takes further series of the groups it has', async () => {
    const { registry, send, tick, open, linesOf } = setUp({ groups: 1 });
    send('a', 'eu');
    tick();
    const views = [await open({ group_by: ['region'] }), await open({ group_by: ['region'], across: 'sum' })];
    send('b', 'eu');
    send('c', 'us');
    tick();
    for (const view of views) {
      expect(linesOf(view)).toEqual(['{"region":"eu"} 2']);
      expect(shown(registry, view).leftOut).toBe(1);
    }
  });

  it('does not keep a later one of its kind from having everything', async () => {
    const { registry, send, tick, open, linesOf } = setUp({ groups: 1 });
    const full = await open({ group_by: ['host'] });
    for (const host of ['a', 'b', 'c', 'b']) send(host);
    tick();
    const ranked = await open({ group_by: ['host'], limit: 1 });
    const another = await open({ group_by: ['host'], limit: 2 });
    expect(linesOf(ranked)).toEqual(['{"host":"Other"} 2', '{"host":"b"} 2']);
    expect(linesOf(another)).toEqual(['{"host":"Other"} 1', '{"host":"a"} 1', '{"host":"b"} 2']);
    expect(shown(registry, full).leftOut).toBe(2);
    expect(shown(registry, another).leftOut).toBe(0);
    send('d');
    send('a');
    tick();
    expect(linesOf(another)).toEqual(['{"host":"Other"} 2', '{"host":"a"} 2', '{"host":"b"} 2']);
    expect(shown(registry, full).leftOut).toBe(3);
  });

  /** Views of four or five buckets, as it happens; three units fit the four, two the five. */
  const flickering = { window: '9500ms', step: '3s' };
  async function openFlickering(input: Omit<QueryInput, 'metric_type'>) {
    const world = setUp({ cells: 3 * (4 + 8) });
    const view = await world.open({ ...flickering, ...input });
    const query = normaliseQuery(ask(flickering), start);
    const waitFor = (buckets: number): void => {
      while (bucketsNow(query, world.engine.clock.now()) !== buckets) world.engine.clock.advance(100);
    };
    const leftOut = () => {
      world.tick();
      return shown(world.registry, view).leftOut;
    };
    return { ...world, view, waitFor, leftOut };
  }

  it('has it again when its range is a bucket shorter', async () => {
    const { send, waitFor, leftOut } = await openFlickering({ across: 'sum' });
    waitFor(5);
    for (const host of ['a', 'b', 'c']) send(host);
    expect(leftOut()).toBe(1);
    waitFor(4);
    for (const host of ['d', 'e', 'f']) send(host);
    expect(leftOut()).toBe(3);
  });

  it('has it for another group then, not for one whose first series it left out', async () => {
    const { send, waitFor, leftOut, view, linesOf } = await openFlickering({ group_by: ['host'] });
    waitFor(5);
    for (const host of ['a', 'b', 'c']) send(host, 'eu');
    expect(leftOut()).toBe(1);
    waitFor(4);
    for (const host of ['c', 'd', 'e']) send(host, 'us');
    expect(leftOut()).toBe(3);
    expect(linesOf(view)).toEqual(['{"host":"a"} 1', '{"host":"b"} 1', '{"host":"d"} 1']);
  });

  it('is only sure to stay so where no shorter range would make room', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          ['1s', 1000],
          ['7s', 7000],
          ['6h', 21_600_000],
          ['1d', day],
          ['1w', 7 * day],
          ['1mo', 30 * day],
        ),
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/Sao_Paulo'),
        fc.double({ min: 0, max: 400 * day, noNaN: true }),
        ([step, stepMs], steps, tz, later) => {
          const windowMs = Math.ceil(steps * stepMs);
          const query = normaliseQuery(ask({ window: `${windowMs}ms`, step, tz }), start);
          expect(bucketsNow(query, start + later)).toBeGreaterThanOrEqual(fewestBuckets(query, start));
        },
      ),
    );
  });
});

const inputs: Omit<QueryInput, 'metric_type'>[] = [
  { group_by: ['region'] },
  { group_by: ['region'], agg: 'max', window: '7s' },
  { group_by: ['region'], agg: 'last', limit: 1 },
  { group_by: ['host'] },
  { group_by: ['host'], limit: 2, window: '9500ms', step: '3s' },
  { group_by: ['host'], agg: 'p90', window: '9500ms', step: '3s' },
  { agg: 'count', where: { region: ['eu', ''] } },
  { group_by: ['host', 'region'], from: start - 10_000, to: start + 60_000, step: '5s' },
  { group_by: ['region'], from: start - 5000, step: '5s' },
  { across: 'sum' },
  { across: 'max', group_by: ['region'], window: '9500ms', step: '3s' },
  { agg: 'increase', group_by: ['region'], window: '10s' },
];

/** The series of one view, told of each by itself: what joining together must come to. */
class LoneView {
  readonly accepted = new Set<string>();
  readonly #query: Query;
  readonly #limits: Pick<LiveLimits, 'groups' | 'cells'>;
  readonly #groups = new Set<string>();
  readonly #refused = new Set<string>();
  leftOut = 0;
  loaded = false;

  constructor(query: Query, limits: Pick<LiveLimits, 'groups' | 'cells'>) {
    this.#query = query;
    this.#limits = limits;
  }

  addSeries(series: SeriesDefinition, now: number): void {
    const query = normaliseQuery(this.#query, now);
    if (!seriesMatches(query.where, series)) return;
    const group = JSON.stringify(groupLabels(series, query.groupBy));
    if (this.loaded && !this.#hasRoomFor(group, query)) {
      this.leftOut += 1;
      this.#refused.add(group);
      return;
    }
    this.#groups.add(group);
    this.accepted.add(JSON.stringify(series));
  }

  #hasRoomFor(group: string, { agg, across, limit, ...query }: ResolvedQuery): boolean {
    const isPerSeries = across !== 'merge' || agg === 'increase';
    const isKnown = this.#groups.has(group);
    if (!isPerSeries && (isKnown || this.#refused.has(group))) return isKnown;
    if (!isKnown && limit === undefined && this.#groups.size >= this.#limits.groups) return false;
    const units = (isPerSeries ? this.accepted.size : this.#groups.size) + 1;
    const buckets = query.buckets.countIn(query.from, query.to);
    return units * (buckets * (agg === 'p90' ? 8 : 1) + 8) <= this.#limits.cells;
  }
}

interface Client {
  query: Query;
  view: number | undefined;
  opening: boolean;
}

/** Views that come and go beside series that appear, each with its lone likeness. */
class World {
  readonly engine = new FakeEngine(new ManualClock(start));
  readonly clients: Client[];
  readonly #limits: Pick<LiveLimits, 'groups' | 'cells'>;
  readonly registry: LiveViewRegistry;
  readonly #lone = new Map<number, LoneView>();
  readonly #loading = new Set<LoneView>();
  readonly #series = new Map<string, SeriesDefinition>();
  leftOut = 0;

  constructor(limits: Pick<LiveLimits, 'groups' | 'cells'>, queries: readonly Query[]) {
    this.#limits = limits;
    const lingering = { lingerMs: 3000, lingering: 2, reloadShare: 1e9 };
    this.registry = new LiveViewRegistry(this.engine, this.engine.at, { ...limits, ...lingering });
    this.clients = queries.map((query) => ({ query, view: undefined, opening: false }));
  }

  send(series: SeriesDefinition, agoMs: number, value: number): void {
    const now = this.engine.clock.now();
    const key = JSON.stringify(series);
    if (!this.#series.has(key))
      for (const lone of [...this.#lone.values(), ...this.#loading]) lone.addSeries(series, now);
    this.#series.set(key, series);
    this.engine.append({ series, timestamp: now - agoMs, value });
  }

  toggle(client: Client): void {
    if (client.view !== undefined) this.registry.close(client.view);
    else if (!client.opening) void this.#open(client);
    client.view = undefined;
  }

  async #open(client: Client): Promise<void> {
    const lone = new LoneView(client.query, this.#limits);
    for (const series of this.#series.values()) lone.addSeries(series, this.engine.clock.now());
    this.#loading.add(lone);
    client.opening = true;
    try {
      client.view = (await this.registry.open('t', client.query)).view;
      if (!this.#lone.has(client.view)) this.#lone.set(client.view, lone);
      lone.loaded = true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'query.too_large' });
    } finally {
      client.opening = false;
      this.#loading.delete(lone);
    }
  }

  /** A view that has outgrown its budget is not there any more. */
  tick(): void {
    for (const { view, kind } of pass(this.registry, this.engine.tick()))
      if (kind === 'ended')
        for (const client of this.clients) if (client.view === view) client.view = undefined;
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 4; i += 1) {
      this.engine.releaseLoads();
      await drainMicrotasks();
      this.engine.clock.advance(1000);
      this.tick();
    }
    this.engine.releaseLoads();
    await drainMicrotasks();
    this.tick();
  }

  /** Each open view beside a fresh one over the points of the series that its likeness has. */
  async check(): Promise<void> {
    expect(this.engine.defects).toEqual([]);
    for (const { query, view } of this.clients) {
      if (view === undefined) continue;
      const lone = this.#lone.get(view)!;
      const { from } = normaliseQuery(query, this.engine.clock.now());
      const { lines, leftOut } = shown(this.registry, view, from);
      this.leftOut += leftOut;
      expect({ query, lines, leftOut }).toEqual({
        query,
        lines: await this.#freshLines(query, lone.accepted),
        leftOut: lone.leftOut,
      });
    }
  }

  async #freshLines(query: Query, accepted: ReadonlySet<string>): Promise<string[]> {
    const engine = new FakeEngine(new ManualClock(this.engine.clock.now()));
    const registry = new LiveViewRegistry(engine, engine.at);
    for (const point of this.engine.log) if (accepted.has(JSON.stringify(point.series))) engine.append(point);
    pass(registry, engine.tick());
    return shown(registry, (await registry.open('t', query)).view).lines;
  }

  /** Closes everything, and is sure that nothing is held on to. */
  async end(): Promise<void> {
    for (const client of this.clients) if (client.view !== undefined) this.toggle(client);
    this.engine.clock.advance(3000);
    await this.settle();
    expect(this.registry.stats()).toMatchObject({ views: 0, cells: 0 });
    expect(this.engine.watching).toBe(0);
  }
}

const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      series: fc
        .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), fc.constantFrom('', 'eu', 'us', 'ap'))
        .map(([host, region]) => seriesOf(host, region)),
      agoMs: fc.integer({ min: -2000, max: 12_000 }),
      value: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('toggle' as const), client: fc.nat({ max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('load' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: 4000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check' as const) }) },
);

describe('views that join together', () => {
  it('have what each would have by itself, whatever the order of series, points, opens and closes', async () => {
    let leftOut = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({ groups: fc.integer({ min: 1, max: 4 }), cells: fc.constantFrom(70, 150, 1_000_000) }),
        fc.array(fc.constantFrom(...inputs), { minLength: 6, maxLength: 6 }),
        fc.array(action, { minLength: 10, maxLength: 80, size: 'max' }),
        fc.boolean(),
        async (limits, chosen, actions, slow) => {
          const world = new World(limits, chosen.map(ask));
          world.engine.slow = slow;
          for (const step of actions) {
            if (step.do === 'send') world.send(step.series, step.agoMs, step.value);
            else if (step.do === 'tick') world.tick();
            else if (step.do === 'toggle') world.toggle(world.clients[step.client]!);
            else if (step.do === 'load') world.engine.releaseLoads();
            else if (step.do === 'sleep') world.engine.clock.advance(step.ms);
            else {
              await world.settle();
              await world.check();
            }
            await drainMicrotasks();
          }
          await world.settle();
          await world.check();
          await world.end();
          leftOut += world.leftOut;
        },
      ),
      { numRuns: runs },
    );
    expect(leftOut).toBeGreaterThan(0);
  }, 120_000);
});
