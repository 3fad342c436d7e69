import { link, open, rename, rm } from 'node:fs/promises';

/** What file systems without hard links answer (FAT, some network shares). */
const noLinks = new Set(['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/**
 * Renames `temporary` to `path` unless that exists: false then. `rename` would replace what somebody else has finished
 * meanwhile, which `link` never does. Without links the name is taken as an empty file first.
 */
export async function takeName(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (noLinks.has(code)) return renameToNew(temporary, path);
    throw error;
  }
  // It has its name; the other one would be cleared away by the next backup.
  await rm(temporary, { force: true }).catch(() => undefined);
  return true;
}

async function renameToNew(temporary: string, path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return true;
}
