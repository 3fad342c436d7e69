import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeDeltaBody, decodeFrame, decodeSnapshotBody, frameType } from './binary.ts';
import type { DownMessage } from './down.ts';
import { deltaToJson, snapshotToJson } from './json.ts';
import { type UpMessage, upSchema } from './up.ts';

/** The examples of docs/protocol.md are what people copy: they must be true. */
const page = readFileSync(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8');
const upTypes = new Set<string>([
  'subscribe',
  'unsubscribe',
  'ack',
  'auth',
  'pause',
  'follow',
] satisfies UpMessage['type'][]);
const downTypes = new Set<string>([
  'welcome',
  'snapshot',
  'delta',
  'notice',
  'heartbeat',
  'goaway',
  'following',
  'event',
] satisfies DownMessage['type'][]);

const examples = [...page.matchAll(/```json\n(.*?)```/gs)].map(
  ([, text]) => JSON.parse(text ?? '') as { type: string; id?: string },
);

/** Lines of hexadecimal bytes, each followed by its explanation. */
const frames = [...page.matchAll(/```\n((?:[0-9a-f]{2} ).*?)```/gs)].map(([, block]) => {
  const hex = (block ?? '').split('\n').map((line) => /^(?:[0-9a-f]{2} {1,2})*/.exec(`${line} `)?.[0] ?? '');
  return decodeFrame(
    Uint8Array.from(hex.join(' ').match(/[0-9a-f]{2}/g) ?? [], (byte) => parseInt(byte, 16)),
  );
});

test('every message has an example, and every example upwards is accepted by the schema', () => {
  const seen = new Set(examples.map(({ type }) => type));
  expect(seen).toEqual(new Set([...upTypes, ...downTypes]));
  for (const example of examples)
    if (upTypes.has(example.type)) expect(upSchema.safeParse(example).error, example.type).toBeUndefined();
});

test('the two frames shown byte by byte are the snapshot and the delta shown as JSON', () => {
  const decoded = frames.map(({ type, id, ack, body }) =>
    type === frameType.snapshot
      ? snapshotToJson(id, decodeSnapshotBody(body), ack)
      : deltaToJson(id, decodeDeltaBody(body), ack),
  );
  const [snapshot] = examples.filter(({ type, id }) => type === 'snapshot' && id === 'cpu');
  const [delta] = examples.filter(({ type }) => type === 'delta');
  expect(decoded).toEqual([snapshot, delta]);
});
