import { type Command, commandPage, commands, optionsOf, overviewPage } from '@nowcast/config';
import { AppError, isAppError } from '@nowcast/kernel';
import { backup } from './cli/backup/backup.ts';
import { restore } from './cli/backup/restore.ts';
import { exportPoints } from './cli/export/export.ts';
import { importPoints } from './cli/import/import.ts';
import { createKey, deleteKey, listKeys } from './cli/keys.ts';
import type { CommandContext, CommandHandler } from './cli/output.ts';
import {
  createUser,
  disableUser,
  enableUser,
  listUsers,
  setup,
  setUserPassword,
  setUserRole,
} from './cli/people.ts';
import { serve } from './cli/serve.ts';
import { version } from './version.ts';

/** The command line: finds the command, and turns what goes wrong into one line and an exit code. */
const handlers: Readonly<Record<string, CommandHandler>> = {
  serve,
  setup,
  'key create': createKey,
  'key list': listKeys,
  'key delete': deleteKey,
  'user list': listUsers,
  'user create': createUser,
  'user disable': disableUser,
  'user enable': enableUser,
  'user password': setUserPassword,
  'user role': setUserRole,
  backup,
  restore,
  export: exportPoints,
  import: importPoints,
};

async function run(words: readonly string[]): Promise<number> {
  const print = (text: string): void => void process.stdout.write(text);
  if (words.length === 0 || words[0] === '--help' || words[0] === 'help') {
    print(overviewPage());
    return words.length === 0 ? 2 : 0;
  }
  if (words[0] === '--version') {
    print(`${version}\n`);
    return 0;
  }
  const command = findCommand(words);
  const args = words.slice(command.name.split(' ').length);
  if (args.includes('--help')) {
    print(commandPage(command));
    return 0;
  }
  refuseForeignOptions(command, args);
  const context: CommandContext = {
    args,
    environment: process.env,
    print,
    note: (text) => void process.stderr.write(text),
    readInput: async () => Buffer.concat(await process.stdin.toArray()).toString('utf8'),
    input: process.stdin,
    output: process.stdout,
    interactive: process.stderr.isTTY,
  };
  return (handlers[command.name] ?? serve)(context);
}

function findCommand(words: readonly string[]): Command {
  const found = commands.find(({ name }) => name.split(' ').every((word, i) => words[i] === word));
  if (found !== undefined) return found;
  const group = commands.filter(({ name }) => name.startsWith(`${words[0]} `)).map(({ name }) => name);
  throw new AppError(
    'request.invalid',
    group.length > 0
      ? `say one of: ${group.join(', ')}`
      : `"${words[0]}" is not a command; there are ${commands.map(({ name }) => name).join(', ')}`,
  );
}

/** Commands share tables; an option that this one does not read would otherwise be ignored in silence. */
function refuseForeignOptions(command: Command, args: readonly string[]): void {
  const own = new Set(Object.values(optionsOf(command)));
  const others = Object.values(command.options).filter((option) => !own.has(option));
  const flags = new Set(others.flatMap(({ flag }) => [`--${flag}`, `--no-${flag}`]));
  const foreign = args.find((arg) => flags.has(arg.split('=')[0] ?? ''));
  if (foreign === undefined) return;
  throw new AppError(
    'request.invalid',
    `${foreign} is not an option of "nowcast ${command.name}"; see --help`,
  );
}

/** Ours says what to change, the system's what it did not allow; anything else is a fault, and its stack is what helps. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isAppError(error) || 'syscall' in error ? error.message : (error.stack ?? error.message);
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`nowcast: ${wordsOf(error)}\n`);
  process.exitCode = isAppError(error) ? 2 : 1;
}
