import { basename, dirname } from 'node:path';
import type { Disk, DiskFile } from '../disk.ts';

/**
 * A disk in memory that knows the difference between written and synced, and can lose power.
 *
 * What was synced stays. Of what was written since, a power cut keeps any selection of 512-byte sectors and of
 * truncations and of changes to the directory, each on its own, in order. That is more than a real file system does to
 * us, and less than a broken disk.
 */
type Change = { kind: 'sector'; position: number; bytes: Buffer } | { kind: 'truncate'; length: number };

interface Inode {
  /** As readers see it. */
  now: Buffer;
  synced: Buffer;
  unsynced: Change[];
}

/** One change of the directory, atomic: names given and names taken away. */
type NameChange = readonly (readonly [name: string, inode: Inode | undefined])[];

const sectorBytes = 512;

export class SimulatedDisk implements Disk {
  /** Operations that change or sync anything; the power goes at the `cutAt`-th, and nothing works any more. */
  operations = 0;
  cutAt = Number.POSITIVE_INFINITY;
  /** The operation at which the disk is full, if it is a write: half of it is written. */
  fullAt = Number.POSITIVE_INFINITY;
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  #unsyncedNames: NameChange[] = [];

  get isOff(): boolean {
    return this.operations >= this.cutAt;
  }

  /** Only the process died: everything written is still there, synced or not. */
  restart(): void {
    this.operations = 0;
    this.cutAt = Number.POSITIVE_INFINITY;
    this.fullAt = Number.POSITIVE_INFINITY;
  }

  /** The disk as the next start finds it. `keeps` decides for every change that was not synced. */
  powerOn(keeps: () => boolean): void {
    const names = new Map(this.#syncedNames);
    for (const step of this.#unsyncedNames) if (keeps()) applyNames(names, step);
    for (const inode of new Set(names.values())) {
      const survivors = inode.unsynced.filter(() => keeps());
      inode.now = survivors.reduce(apply, inode.synced);
      inode.synced = inode.now;
      inode.unsynced = [];
    }
    this.#names = names;
    this.#syncedNames = new Map(names);
    this.#unsyncedNames = [];
    this.restart();
  }

  lock(): () => void {
    return () => undefined;
  }

  makeDirectory(): Promise<void> {
    return Promise.resolve();
  }

  list(directory: string): Promise<string[]> {
    const paths = [...this.#names.keys()].filter((path) => dirname(path) === directory);
    return Promise.resolve(paths.map((path) => basename(path)));
  }

  readText(path: string): Promise<string | undefined> {
    return Promise.resolve(this.#names.get(path)?.now.toString());
  }

  async open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile> {
    if (mode === 'create') {
      await this.#step();
      const inode = this.#names.get(path) ?? { now: Buffer.alloc(0), synced: Buffer.alloc(0), unsynced: [] };
      if (inode.now.byteLength > 0) change(inode, { kind: 'truncate', length: 0 });
      if (!this.#names.has(path)) this.#changeNames([[path, inode]]);
    }
    const inode = this.#names.get(path);
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return this.#file(inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step();
    this.#changeNames([
      [to, this.#names.get(from)],
      [from, undefined],
    ]);
  }

  async unlink(path: string): Promise<void> {
    await this.#step();
    this.#changeNames([[path, undefined]]);
  }

  async syncDirectory(): Promise<void> {
    await this.#step();
    this.#syncedNames = new Map(this.#names);
    this.#unsyncedNames = [];
  }

  #changeNames(step: NameChange): void {
    applyNames(this.#names, step);
    this.#unsyncedNames.push(step);
  }

  #file(inode: Inode): DiskFile {
    const sync = async (): Promise<void> => {
      const covered = inode.unsynced.length;
      await this.#step();
      inode.synced = inode.unsynced.slice(0, covered).reduce(apply, inode.synced);
      inode.unsynced = inode.unsynced.slice(covered);
    };
    return {
      size: () => Promise.resolve(inode.now.byteLength),
      read: (into, offset, length, position) =>
        Promise.resolve(inode.now.copy(into, offset, position, position + length)),
      writev: async (buffers, position) => {
        const isFull = this.operations + 1 === this.fullAt;
        const all = Buffer.concat(buffers);
        const bytes = isFull ? all.subarray(0, all.byteLength >> 1) : all;
        for (let at = 0; at < bytes.byteLength;) {
          const length = Math.min(sectorBytes - ((position + at) % sectorBytes), bytes.byteLength - at);
          change(inode, { kind: 'sector', position: position + at, bytes: bytes.subarray(at, at + length) });
          at += length;
        }
        await this.#step();
        if (isFull) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
        return bytes.byteLength;
      },
      truncate: async (length) => {
        await this.#step();
        change(inode, { kind: 'truncate', length });
      },
      datasync: sync,
      sync,
      close: () => Promise.resolve(),
    };
  }

  async #step(): Promise<void> {
    await Promise.resolve();
    this.operations += 1;
    if (this.isOff) throw Object.assign(new Error('the power is off'), { code: 'EIO' });
  }
}

function applyNames(names: Map<string, Inode>, step: NameChange): void {
  for (const [name, inode] of step) {
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
}

function change(inode: Inode, step: Change): void {
  inode.unsynced.push(step);
  inode.now = apply(inode.now, step);
}

function apply(content: Buffer, step: Change): Buffer {
  if (step.kind === 'truncate') {
    const shorter = Buffer.alloc(step.length);
    content.copy(shorter);
    return shorter;
  }
  const end = step.position + step.bytes.byteLength;
  const written = Buffer.alloc(Math.max(content.byteLength, end));
  content.copy(written);
  step.bytes.copy(written, step.position);
  return written;
}
