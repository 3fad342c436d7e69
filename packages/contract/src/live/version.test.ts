import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { encodeDeltaBody, encodeFrame, encodeJsonFrame, encodeSnapshotBody, frameType } from './binary.ts';
import { deltaToJson, snapshotToJson } from './json.ts';
import { upSchema } from './up.ts';
import { wireHistory } from './version.ts';
import { exampleDelta, exampleFeed, exampleMessages, exampleSnapshot, tenCells } from './wire-examples.ts';

function describeWire(): string {
  const snapshots = [exampleSnapshot, exampleFeed];
  const deltas = [tenCells, exampleDelta];
  return [
    JSON.stringify(z.toJSONSchema(upSchema, { io: 'input' })),
    ...snapshots.map((snapshot) => JSON.stringify(snapshotToJson('a', snapshot, 1))),
    ...deltas.map((delta) => JSON.stringify(deltaToJson('a', delta, 1))),
    ...snapshots.map((snapshot) => hex(encodeFrame(frameType.snapshot, 'a', encodeSnapshotBody(snapshot)))),
    ...deltas.map((delta) => hex(encodeFrame(frameType.delta, 'ä', encodeDeltaBody(delta), 4_000_000_000))),
    ...exampleMessages.map((message) => hex(encodeJsonFrame(message))),
  ].join('\n');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

test('the wire has not changed since the last line of its history', () => {
  const sha256 = createHash('sha256').update(describeWire()).digest('hex');
  expect(sha256, 'the wire changed: add a line to wireHistory in version.ts').toBe(
    wireHistory.at(-1)?.sha256,
  );
});

test('versions of the wire count up from one', () => {
  expect(wireHistory.map(({ version }) => version)).toEqual(wireHistory.map((_, index) => index + 1));
});
