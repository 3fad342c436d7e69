import { differences, questions } from '@nowcast/aggregate/testing';
import { type Query, type QueryInput, querySchema } from '@nowcast/contract';
import { decodeDeltaBody, decodeSnapshotBody } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import type { ViewFrame } from '@nowcast/ports';
import { describe, expect, it } from 'vitest';
import { LiveViewRegistry } from './registry.ts';
import type { LiveLimits } from './sources.ts';
import { drainMicrotasks } from './testing/drain-microtasks.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { pass } from './testing/pass.ts';
import { Viewer } from './testing/viewer.ts';
import { ViewLines } from './view-lines.ts';

const start = 1_800_000_000_000;

function setUp(limits: Partial<LiveLimits> = {}) {
  const engine = new FakeEngine(new ManualClock(start));
  const registry = new LiveViewRegistry(engine, engine.at, limits);
  const send = (host: string, value: number, at = engine.clock.now(), tenant = 't'): void => {
    const series = { tenant, metric_type: 'm', source: 's', labels: [['host', host] as const] };
    engine.append({ series, timestamp: at, value });
  };
  const tick = (): ViewFrame[] => pass(registry, engine.tick());
  return { engine, registry, send, tick };
}

function ask(input: Omit<QueryInput, 'metric_type'> = {}): Query {
  return querySchema.parse({ metric_type: 'm', agg: 'sum', window: '1m', step: '1s', ...input });
}

/** Every cell a viewer shows as text, in a fixed order. */
function cellsOf(viewer: Viewer): string[] {
  return viewer
    .lines(0)
    .flatMap(({ labels, timestamps, values }) =>
      Array.from(timestamps, (at, i) => `${labels['host']} ${at} ${values[i]}`),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
}

describe('a live view', () => {
  it('is shared by all who ask the same, and its delta encoded once', async () => {
    const { registry, send, tick } = setUp();
    const one = await registry.open('t', ask({ where: { host: ['b', 'a'] } }));
    const two = await registry.open('t', ask({ window: '60s', where: { host: ['a', 'b'] } }));
    expect(two.view).toBe(one.view);
    send('a', 5);
    const frames = tick();
    expect(frames).toHaveLength(1);
    expect(registry.read(one.view, undefined)).toEqual(registry.read(two.view, undefined));
  });

  it('never shows a tenant the points of another', async () => {
    const { registry, send, tick } = setUp();
    const mine = await registry.open('t', ask());
    const theirs = await registry.open('u', ask());
    expect(theirs.view).not.toBe(mine.view);
    send('a', 5, start, 't');
    expect(tick().map(({ view }) => view)).toEqual([mine.view]);
    expect(decodeSnapshotBody(registry.read(theirs.view, undefined).body).series).toEqual([]);
  });

  it('sends one cell for a late point, its own', async () => {
    const { registry, send, tick } = setUp();
    for (let second = 0; second < 30; second += 1) send('a', 1, start - second * 1000);
    tick();
    await registry.open('t', ask());
    send('a', 10, start - 20_500);
    const [frame] = tick();
    const delta = decodeDeltaBody(frame!.body);
    expect([...delta.buckets.subarray(0, delta.count)]).toEqual([start - 21_000]);
    expect([...delta.values.subarray(0, delta.count)]).toEqual([11]);
    expect(frame).toMatchObject({ kind: 'delta', receivedAt: start });
  });

  it('that fails is dropped alone: the others go on', async () => {
    const { engine, registry, send, tick } = setUp();
    const feed = await registry.open('t', ask({ agg: 'none' }));
    const sums = await registry.open('t', ask());
    engine.seriesId = () => {
      throw new Error('no id');
    };
    send('a', 1);
    expect(tick().map(({ view, kind }) => [view, kind])).toEqual([
      [sums.view, 'delta'],
      [feed.view, 'ended'],
    ]);
    expect(engine.defects).toHaveLength(1);
    expect(() => registry.read(feed.view, undefined)).toThrow(/no open view/);
    send('a', 2);
    expect(tick().map(({ view }) => view)).toEqual([sums.view]);
  });

  it('shows who comes later the window of then, although nothing has changed since', async () => {
    for (const agg of ['sum', 'none'] as const) {
      const { engine, registry, send, tick } = setUp();
      send('a', 1, start - 50_000);
      send('a', 2, start - 5000);
      tick();
      const query = ask({ agg, ...(agg === 'none' ? { step: undefined } : {}) });
      const { view } = await registry.open('t', query);
      const timesOf = () => {
        const { from, series, points } = decodeSnapshotBody(registry.read(view, undefined).body);
        const times = series.flatMap(({ timestamps }) => [...timestamps]);
        return { from, times: [...times, ...(points ?? []).map(({ timestamp }) => timestamp)] };
      };
      expect(timesOf().times).toEqual([start - 50_000, start - 5000]);
      for (let second = 0; second < 30; second += 1) {
        engine.clock.advance(1000);
        expect(tick()).toEqual([]);
      }
      expect(timesOf().times).toEqual([start - 5000]);
      expect(timesOf().from).toBeGreaterThanOrEqual(start - 31_000);
    }
  });

  it('of a range that only grows ends when it has outgrown its budget, and says why to who opens it again', async () => {
    const { engine, registry, send, tick } = setUp({ cells: 200 });
    const query = querySchema.parse({ metric_type: 'm', agg: 'sum', step: '1s', from: start - 60_000 });
    const { view } = await registry.open('t', query);
    const frames: ViewFrame[] = [];
    for (let second = 0; second < 300; second += 1) {
      engine.clock.advance(1000);
      send('a', 1);
      frames.push(...tick());
      expect(registry.stats().cells).toBeLessThanOrEqual(200);
    }
    expect(frames.filter(({ kind }) => kind === 'ended')).toMatchObject([{ view, body: new Uint8Array(0) }]);
    expect(frames.at(-1)!.kind).toBe('ended');
    await expect(registry.open('t', query)).rejects.toMatchObject({ code: 'query.too_large' });
    expect(registry.stats().views).toBe(0);
  });

  it('starts afresh, with every point once, when points could not be folded into all views', async () => {
    const { engine, registry, send, tick } = setUp();
    const before = await registry.open('t', ask());
    send('a', 1);
    const broken = {
      ...engine.tick(),
      read: () => {
        throw new Error('no points');
      },
    };
    expect(pass(registry, broken)).toMatchObject([{ view: before.view, kind: 'ended' }]);
    expect(engine.defects).toHaveLength(1);
    expect(() => registry.read(before.view, undefined)).toThrow(/no open view/);
    send('a', 2);
    tick();
    const again = await registry.open('t', ask());
    const { series } = decodeSnapshotBody(registry.read(again.view, undefined).body);
    expect(series.flatMap(({ values }) => [...values])).toEqual([3]);
  });

  // A host that booted two hours ahead until NTP set it right showed empty charts for two hours.
  it.each(['sum', 'none'] as const)(
    'of a window (%s) is begun anew when the clock was set back, and takes the points of then',
    async (agg) => {
      const { engine, registry, send, tick } = setUp();
      const query = ask({ agg, ...(agg === 'none' ? { step: undefined } : {}) });
      const timesOf = async () => {
        const { view } = await registry.open('t', query);
        const { series, points = [] } = decodeSnapshotBody(registry.read(view, undefined).body);
        return [...series.flatMap(({ timestamps }) => [...timestamps]), ...points.map((p) => p.timestamp)];
      };
      send('a', 1, start - 5000);
      tick();
      engine.clock.setWallBy(7_200_000);
      const { view } = await registry.open('t', query);
      tick();
      engine.clock.setWallBy(-7_200_000);
      engine.clock.advance(1000);
      send('a', 2, start);
      expect(tick().at(-1)).toMatchObject({ view, kind: 'ended' });
      expect(await timesOf()).toEqual([start - 5000, start]);
      send('a', 3, start + 1000);
      tick();
      expect(await timesOf()).toEqual([start - 5000, start, start + 1000]);
    },
  );

  it('lives on when the clock goes back by a moment, or its range stands still', async () => {
    const { engine, registry, tick } = setUp();
    const sliding = await registry.open('t', ask());
    const still = querySchema.parse({ metric_type: 'm', agg: 'sum', from: start - 60_000, to: start });
    const fixed = await registry.open('t', still);
    tick();
    engine.clock.setWallBy(-1500);
    expect(tick()).toEqual([]);
    engine.clock.setWallBy(-5000);
    expect(tick()).toMatchObject([{ view: sliding.view, kind: 'ended' }]);
    expect(registry.read(fixed.view, undefined).kind).toBe('snapshot');
  });

  it('says nothing when nothing changed', async () => {
    const { engine, registry, send, tick } = setUp();
    await registry.open('t', ask({ agg: 'max' }));
    send('a', 10);
    expect(tick()).toHaveLength(1);
    send('a', 3);
    expect(tick()).toEqual([]);
    engine.clock.advance(2000);
    expect(tick()).toEqual([]);
  });

  it('lingers after the last viewer left, keeps counting, and is found warm', async () => {
    const { engine, registry, send, tick } = setUp({ lingerMs: 5000 });
    const first = await registry.open('t', ask());
    registry.close(first.view);
    send('a', 7);
    expect(tick()).toEqual([]);
    engine.clock.advance(4000);
    const again = await registry.open('t', ask());
    expect(again.view).toBe(first.view);
    expect(engine.loads).toBe(1);
    expect(decodeSnapshotBody(registry.read(again.view, undefined).body).series[0]!.values).toEqual(
      Float64Array.of(7),
    );
    registry.close(again.view);
    engine.clock.advance(5000);
    expect(registry.stats().views).toBe(0);
    await registry.open('t', ask());
    expect(engine.loads).toBe(2);
  });

  it('gives way when too many linger', async () => {
    const { registry } = setUp({ lingering: 2 });
    for (const window of ['1m', '2m', '3m', '4m']) {
      const { view } = await registry.open('t', ask({ window }));
      registry.close(view);
    }
    expect(registry.stats()).toMatchObject({ views: 2, lingering: 2 });
  });

  it('resumes a viewer with one delta however many it missed', async () => {
    const { registry, send, tick } = setUp();
    const { view, epoch } = await registry.open('t', ask({ group_by: ['host'] }));
    const viewer = new Viewer();
    viewer.apply(registry.read(view, undefined));
    for (let i = 0; i < 20; i += 1) {
      send(`h${i % 3}`, i, start - i * 1000);
      tick();
    }
    viewer.apply(registry.read(view, { epoch, seq: viewer.seq! }));
    expect(viewer).toMatchObject({ snapshots: 1, deltas: 1 });
    const fresh = new Viewer();
    fresh.apply(registry.read(view, undefined));
    expect(cellsOf(viewer)).toEqual(cellsOf(fresh));
    expect(cellsOf(viewer)).toHaveLength(20);
  });

  it('answers a position it cannot know with a snapshot that replaces everything', async () => {
    const { registry, send, tick } = setUp();
    const { view, epoch } = await registry.open('t', ask());
    send('a', 1);
    tick();
    const { seq } = registry.read(view, undefined);
    expect(registry.read(view, { epoch, seq })).toMatchObject({
      kind: 'delta',
      baseSeq: seq,
      seq,
      recovered: true,
    });
    const future = seq.replace(/^([^.]*\.\d+)\.\d+/, '$1.99');
    for (const position of [
      { epoch: 'other', seq },
      { epoch, seq: seq.replace('i1', 'i2') },
      { epoch, seq: seq.replace(/^i1\.\d+/, 'i1.77') },
      { epoch, seq: future },
      { epoch, seq: '' },
      { epoch, seq: 'i1.1.1e5.0' },
    ])
      expect(registry.read(view, position)).toMatchObject({ kind: 'snapshot', recovered: false });
    expect(() => registry.read(12_345, undefined)).toThrow(/open it first/);
  });

  it('cannot be resumed from before the removals it remembers', () => {
    const lines = new ViewLines();
    const commit = (): void => void lines.commit(0);
    for (let i = 0; i < 10_001; i += 1) {
      const line = lines.add({ i: String(i) });
      commit();
      lines.remove(line);
      commit();
    }
    expect(lines.canResume(1)).toBe(false);
    expect(lines.canResume(lines.revision)).toBe(true);
    expect(lines.canResume(lines.revision + 1)).toBe(false);
  });

  it('is not left behind half open when its load fails', async () => {
    const { engine, registry, send, tick } = setUp();
    send('a', 3);
    tick();
    engine.failure = new Error('warehouse away');
    await expect(registry.open('t', ask())).rejects.toThrow('warehouse away');
    expect(registry.stats().views).toBe(0);
    const { view } = await registry.open('t', ask());
    expect(decodeSnapshotBody(registry.read(view, undefined).body).series[0]!.values).toEqual(
      Float64Array.of(3),
    );
  });

  it('corrects a counter that got a point in the middle, without being asked', async () => {
    const { engine, registry, send, tick } = setUp({ reloadMs: 1000 });
    send('a', 10, start);
    send('a', 30, start + 900);
    engine.clock.advance(1000);
    tick();
    const { view } = await registry.open('t', ask({ agg: 'increase' }));
    const viewer = new Viewer();
    viewer.apply(registry.read(view, undefined));
    expect(viewer.lines(0)[0]!.values).toEqual([20]);
    send('a', 5, start + 500);
    for (const frame of tick()) viewer.apply(frame);
    engine.clock.advance(1000);
    for (let i = 0; i < 3; i += 1) {
      for (const frame of tick()) viewer.apply(frame);
      await drainMicrotasks();
    }
    expect(viewer.lines(0)[0]!.values).toEqual([5 + 25]);
    expect(viewer.snapshots).toBe(1);
    expect(registry.stats().reloads).toBe(1);
  });

  it('says what to change when it would be too large', async () => {
    const { registry, send, tick } = setUp({ groups: 3, cells: 1000, views: 1 });
    for (let i = 0; i < 12; i += 1) send(`h${i}`, 1);
    tick();
    await expect(registry.open('t', ask({ group_by: ['host'] }))).rejects.toThrow(
      /12 groups and 3 .* set limit/,
    );
    await expect(registry.open('t', ask({ agg: 'p95', window: '5m' }))).rejects.toThrow(/wider step/);
    await expect(registry.open('t', ask({ across: 'sum', window: '2m' }))).rejects.toThrow(
      /12 series .* across=merge/,
    );
    expect(registry.stats().views).toBe(0);
    await registry.open('t', ask());
    await expect(registry.open('t', ask({ window: '2m' }))).rejects.toThrow(/close some panels/);
  });

  it('of one tenant does not take the place of another’s', async () => {
    const { registry } = setUp({ viewsPerTenant: 2 });
    await registry.open('t', ask());
    const second = await registry.open('t', ask({ window: '2m' }));
    const refused = registry.open('t', ask({ window: '3m' }));
    await expect(refused).rejects.toThrow(/2 live views/);
    await expect(refused).rejects.toMatchObject({ code: 'live.subscription_limit' });
    await registry.open('u', ask({ window: '3m' }));
    registry.close(second.view);
    await registry.open('t', ask({ window: '3m' }));
    expect(registry.stats()).toMatchObject({ views: 3, lingering: 0 });
  });

  it('says which groups it leaves out when too many appear while it is open', async () => {
    const { registry, send, tick } = setUp({ groups: 2 });
    const { view } = await registry.open('t', ask({ group_by: ['host'] }));
    for (const host of ['a', 'b', 'c', 'd']) send(host, 1);
    tick();
    const snapshot = decodeSnapshotBody(registry.read(view, undefined).body);
    expect(snapshot.series).toHaveLength(2);
    expect(snapshot.note).toMatch(/2 series .* left out/);
  });

  it('tells every viewer what its answer lacks', async () => {
    const { registry, send, tick } = setUp({ groups: 1 });
    const { view } = await registry.open('t', ask({ group_by: ['host'] }), 'complete for the last 30d only');
    for (const host of ['a', 'b']) send(host, 1);
    tick();
    const { note } = decodeSnapshotBody(registry.read(view, undefined).body);
    expect(note).toMatch(/^complete for the last 30d only; 1 series .* left out/);
  });

  it('keeps to its memory when series keep appearing', async () => {
    const { registry, send, tick } = setUp({ cells: 200 });
    const { view } = await registry.open('t', ask({ across: 'sum', window: '1m' }));
    for (let i = 0; i < 50; i += 1) send(`h${i}`, 1);
    tick();
    const snapshot = decodeSnapshotBody(registry.read(view, undefined).body);
    expect(registry.stats().cells).toBeLessThan(5);
    expect(snapshot.note).toMatch(/48 series .* left out/);
  });

  it('does not spend its time reloading when every point of a counter is late', async () => {
    const { engine, registry, send, tick } = setUp({ reloadMs: 100, reloadShare: 0.1 });
    const { view } = await registry.open('t', ask({ agg: 'increase', step: '10s' }));
    engine.slow = true;
    for (let i = 0; i < 100; i += 1) {
      send('a', 1000 + i, start + i);
      send('a', i, start + i - 50);
      engine.clock.advance(100);
      engine.releaseLoads();
      await drainMicrotasks();
      tick();
    }
    expect(registry.stats().reloads).toBeGreaterThan(2);
    expect(registry.stats().reloads).toBeLessThan(12);
    registry.close(view);
  });

  it('shows the best groups and gathers the rest, as they change places', async () => {
    const { registry, send, tick } = setUp();
    const { view } = await registry.open('t', ask({ group_by: ['host'], limit: 1 }));
    const viewer = new Viewer();
    viewer.apply(registry.read(view, undefined));
    send('a', 5);
    send('b', 3);
    for (const frame of tick()) viewer.apply(frame);
    expect(cellsOf(viewer)).toEqual([`Other ${start} 3`, `a ${start} 5`]);
    send('b', 4);
    for (const frame of tick()) viewer.apply(frame);
    expect(cellsOf(viewer)).toEqual([`Other ${start} 5`, `b ${start} 7`]);
  });
});

describe.each(questions)('asked for $title', ({ points, query, nowMs, expected }) => {
  it.each([0, 1, 2, points.length])(
    'a view opened after %i points shows the answer worked out by hand',
    async (before) => {
      const engine = new FakeEngine(new ManualClock(nowMs));
      const registry = new LiveViewRegistry(engine, engine.at);
      for (const point of points.slice(0, before)) engine.append(point);
      pass(registry, engine.tick());
      const { view } = await registry.open('t', query);
      const viewer = new Viewer();
      viewer.apply(registry.read(view, undefined));
      for (const point of points.slice(before)) {
        engine.append(point);
        for (const frame of pass(registry, engine.tick())) viewer.apply(frame);
      }
      expect(differences(viewer.lines(0), expected)).toEqual([]);
    },
  );
});
