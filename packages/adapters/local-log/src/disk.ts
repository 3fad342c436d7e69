import { constants } from 'node:fs';
import { open, mkdir, readdir, readFile, rename, unlink, type FileHandle } from 'node:fs/promises';
import { isAppError } from '@nowcast/kernel';
import { lockDirectory } from './directory-lock.ts';

/**
 * The few file operations the log is made of, and nothing else. Everything the log knows about the disk goes through
 * here, so that a test can make the Nth operation fail, write short, or lose what was not synced, around a real or a
 * simulated disk.
 */
export interface Disk {
  /** Keeps every other opener out of the directory until the returned function is called. Throws when one is in. */
  lock(directory: string): () => void;
  makeDirectory(path: string): Promise<void>;
  /** Names in the directory, in no order. */
  list(directory: string): Promise<string[]>;
  /** `undefined` when there is no such file. */
  readText(path: string): Promise<string | undefined>;
  /** `create` empties a file that is already there; `write` and `read` need one. */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes creations, renames and removals in the directory survive a power cut. */
  syncDirectory(path: string): Promise<void>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** Bytes read; fewer than asked for only at the end of the file. */
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** Bytes written, which may be fewer than given. */
  writev(buffers: readonly Uint8Array[], position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  /** What was written, and the size that it needs; not the times, and not what `truncate` did. */
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

const openFlags = { create: 'w+', write: 'r+', read: 'r' } as const;
/**
 * On Linux each write brings its bytes to the disk before it returns, as an fdatasync behind it would, which takes a
 * second way through the thread pool and another turn of a busy event loop (docs/decisions/0025). Elsewhere O_DSYNC
 * may leave them in the disk's own memory, which Node's fdatasync does not.
 */
const writesSync = process.platform === 'linux';
const { O_RDWR, O_CREAT, O_TRUNC, O_DSYNC } = constants;
const syncFlags = {
  create: O_RDWR | O_CREAT | O_TRUNC | O_DSYNC,
  write: O_RDWR | O_DSYNC,
  read: openFlags.read,
} as const;

/**
 * IOV_MAX of Linux and macOS. libuv makes several calls of more, and tells the error of a later one as a short write:
 * to write the rest again would call a sync that failed a success.
 */
const mostVectors = 1024;

class NodeFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(into, offset + done, length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async writev(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const vector = buffers.length > mostVectors ? [Buffer.concat(buffers)] : buffers;
    return (await this.#handle.writev(vector, position)).bytesWritten;
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  datasync(): Promise<void> {
    return writesSync ? Promise.resolve() : this.#handle.datasync();
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The real file system, through libuv's thread pool: the calling thread goes on decoding meanwhile. */
export const nodeDisk: Disk = {
  lock: lockDirectory,
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (directory) => readdir(directory),
  async readText(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  async open(path, mode) {
    return new NodeFile(await open(path, (writesSync ? syncFlags : openFlags)[mode], 0o600));
  },
  rename,
  unlink,
  async syncDirectory(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** The operating system's name of a failed call (`EIO`, `ENOSPC`, …), or `""` for an error of another kind. */
export function errnoOf(error: unknown): string {
  if (isAppError(error) || !(error instanceof Error) || !('code' in error)) return '';
  return String(error.code);
}

/** The disk or the quota is used up: worth another try once somebody made room. */
export function isDiskFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

/** Writes all of the buffers, however often the disk takes only a part of them. */
export async function writeFully(
  file: DiskFile,
  buffers: readonly Uint8Array[],
  byteLength: number,
  position: number,
): Promise<void> {
  let rest = buffers;
  let done = await file.writev(rest, position);
  while (done < byteLength) {
    rest = withoutFirstBytes(buffers, done);
    const written = await file.writev(rest, position + done);
    if (written === 0) throw new Error(`the disk took ${done} of ${byteLength} bytes and then none`);
    done += written;
  }
}

function withoutFirstBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = count;
  for (const buffer of buffers) {
    if (skip >= buffer.byteLength) {
      skip -= buffer.byteLength;
      continue;
    }
    rest.push(skip === 0 ? buffer : buffer.subarray(skip));
    skip = 0;
  }
  return rest;
}
