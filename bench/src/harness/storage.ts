import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { nativeProgram } from './cache.ts';

/**
 * Bytes that a folder's files occupy, a file with several names once; links below it are not followed, one that is the
 * folder itself is.
 */
export function bytesOnDisk(folder: string, seen = new Set<number>()): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += bytesOnDisk(path, seen);
    if (!entry.isFile()) continue;
    const { blocks, ino } = statSync(path);
    if (!seen.has(ino)) bytes += blocks * 512;
    seen.add(ino);
  }
  return bytes;
}

/**
 * Bytes of a MergeTree table. Parts that a merge has put together lie beside the result for eight minutes, to be there
 * when power fails before it is written: they are not counted.
 */
export function bytesOfTable(folder: string): number {
  const parts = readdirSync(folder).flatMap((name) => {
    const found = /^(\d+|all)_(\d+)_(\d+)_(\d+)(?:_(\d+))?$/.exec(name);
    if (found === null) return [];
    const [low, high, level, mutation] = found.slice(2).map((text) => Number(text ?? 0));
    return { name, partition: found[1], low: low!, high: high!, level: level!, mutation: mutation ?? 0 };
  });
  const seen = new Set<number>();
  return parts
    .filter((part) => !parts.some((other) => replaces(other, part)))
    .reduce((bytes, { name }) => bytes + bytesOnDisk(join(folder, name), seen), 0);
}

interface Part {
  partition: string | undefined;
  low: number;
  high: number;
  level: number;
  mutation: number;
}

function replaces(newer: Part, older: Part): boolean {
  if (newer.partition !== older.partition || newer.low > older.low || newer.high < older.high) return false;
  return newer.level > older.level || newer.mutation > older.mutation;
}

/** Drops a folder's files from the page cache. The server that has them must not run. */
export function dropFromPageCache(folder: string): void {
  const { status, stderr } = spawnSync(nativeProgram('evict'), [folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the page cache keeps ${folder}: ${stderr}`);
}
