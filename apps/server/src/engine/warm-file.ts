import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Carried } from '@nowcast/history';
import type { OffsetVector } from '@nowcast/ports';
import type { EngineLog } from './embedded-engine.ts';
import type { EngineOptions } from './options.ts';

/** What must be the same at the next start for the blocks to say what the warehouse says. */
export interface WarmState {
  epoch: string;
  at: OffsetVector;
  retention: EngineOptions['retention'];
}

interface Head extends WarmState {
  version: typeof version;
  metrics: Carried['metrics'];
  blocks: number;
}

type CarriedBlock = Carried['blocks'][number];

const version = 1;
const partHead = 12;

const columnTypes = {
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float64Array,
  BigUint64Array,
} as const;
type Column = InstanceType<(typeof columnTypes)[keyof typeof columnTypes]>;
/** How the text of a part names a column. */
interface ColumnRef {
  column: keyof typeof columnTypes;
  at: number;
  length: number;
}

/**
 * What the warm store held when the engine was stopped, for its next start. It is worth something at one vector of one
 * log only, and gone once it was read: after a crash nothing stale can be found
 * (docs/decisions/0027-warm-through-a-restart.md). No method rejects: without the file the first questions are slower,
 * no more.
 *
 * A head, then a part for each block. Part: length of the text, length of the columns, CRC-32 of both (little-endian),
 * JSON text padded to eight bytes, columns each at a multiple of eight.
 */
export class WarmFile {
  readonly #path: string;
  readonly #log: EngineLog;

  constructor(dataDir: string, log: EngineLog) {
    this.#path = join(dataDir, 'engine.warm');
    this.#log = log;
  }

  async write({ metrics, blocks }: Carried, state: WarmState): Promise<void> {
    if (blocks.length === 0) return;
    const unfinished = `${this.#path}.tmp`;
    const head: Head = { version, ...state, metrics, blocks: blocks.length };
    try {
      // Not synced: what a loss of power leaves of it is seen to be damaged.
      const file = await open(unfinished, 'w', 0o600);
      try {
        for (const part of [head, ...blocks]) await file.writev(partOf(part));
      } finally {
        await file.close();
      }
      await rename(unfinished, this.#path);
    } catch (error) {
      this.#log('warn', 'what is held of history could not be written down', { reason: String(error) });
      await rm(unfinished, { force: true }).catch(() => undefined);
    }
  }

  /** Reads the file and removes it. Undefined when there is none, or it is of another version or damaged. */
  async read(): Promise<(Carried & WarmState) | undefined> {
    try {
      const carried = await readParts(this.#path);
      await rm(this.#path);
      return carried;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.#log('warn', 'what was held of history is read from the warehouse again', {
        reason: String(error),
      });
      await rm(this.#path, { force: true }).catch(() => undefined);
      return undefined;
    }
  }
}

async function readParts(path: string): Promise<(Carried & WarmState) | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let position = 0;
    const take = async (length: number): Promise<Buffer> => {
      // Said by bytes that may be damaged: no more memory than the file is long.
      const bytes = Buffer.from(new ArrayBuffer(Math.min(length, size - position)));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
      if (bytesRead !== length) throw new Error(`${path} ends too early`);
      position += length;
      return bytes;
    };
    const next = async (): Promise<unknown> => {
      const lengths = await take(partHead);
      const textLength = lengths.readUInt32LE(0);
      const content = await take(textLength + lengths.readUInt32LE(4));
      if (crc32(content) !== lengths.readUInt32LE(8)) throw new Error(`${path} is damaged`);
      return parsePart(content, textLength);
    };
    const head = (await next()) as Head;
    if (head.version !== version) return undefined;
    const blocks: CarriedBlock[] = [];
    while (blocks.length < head.blocks) blocks.push((await next()) as CarriedBlock);
    return { ...head, blocks };
  } finally {
    await file.close();
  }
}

/** Whether what was carried says what the warehouse says now. */
export function isOf(carried: WarmState, state: WarmState): boolean {
  const said = ({ epoch, at, retention }: WarmState) => JSON.stringify([epoch, at, retention]);
  return said(carried) === said(state);
}

function partOf(value: unknown): Uint8Array[] {
  const columns: Uint8Array[] = [];
  let at = 0;
  const text = JSON.stringify(value, (_key, entry: unknown) => {
    if (!ArrayBuffer.isView(entry)) return entry;
    const { byteLength, byteOffset, buffer } = entry;
    const padding = -byteLength & 7;
    const ref: ColumnRef = {
      column: entry.constructor.name as ColumnRef['column'],
      at,
      length: (entry as Column).length,
    };
    columns.push(new Uint8Array(buffer, byteOffset, byteLength), new Uint8Array(padding));
    at += byteLength + padding;
    return ref;
  });
  const bytes = Buffer.from(text);
  const padded = Buffer.alloc(bytes.length + (-bytes.length & 7), ' ');
  bytes.copy(padded);
  const parts = [padded, ...columns];
  const head = Buffer.alloc(partHead);
  head.writeUInt32LE(padded.length, 0);
  head.writeUInt32LE(at, 4);
  head.writeUInt32LE(
    parts.reduce((sum, part) => crc32(part, sum), 0),
    8,
  );
  return [head, ...parts];
}

/** Columns are views of the part's memory: that of a block goes when the block goes. */
function parsePart(content: Buffer, textLength: number): unknown {
  return JSON.parse(content.toString('utf8', 0, textLength), (_key, entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('column' in entry)) return entry;
    const { column, at, length } = entry as ColumnRef;
    return new columnTypes[column](
      content.buffer as ArrayBuffer,
      content.byteOffset + textLength + at,
      length,
    );
  });
}
