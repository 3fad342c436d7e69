import type { Disk, DiskFile } from '../disk.ts';

export type FaultKind = 'EIO' | 'ENOSPC' | 'short write';

/**
 * The real disk, except that one operation fails: the `failAt`-th of those that change anything, or of those called `on`. A short write takes
 * half of the bytes and says so; on operations that cannot be short it does nothing.
 */
export class FaultyDisk {
  readonly disk: Disk;
  /** Operations so far, and the name of the one that was made to fail. */
  operations = 0;
  fired: string | undefined;
  readonly #failAt: number;
  readonly #kind: FaultKind;
  readonly #on: string | undefined;

  constructor(below: Disk, fault: { failAt: number; kind: FaultKind; on?: string }) {
    this.#failAt = fault.failAt;
    this.#kind = fault.kind;
    this.#on = fault.on;
    this.disk = {
      lock: (path) => below.lock(path),
      list: (path) => below.list(path),
      readText: (path) => below.readText(path),
      makeDirectory: (path) => this.#guard('mkdir', () => below.makeDirectory(path)),
      rename: (from, to) => this.#guard('rename', () => below.rename(from, to)),
      unlink: (path) => this.#guard('unlink', () => below.unlink(path)),
      syncDirectory: (path) => this.#guard('fsync of the directory', () => below.syncDirectory(path)),
      open: (path, mode) => this.#guard('open', async () => this.#file(await below.open(path, mode))),
    };
  }

  #file(file: DiskFile): DiskFile {
    return {
      size: () => file.size(),
      read: (...args) => file.read(...args),
      close: () => file.close(),
      truncate: (length) => this.#guard('ftruncate', () => file.truncate(length)),
      datasync: () => this.#guard('fdatasync', () => file.datasync()),
      sync: () => this.#guard('fsync', () => file.sync()),
      writev: async (buffers, position) => {
        if (!this.#isDue('write')) return file.writev(buffers, position);
        const all = Buffer.concat(buffers);
        const half = all.subarray(0, all.byteLength >> 1);
        if (half.byteLength > 0) await file.writev([half], position);
        if (this.#kind === 'short write') return half.byteLength;
        throw this.#error('write');
      },
    };
  }

  #guard<R>(name: string, run: () => Promise<R>): Promise<R> {
    return this.#isDue(name) ? Promise.reject(this.#error(name)) : run();
  }

  #isDue(name: string): boolean {
    if (this.#on !== undefined && this.#on !== name) return false;
    this.operations += 1;
    if (this.operations !== this.#failAt || (this.#kind === 'short write' && name !== 'write')) return false;
    this.fired = name;
    return true;
  }

  #error(name: string): Error {
    return Object.assign(new Error(`${this.#kind}: ${name}`), { code: this.#kind });
  }
}
