import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutgoingDelivery } from '@nowcast/ports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { metaStoreOf } from '../embedded.ts';
import { nothingOutgoing, StoredOutgoing } from './stored-outgoing.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-outgoing-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const delivery: OutgoingDelivery = {
  key: 'd1',
  destination: { kind: 'email', to: ['ann@example.com'] },
  message: {
    notificationId: 'n1',
    kind: 'test',
    severity: 'info',
    title: 'A test',
    text: 'It works',
    at: 0,
    tenantName: 'Acme',
    ruleId: '',
    ruleName: '',
    url: 'http://127.0.0.1:7070/',
    runbookUrl: '',
    alerts: [],
    unit: 'none',
    tag: 'test',
  },
};

describe('what leaves the server', () => {
  test('the key that browsers subscribe with is made once and outlives restarts', async () => {
    const keys = [];
    for (let start = 0; start < 2; start++) {
      const store = metaStoreOf(folder);
      await store.run();
      const outgoing = new StoredOutgoing(store, nothingOutgoing, undefined);
      await outgoing.run();
      keys.push(outgoing.pushPublicKey);
      await outgoing.stop();
      await store.stop();
    }
    expect(Buffer.from(keys[0] ?? '', 'base64url')).toHaveLength(65);
    expect(keys[1]).toBe(keys[0]);
  });

  test('an attempt before the start or after the end is to be made again', async () => {
    const outgoing = new StoredOutgoing(metaStoreOf(folder), nothingOutgoing, undefined);
    const outcome = await outgoing.send(delivery, AbortSignal.timeout(5000));
    expect(outcome).toMatchObject({ ok: false, retryable: true, gone: false });
    expect(outgoing.email).toBe(false);
  });

  test('a destination opened by a word that is no host is refused when the server is made', () => {
    const make = () =>
      new StoredOutgoing(metaStoreOf(folder), { ...nothingOutgoing, allowPrivate: ['://'] }, undefined);
    expect(make).toThrow(/--allow-private-destinations/);
  });
});
