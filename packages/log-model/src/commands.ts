import * as fc from 'fast-check';
import { expect } from 'vitest';
import { type Oracle, byKey } from './oracle.ts';
import { renderCells, viewKey } from './states.ts';
import type { LogSystem, ModelPoint, ModelView } from './system.ts';

/** One thing somebody does to the system, with what must follow from it. The invariants are checked behind each. */
type Step = (oracle: Oracle, system: LogSystem) => Promise<void>;
export type LogCommand = fc.AsyncCommand<Oracle, LogSystem>;

const views: readonly ModelView[] = ([1000, 10_000] as const).flatMap((stepMs) =>
  (['count', 'sum', 'min', 'max'] as const).map((agg) => ({ agg, stepMs })),
);
/** Enough names that every one of three partitions has some. */
const seriesNames = ['cpu', 'disk', 'load', 'mem', 'net', 'swap', 'temp'];
/** Points with an id: the id says the rest, so that sending it again is a retry. */
const retriedIds = 12;

const pointArb: fc.Arbitrary<ModelPoint> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      series: fc.constantFrom(...seriesNames),
      timestamp: fc.integer({ min: 0, max: 39_999 }),
      value: fc.integer({ min: -50, max: 50 }),
    }),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: retriedIds - 1 }).map(pointOfId) },
);

function pointOfId(id: number): ModelPoint {
  const series = seriesNames[id % seriesNames.length]!;
  return { series, timestamp: id * 2711, value: id - 5, dataId: `id-${id}` };
}

const pointsArb = fc.array(pointArb, { minLength: 1, maxLength: 6 });
const viewArb = fc.constantFrom(...views);
const indexArb = fc.nat({ max: 5 });

/** All commands; likelier ones more often. */
export function logCommands(maxCommands: number): fc.Arbitrary<Iterable<LogCommand>> {
  const append = pointsArb.map((points) => command(`append ${show(points)}`, appendStep(points)));
  const flush = fc.constant(command('flush', (_oracle, system) => system.flush()));
  return fc.commands(
    [
      append,
      append,
      flush,
      fc.integer({ min: 1, max: 12 }).map((times) => command(`tick × ${times}`, tickStep(times))),
      fc.constant(command('compact', (_oracle, system) => system.compact())),
      fc.constant(command('cut', (_oracle, system) => system.cut())),
      viewArb.map((view) =>
        command(`look ${viewKey(view)}`, (oracle, system) => lookStep(oracle, system, view)),
      ),
      viewArb.map((view) => command(`attach ${viewKey(view)}`, attachStep(view))),
      indexArb.map((i) => command(`detach ${i}`, detachStep(i))),
      indexArb.map((i) => command(`resume ${i}`, resumeStep(i))),
      viewArb.map((view) => command(`pin ${viewKey(view)}`, pinStep(view))),
      indexArb.map((i) => command(`release ${i}`, releaseStep(i))),
      pointsArb.map((points) => command(`crash during append ${show(points)}`, crashStep(points))),
      fc.nat({ max: 3 }).map((at) => command(`crash during flush at ${at}`, crashInFlushStep(at))),
      fc.constant(command('backup', backupStep)),
      indexArb.map((i) => command(`restore ${i}`, restoreStep(i))),
    ],
    { maxCommands, size: 'max' },
  );
}

/** The end of every run: whatever the commands left behind must be right. */
export async function checkEverything(oracle: Oracle, system: LogSystem): Promise<void> {
  for (const view of views) await lookStep(oracle, system, view);
  for (const i of oracle.clients.keys()) await resumeStep(i)(oracle, system);
  await oracle.checkPins();
  await oracle.checkInvariants(system);
}

function command(name: string, step: Step): LogCommand {
  return {
    check: () => true,
    async run(oracle, system) {
      await step(oracle, system);
      await oracle.checkInvariants(system);
      await oracle.checkPins();
    },
    toString: () => name,
  };
}

function show(points: readonly ModelPoint[]): string {
  return points.map((p) => `${p.dataId ?? ''}(${p.series} ${p.timestamp} ${p.value})`).join(' ');
}

function appendStep(points: readonly ModelPoint[]): Step {
  return async (oracle, system) => {
    await system.append(points);
    oracle.accept(points);
  };
}

function tickStep(times: number): Step {
  return async (oracle, system) => {
    for (let i = 0; i < times; i++) await system.tick();
    for (const client of oracle.clients) if (client.isOnline) oracle.checkClient(client);
  };
}

async function lookStep(oracle: Oracle, system: LogSystem, view: ModelView): Promise<void> {
  const frame = await system.read(view);
  expect(frame.kind, 'L7: without a position there is a snapshot').toBe('snapshot');
  expect(renderCells(frame.cells), 'L7: history and tail meet exactly').toEqual(oracle.rendered(view));
}

function attachStep(view: ModelView): Step {
  return async (oracle, system) => {
    if (oracle.clients.length >= 4) return;
    const { epoch, seq, cells } = await system.read(view);
    const client = {
      view,
      position: { epoch, seq },
      cells: byKey(cells),
      seen: oracle.points.length,
      isOnline: true,
      isSameProcess: true,
    };
    oracle.checkClient(client);
    oracle.clients.push(client);
  };
}

function detachStep(i: number): Step {
  return (oracle) => {
    const client = oracle.clients[i % Math.max(oracle.clients.length, 1)];
    if (client !== undefined) client.isOnline = false;
    return Promise.resolve();
  };
}

function resumeStep(i: number): Step {
  return async (oracle, system) => {
    const client = oracle.clients[i % Math.max(oracle.clients.length, 1)];
    if (client === undefined) return;
    client.isOnline = false;
    oracle.resumed(client, await system.read(client.view, client.position));
  };
}

function pinStep(view: ModelView): Step {
  return async (oracle, system) => {
    if (system.pin !== undefined && oracle.pins.length < 3) {
      oracle.pins.push({ pin: await system.pin(view), expected: oracle.rendered(view) });
    }
  };
}

function releaseStep(i: number): Step {
  return (oracle) => {
    for (const { pin } of oracle.pins.splice(i % Math.max(oracle.pins.length, 1), 1)) pin.release();
    return Promise.resolve();
  };
}

/** The sender never got an answer and sends again: everything counts once. */
function crashStep(points: readonly ModelPoint[]): Step {
  return async (oracle, system) => {
    const retried = oracle.withFreshIds(points);
    oracle.processEnded();
    await system.crash(retried);
    oracle.coverage.crashes += 1;
    await system.append(retried);
    oracle.accept(retried);
  };
}

function crashInFlushStep(at: number): Step {
  return async (oracle, system) => {
    oracle.processEnded();
    await system.flush(at);
    oracle.coverage.crashes += 1;
  };
}

async function backupStep(oracle: Oracle, system: LogSystem): Promise<void> {
  if (system.backup === undefined) return;
  if (oracle.backups.length >= 2) oracle.backups.shift();
  oracle.backups.push({ backup: await system.backup(), points: [...oracle.points] });
}

function restoreStep(i: number): Step {
  return async (oracle, system) => {
    const held = oracle.backups[i % Math.max(oracle.backups.length, 1)];
    if (held === undefined || system.restore === undefined) return;
    oracle.processEnded();
    await system.restore(held.backup);
    oracle.restoredFrom(held);
  };
}
