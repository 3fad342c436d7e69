import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { appError } from '@nowcast/contract';
import type { AppError } from '@nowcast/kernel';
import { type BackupManifest, manifestName, manifestSumName, parseManifest } from './manifest.ts';
import { readTarHeader, tarBlockBytes, type TarEntry, tarPadding } from './tar.ts';

const pieceBytes = 1024 * 1024;
const mostManifestBytes = 256 * 1024 * 1024;

/** Takes the bytes of one file of the backup, in order. */
export interface EntrySink {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads a backup from its beginning to its end, gives every file to a sink, and only then says whether all of it is
 * what was backed up: what the sinks made counts for nothing until this resolves. Rejects with `request.invalid` and
 * what is wrong where.
 */
export async function readArchive(
  path: string,
  sinkOf: (name: string) => Promise<EntrySink>,
): Promise<BackupManifest> {
  const file = await openArchive(path);
  try {
    return await new ArchiveReader(path, file, sinkOf).read();
  } finally {
    await file.close();
  }
}

async function openArchive(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw appError('request.not_found', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

class ArchiveReader {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #sinkOf: (name: string) => Promise<EntrySink>;
  readonly #piece = Buffer.allocUnsafe(pieceBytes);
  readonly #found = new Map<string, { size: number; sha256: string }>();
  #at = 0;

  constructor(path: string, file: FileHandle, sinkOf: (name: string) => Promise<EntrySink>) {
    this.#path = path;
    this.#file = file;
    this.#sinkOf = sinkOf;
  }

  async read(): Promise<BackupManifest> {
    let manifest: string | undefined;
    for (let entry = await this.#next(); entry !== undefined; entry = await this.#next()) {
      if (manifest === undefined && entry.name !== manifestName) await this.#pass(entry);
      else if (manifest === undefined) manifest = await this.#text(entry);
      else if (entry.name === manifestSumName) return this.#check(manifest, await this.#text(entry));
      else break;
    }
    throw this.#damaged('it ends without its list of contents: it was cut off, or is no backup of Nowcast');
  }

  /** Undefined at the end of the archive. */
  async #next(): Promise<TarEntry | undefined> {
    const header = Buffer.alloc(tarBlockBytes);
    if ((await this.#fill(header, tarBlockBytes)) < tarBlockBytes) return undefined;
    const entry = readTarHeader(header);
    if (entry === 'damaged')
      throw this.#damaged(`byte ${this.#at - tarBlockBytes} is not where a file begins`);
    return entry === 'end' ? undefined : entry;
  }

  async #pass(entry: TarEntry): Promise<void> {
    const sink = await this.#sinkOf(entry.name);
    try {
      await this.#consume(entry, (bytes) => sink.write(bytes));
    } finally {
      await sink.close();
    }
  }

  async #text(entry: TarEntry): Promise<string> {
    if (entry.size > mostManifestBytes) throw this.#damaged('its list of contents has an impossible size');
    const pieces: Buffer[] = [];
    await this.#consume(entry, (bytes) => Promise.resolve(void pieces.push(Buffer.from(bytes))));
    return Buffer.concat(pieces).toString('utf8');
  }

  async #consume({ name, size }: TarEntry, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const hash = createHash('sha256');
    for (let left = size; left > 0;) {
      const length = await this.#fill(this.#piece, Math.min(pieceBytes, left));
      if (length === 0) throw this.#damaged(`it ends in the middle of ${name}`);
      const bytes = this.#piece.subarray(0, length);
      hash.update(bytes);
      await take(bytes);
      left -= length;
    }
    this.#at += tarPadding(size);
    if (this.#found.has(name)) throw this.#damaged(`${name} is in it twice`);
    this.#found.set(name, { size, sha256: hash.digest('hex') });
  }

  #check(text: string, sumLine: string): BackupManifest {
    const sum = createHash('sha256').update(text).digest('hex');
    if (!sumLine.startsWith(`${sum} `)) throw this.#damaged('its list of contents is not what was written');
    const manifest = parseManifest(text);
    const unlisted = new Set(this.#found.keys());
    for (const name of [manifestName, manifestSumName]) unlisted.delete(name);
    for (const { name, size, sha256 } of manifest.files) {
      const found = this.#found.get(name);
      unlisted.delete(name);
      if (found === undefined) throw this.#damaged(`${name} is missing`);
      if (found.size !== size || found.sha256 !== sha256)
        throw this.#damaged(`${name} is not what was backed up (checksums differ)`);
    }
    for (const name of unlisted) throw this.#damaged(`${name} does not belong to it`);
    return manifest;
  }

  /** Bytes read; fewer than `length` only at the end of the file. */
  async #fill(into: Buffer, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#file.read(into, done, length - done, this.#at);
      if (bytesRead === 0) break;
      done += bytesRead;
      this.#at += bytesRead;
    }
    return done;
  }

  #damaged(what: string): AppError {
    return appError('request.invalid', `${this.#path} is not a whole backup: ${what}. Use another backup`);
  }
}
