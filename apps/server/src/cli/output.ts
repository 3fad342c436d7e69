import type { Readable, Writable } from 'node:stream';

/** What a command may touch of its process. */
export interface CommandContext {
  args: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  /** Results, for people and pipes. */
  print: (text: string) => void;
  /** Everything else: progress, warnings, logs. */
  note: (text: string) => void;
  /** All of standard input. */
  readInput: () => Promise<string>;
  /** Standard input as it comes. */
  input: Readable;
  /** Standard output for much data: it says when to wait. */
  output: Writable;
  interactive: boolean;
}

/** Exit code of the process. */
export type CommandResult = Promise<number>;
export type CommandHandler = (context: CommandContext) => CommandResult;
