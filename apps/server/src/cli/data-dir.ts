import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where the data is when nobody says (XDG Base Directory Specification 0.8). */
export function dataDirOf(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (given !== undefined) return resolve(given);
  const base = environment['XDG_DATA_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.local', 'share') : base, 'nowcast');
}
