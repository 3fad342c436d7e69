import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appError } from '@nowcast/contract';
import { readSealedFile, writeSealedFile } from './sealed-file.ts';

/** Sealed files whose head names the epoch, and lines of JSON that do. */
const sealedNames = ['engine.checkpoint', 'alerts.checkpoint'] as const;
const lineNames = ['dead-letters.ndjson'] as const;

/**
 * What the engine keeps beside the log and the warehouse and cannot make again from them. Each belongs to one log and
 * says which by its epoch. (`engine.series` is not among them: the warehouse has the series too.)
 */
export const stateFileNames: readonly string[] = [...sealedNames, ...lineNames];

/** Names the files as they are now in another folder: they are replaced, not changed, so the links stay what they are. */
export async function linkStateFiles(
  dataDir: string,
  folder: string,
): Promise<{ name: string; path: string; size: number }[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const files = [];
  for (const name of stateFileNames) {
    const path = join(folder, name);
    await unlessMissing(link(join(dataDir, name), path));
    const found = await unlessMissing(stat(path));
    if (found !== undefined) files.push({ name, path, size: found.size });
  }
  return files;
}

/** Makes the files of one log those of its restored copy: same records, same offsets, another epoch. */
export async function moveStateFiles(dataDir: string, from: string, to: string): Promise<void> {
  for (const name of sealedNames) await moveSealed(join(dataDir, name), from, to);
  for (const name of lineNames) await moveLines(join(dataDir, name), from, to);
}

async function moveSealed(path: string, from: string, to: string): Promise<void> {
  const magic = (await readIfThere(path))?.readUInt32LE(0);
  if (magic === undefined) return;
  const file = await readSealedFile(path, magic);
  if (file === 'damaged' || file === undefined)
    throw appError('request.invalid', `${path} was damaged before it was backed up; use another backup`);
  const head = file.head as { epoch: string };
  // One of an earlier log says nothing about this one, and must go on saying nothing.
  if (head.epoch === from) await writeSealedFile(path, magic, { ...head, epoch: to }, file.content);
}

/** A last line that a crash cut off stays as it is. */
async function moveLines(path: string, from: string, to: string): Promise<void> {
  const text = await readIfThere(path);
  if (text === undefined) return;
  const lines = text
    .toString('utf8')
    .split('\n')
    .map((line, i, all) => {
      if (line === '' || i === all.length - 1) return line;
      const letter = JSON.parse(line) as { epoch: string };
      return letter.epoch === from ? JSON.stringify({ ...letter, epoch: to }) : line;
    });
  await writeFile(path, lines.join('\n'));
}

function readIfThere(path: string): Promise<Buffer | undefined> {
  return unlessMissing(readFile(path));
}

/** Undefined when what the step is about does not exist. */
async function unlessMissing<T>(step: Promise<T>): Promise<T | undefined> {
  try {
    return await step;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
