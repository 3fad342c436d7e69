import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appError } from '@nowcast/contract';
import { removeAbandoned, unfinishedName } from './abandoned.ts';
import type { BackupManifest } from './manifest.ts';
import { manifestName, manifestSumName } from './manifest.ts';
import { takeName } from './take-name.ts';
import { tarBlockBytes, tarHeader, tarPadding } from './tar.ts';

const pieceBytes = 1024 * 1024;

/**
 * Writes a backup: one tar file under another name until it is whole, complete with its checksums and on the disk.
 * Only then does it get its name, so whatever has the name is a finished backup.
 */
export class ArchiveWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #files: BackupManifest['files'] = [];
  readonly #piece = Buffer.allocUnsafe(pieceBytes);
  readonly #madeAtMs: number;
  bytes = 0;

  private constructor(path: string, temporary: string, file: FileHandle, madeAtMs: number) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
    this.#madeAtMs = madeAtMs;
  }

  /** Also clears away what killed backups to this folder left. */
  static async create(path: string, madeAtMs: number): Promise<ArchiveWriter> {
    await removeAbandoned(dirname(path));
    const temporary = unfinishedName(path);
    return new ArchiveWriter(path, temporary, await open(temporary, 'wx', 0o600), madeAtMs);
  }

  /** Adds the first `size` bytes of the file at `from`. */
  async addFile(name: string, from: string, size: number): Promise<void> {
    const source = await open(from, 'r');
    try {
      await this.#add(name, size, async (take) => {
        for (let at = 0; at < size;) {
          const wanted = Math.min(pieceBytes, size - at);
          const { bytesRead } = await source.read(this.#piece, 0, wanted, at);
          if (bytesRead === 0) throw appError('server.error', `${from} ends at byte ${at} of ${size}`);
          await take(this.#piece.subarray(0, bytesRead));
          at += bytesRead;
        }
      });
    } finally {
      await source.close();
    }
  }

  addBytes(name: string, bytes: Uint8Array): Promise<void> {
    return this.#add(name, bytes.length, (take) => take(bytes));
  }

  /** Adds the description and makes everything durable; it has no name yet. */
  async seal(about: Omit<BackupManifest, 'files'>): Promise<void> {
    const manifest = Buffer.from(JSON.stringify({ ...about, files: this.#files } satisfies BackupManifest));
    await this.addBytes(manifestName, manifest);
    const sum = createHash('sha256').update(manifest).digest('hex');
    await this.addBytes(manifestSumName, Buffer.from(`${sum}  ${manifestName}\n`));
    await this.#write(Buffer.alloc(2 * tarBlockBytes));
    await this.#file.sync();
    await this.#file.close();
  }

  /**
   * From here on the backup exists, under the name that is answered: with `orNumbered` the next number that is free
   * where others have the name. Rejects with `request.invalid` when it is taken otherwise.
   */
  async publish({ orNumbered }: { orNumbered: boolean }): Promise<string> {
    let path = this.#path;
    for (let number = 2; !(await takeName(this.#temporary, path)); number++) {
      if (!orNumbered)
        throw appError('request.invalid', `${path} exists already; name a new file, or a folder`);
      path = this.#path.replace(/(?=\.tar$)/, `-${number}`);
    }
    const folder = await open(dirname(this.#path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return path;
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }

  async #add(
    name: string,
    size: number,
    feed: (take: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const hash = createHash('sha256');
    await this.#write(tarHeader({ name, size }, this.#madeAtMs));
    await feed(async (bytes) => {
      hash.update(bytes);
      await this.#write(bytes);
    });
    await this.#write(Buffer.alloc(tarPadding(size)));
    this.#files.push({ name, size, sha256: hash.digest('hex') });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, at);
      at += bytesWritten;
    }
    this.bytes += bytes.length;
  }
}
