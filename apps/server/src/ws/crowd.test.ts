import { binaryProtocol, querySchema } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createLogger } from '../log.ts';
import { ScriptedEngine } from '../testing/scripted-engine.ts';
import { Connection, type Sink, type Subscription } from './connection.ts';
import { Delivery } from './delivery.ts';
import { EncodedFrame } from './encoded-frame.ts';
import { SharedViews } from './shared-views.ts';

class Listener implements Sink {
  readonly writableLength = 0;
  readonly destroyed = false;
  readonly written: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }

  end(): void {}

  destroy(): void {}
}

test('F13: a crowd that comes back together is sent one buffer and costs one read, wherever each is in being asked', async () => {
  const clock = new ManualClock(1_700_000_000_000);
  const engine = new ScriptedEngine();
  const views = new SharedViews(engine.live, () => clock.monotonic());
  const delivery = new Delivery({
    views,
    clock,
    log: createLogger({ level: 'error', format: 'json', write: () => undefined, now: () => 0 }),
    observeDelayMs: () => undefined,
    onUnreadable: () => undefined,
    onEnded: () => undefined,
  });
  const query = z.parse(querySchema, { metric_type: 'crowded', window: '1m' });
  const crowd = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const sink = new Listener();
      // Half of them are due to be asked for an acknowledgement.
      const connection = new Connection(sink, binaryProtocol, clock.monotonic(), 0, i % 2);
      const subscription: Subscription = {
        id: 'panel',
        intervalMs: 0,
        view: await views.acquire('tenant', query),
        held: undefined,
        state: 'opening',
        position: undefined,
        answered: false,
        ended: false,
      };
      connection.subscriptions.set('panel', subscription);
      delivery.start(connection, subscription);
      return sink;
    }),
  );
  while (crowd.some(({ written }) => written.length === 0))
    await new Promise((resolve) => setImmediate(resolve));
  expect(new Set(crowd.flatMap(({ written }) => written)).size).toBe(2);
  expect([views.size, engine.reads]).toEqual([1, 1]);
  delivery.stop();
});

test('forms that many ids want are kept up to a few megabytes, and the usual one always', () => {
  const body = new Uint8Array(1024 * 1024);
  const frame = new EncodedFrame(
    { view: 1, kind: 'delta', baseSeq: 'a', seq: 'b', recovered: false, receivedAt: 0, body },
    'e1',
  );
  const usual = frame.bytes(binaryProtocol, 'usual', 0);
  const forms = Array.from({ length: 100 }, (_, i) => frame.bytes(binaryProtocol, `id ${i}`, 0));
  expect(frame.bytes(binaryProtocol, 'usual', 0)).toBe(usual);
  const kept = forms.filter((form, i) => frame.bytes(binaryProtocol, `id ${i}`, 0) === form);
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(5);
});

test('a snapshot that nobody will be given any more is let go', async () => {
  let now = 0;
  const engine = new ScriptedEngine();
  const views = new SharedViews(engine.live, () => now);
  const view = await views.acquire('tenant', z.parse(querySchema, { metric_type: 'quiet', window: '1m' }));
  await views.read(view, undefined);
  now = 400;
  views.sweep();
  expect(view.fresh).toBeDefined();
  now = 600;
  views.sweep();
  expect(view.fresh).toBeUndefined();
});
