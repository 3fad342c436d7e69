import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appError, examineDamaged } from '@nowcast/contract';
import { isAppError } from '@nowcast/kernel';
import type { EngineLog } from './embedded-engine.ts';

/** More than this in one start is no accident: the wrong program or the wrong folder, and passing over it would lose it all. */
const mostInOneStart = 100;

interface Letter {
  epoch: string;
  partition: number;
  offset: number;
  /** Whose points it held, as far as that can still be read. */
  tenant: string | null;
  reason: string;
  /** The whole record, base64. */
  bytes: string;
}

/**
 * Records of the log that are whole by their checksum and still cannot be read: a defect of the program that wrote
 * them. A start that refused them would refuse for ever, so they are put aside and passed over.
 *
 * The decision must be the same in every replay, also by a program that could read them again: flushes were closed and
 * ids handed out without them. So it is on the disk, with the bytes, before the replay goes on.
 *
 * One line of JSON a record.
 */
export class DeadLetters {
  readonly #path: string;
  readonly #epoch: string;
  readonly #log: EngineLog;
  readonly #known = new Set<string>();
  #inThisStart = 0;

  constructor(path: string, epoch: string, log: EngineLog) {
    this.#path = path;
    this.#epoch = epoch;
    this.#log = log;
  }

  /** Records of this log put aside so far, for `/metrics`. */
  get count(): number {
    return this.#known.size;
  }

  /** A last line that a crash cut off is a decision that was not taken yet. */
  async load(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    for (const line of text.split('\n').slice(0, -1)) {
      const letter = readLetter(line);
      if (letter?.epoch === this.#epoch) this.#known.add(nameOf(letter.partition, letter.offset));
    }
  }

  has(partition: number, offset: number): boolean {
    return this.#known.has(nameOf(partition, offset));
  }

  /** Puts the record aside; durable when it resolves. Rejects where going on would do more harm than stopping. */
  async add(partition: number, offset: number, payload: Uint8Array, cause: unknown): Promise<void> {
    const { isNewer, tenant } = examineDamaged(payload);
    if (isNewer || this.#inThisStart >= mostInOneStart) {
      throw appError(
        'log.failed',
        isNewer
          ? `record ${offset} of partition ${partition} was written by a newer version: start that one`
          : `more than ${mostInOneStart} records of the log cannot be read, ${this.#path} has the first: start the version that wrote them`,
        { cause },
      );
    }
    this.#inThisStart++;
    const reason = reasonOf(cause);
    const bytes = Buffer.from(payload).toString('base64');
    const letter: Letter = { epoch: this.#epoch, partition, offset, tenant: tenant ?? null, reason, bytes };
    await appendLine(this.#path, JSON.stringify(letter));
    this.#known.add(nameOf(partition, offset));
    this.#log('error', 'a record of the log cannot be read and was put aside', {
      partition,
      offset,
      tenant: letter.tenant,
      reason,
      bytes: payload.length,
      file: this.#path,
    });
  }
}

function nameOf(partition: number, offset: number): string {
  return `${partition} ${offset}`;
}

function reasonOf(error: unknown): string {
  const cause = isAppError(error) ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function readLetter(line: string): Letter | undefined {
  try {
    return JSON.parse(line) as Letter;
  } catch {
    return undefined;
  }
}

/** Begins with a line end when the file does not end in one: a line cut off by a crash must not swallow this one. */
async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1, '\n');
    if (size > 0) await file.read(last, 0, 1, size - 1);
    await file.appendFile(last.toString() === '\n' ? `${line}\n` : `\n${line}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
