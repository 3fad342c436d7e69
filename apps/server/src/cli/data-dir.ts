import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { appError } from '@nowcast/contract';

type Environment = Readonly<Record<string, string | undefined>>;

/** File in a data folder that a restore has not finished yet. */
export const restoringMark = 'restore.unfinished';

/** Where the data is when nobody says (XDG Base Directory Specification 0.8). */
export function dataDirPath(given: string | undefined, environment: Environment): string {
  if (given !== undefined) return resolve(given);
  const base = environment['XDG_DATA_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.local', 'share') : base, 'nowcast');
}

/** The same, to be used: throws for a folder that holds half a restore. */
export function dataDirOf(given: string | undefined, environment: Environment): string {
  const path = dataDirPath(given, environment);
  if (!existsSync(join(path, restoringMark))) return path;
  throw appError(
    'request.invalid',
    `a restore into ${path} has not finished; wait for it, or remove the folder and restore again`,
  );
}
