import type { OptionTable } from './option.ts';
import { backupOptions, exportOptions, importOptions, restoreOptions } from './transfer-options.ts';
import { keyOptions, serveOptions, setupOptions, userOptions } from './options.ts';

export interface Command {
  /** Words after `nowcast`. */
  name: string;
  summary: string;
  options: OptionTable;
  /** Keys of `options` this command reads; absent: all. */
  uses?: readonly string[];
}

/** Every command of the CLI, in the order of the help page. */
export const commands: readonly Command[] = [
  { name: 'serve', summary: 'Run the server', options: serveOptions },
  {
    name: 'setup',
    summary: 'Make the organisation and its owner without the setup link',
    options: setupOptions,
  },
  {
    name: 'key create',
    summary: 'Make an API key and print it once',
    options: keyOptions,
    uses: ['dataDir', 'name', 'scopes', 'tenant'],
  },
  { name: 'key list', summary: 'List API keys', options: keyOptions, uses: ['dataDir', 'tenant'] },
  {
    name: 'key delete',
    summary: 'Delete an API key',
    options: keyOptions,
    uses: ['dataDir', 'id', 'tenant'],
  },
  { name: 'user list', summary: 'List users', options: userOptions, uses: ['dataDir', 'tenant'] },
  { name: 'user create', summary: 'Make a user', options: userOptions },
  {
    name: 'user disable',
    summary: 'Sign a user out and keep them out',
    options: userOptions,
    uses: userTarget(),
  },
  { name: 'user enable', summary: 'Let a disabled user in again', options: userOptions, uses: userTarget() },
  {
    name: 'user password',
    summary: 'Set a forgotten password anew, and sign the user out',
    options: userOptions,
    uses: [...userTarget(), 'passwordStdin'],
  },
  {
    name: 'user role',
    summary: 'Change the role of a user',
    options: userOptions,
    uses: [...userTarget(), 'role'],
  },
  {
    name: 'backup',
    summary: 'Copy everything into one file, also while the server runs',
    options: backupOptions,
  },
  {
    name: 'restore',
    summary: 'Make a new data folder from a backup',
    options: restoreOptions,
  },
  {
    name: 'export',
    summary: 'Write the points of a metric to a file or a pipe',
    options: exportOptions,
  },
  {
    name: 'import',
    summary: 'Send the points of a file; the same file again adds nothing within 24 hours',
    options: importOptions,
  },
];

function userTarget(): readonly string[] {
  return ['dataDir', 'username', 'tenant'];
}

/** The options a command reads. */
export function optionsOf(command: Command): OptionTable {
  const { uses } = command;
  if (uses === undefined) return command.options;
  return Object.fromEntries(Object.entries(command.options).filter(([key]) => uses.includes(key)));
}
