import { join } from 'node:path';
import type { Disk } from './disk.ts';

/**
 * Segments that were cut from the log, kept to be written over. Writing into blocks a file already has costs the
 * kernel about half of what new ones cost (no allocation, no journal entry for the size at each fdatasync).
 *
 * What an old segment holds cannot be mistaken for new records: the new segment has a marker of its own, and every
 * frame must carry it.
 */
export class SpareSegments {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #most: number;
  readonly #paths: string[];
  #made = 0;

  private constructor(disk: Disk, directory: string, most: number, paths: string[]) {
    this.#disk = disk;
    this.#directory = directory;
    this.#most = most;
    this.#paths = paths;
  }

  /** Takes over what the process before left; removes what is too much. */
  static async open(disk: Disk, directory: string, most: number): Promise<SpareSegments> {
    const names = (await disk.list(directory)).filter((name) => name.endsWith('.spare')).sort();
    for (const name of names.splice(most)) await disk.unlink(join(directory, name));
    return new SpareSegments(
      disk,
      directory,
      most,
      names.map((name) => join(directory, name)),
    );
  }

  /** Path of a spare file, which now is the caller's. */
  take(): string | undefined {
    return this.#paths.pop();
  }

  /**
   * Turns a segment that nobody needs any more into a spare, or removes it, durably. Only then may it be written over:
   * otherwise a power cut could bring the old name back over new contents.
   */
  async give(segmentPath: string): Promise<void> {
    const path = this.#paths.length < this.#most ? await this.#freePath() : undefined;
    if (path === undefined) await this.#disk.unlink(segmentPath);
    else await this.#disk.rename(segmentPath, path);
    await this.#disk.syncDirectory(this.#directory);
    if (path !== undefined) this.#paths.push(path);
  }

  /** Gives the room back, because the disk is full. */
  async dropAll(): Promise<void> {
    for (const path of this.#paths.splice(0)) await this.#disk.unlink(path).catch(() => undefined);
  }

  async #freePath(): Promise<string> {
    const names = new Set(await this.#disk.list(this.#directory));
    for (;;) {
      this.#made += 1;
      const name = `${this.#made}.spare`;
      if (!names.has(name)) return join(this.#directory, name);
    }
  }
}
