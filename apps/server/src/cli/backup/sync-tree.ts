import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** fsyncs at once; a journal takes many of them in one go. */
const atOnce = 16;

/** Makes a folder and all that is in it survive a power cut; not deep: the folder's own names alone. */
export async function syncTree(root: string, { deep = true } = {}): Promise<void> {
  const paths = [root];
  if (deep) {
    for (const entry of await readdir(root, { withFileTypes: true, recursive: true }))
      if (entry.isFile() || entry.isDirectory()) paths.push(join(entry.parentPath, entry.name));
  }
  const next = paths[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const path of next) await sync(path);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
