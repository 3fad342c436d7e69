import { AppError } from '@nowcast/kernel';
import {
  environmentName,
  isEnvironmentOnly,
  type Option,
  type OptionTable,
  type Settings,
} from './option.ts';

/** Where the options of one call come from. */
export interface OptionSources {
  /** Arguments after the command's name. */
  args: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the options of a command: flag before environment before default. The answer is frozen; nothing reads the
 * environment after this. Throws `request.invalid` with a sentence that names the option and what to write instead.
 */
export function parseOptions<T extends OptionTable>(table: T, sources: OptionSources): Settings<T> {
  const given = readFlags(table, sources.args);
  const settings: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(table)) {
    settings[key] = resolve(option, given.get(option), sources.environment);
  }
  return Object.freeze(settings) as Settings<T>;
}

/** Raw texts given for each option, in order. */
function readFlags(table: OptionTable, args: readonly string[]): Map<Option, string[]> {
  const byFlag = new Map(
    Object.values(table)
      .filter((option) => !isPositional(option))
      .map((option) => [option.flag, option]),
  );
  const word = Object.values(table).find(isPositional);
  const given = new Map<Option, string[]>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (!arg.startsWith('--')) {
      if (word === undefined) throw invalid(`"${arg}" is not expected here; options start with --`);
      given.set(word, [...(given.get(word) ?? []), arg]);
      continue;
    }
    const equals = arg.indexOf('=');
    const flag = arg.slice(2, equals === -1 ? undefined : equals);
    const off = flag.startsWith('no-') ? byFlag.get(flag.slice(3)) : undefined;
    const option: Option | undefined = byFlag.get(flag) ?? (off?.kind === 'switch' ? off : undefined);
    if (option === undefined) throw unknownFlag(flag, [...byFlag.keys()]);
    if (isEnvironmentOnly(option)) {
      throw invalid(`--${flag} would show the secret to the whole machine; set ${environmentName(option)}`);
    }
    let text: string;
    if (equals !== -1) text = arg.slice(equals + 1);
    else if (option.kind === 'switch') text = option === off ? 'false' : 'true';
    else {
      const next = args[++i];
      if (next === undefined || next.startsWith('--'))
        throw invalid(`--${flag} needs a value, as in ${usage(option)}`);
      text = next;
    }
    given.set(option, [...(given.get(option) ?? []), text]);
  }
  return given;
}

function resolve(
  option: Option,
  flags: readonly string[] | undefined,
  environment: OptionSources['environment'],
): unknown {
  if (option.kind === 'texts') return Object.freeze([...(flags ?? [])]);
  const variable = environmentName(option);
  const fromEnvironment = option.flagOnly === true ? undefined : environment[variable];
  if (flags !== undefined) {
    const where = isPositional(option) ? option.placeholder : `--${option.flag}`;
    if (option.kind !== 'list' && flags.length > 1) throw invalid(`${where} is given twice; keep one`);
    return readValue(option, flags.join(','), where);
  }
  if (fromEnvironment !== undefined && fromEnvironment !== '') {
    return readValue(option, fromEnvironment, variable);
  }
  if (option.kind === 'text' && option.required === true) {
    throw invalid(`${usage(option).split(' ')[0]} is missing: ${usage(option)} (${option.help})`);
  }
  return option.default;
}

/** `where` is the flag or the environment name, for the message. */
function readValue(option: Exclude<Option, { kind: 'texts' }>, text: string, where: string): unknown {
  switch (option.kind) {
    case 'text':
      if (text === '') throw invalid(`${where} is empty; give a value or leave it out`);
      return text;
    case 'integer': {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= option.min && value <= option.max)) {
        throw invalid(`${where} is "${text}"; write a whole number from ${option.min} to ${option.max}`);
      }
      return value;
    }
    case 'switch':
      if (['true', '1', 'yes', 'on'].includes(text)) return true;
      if (['false', '0', 'no', 'off'].includes(text)) return false;
      throw invalid(`${where} is "${text}"; write true or false`);
    case 'list':
      return Object.freeze(
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      );
    default:
      if (option.choices.includes(text)) return text;
      throw invalid(`${where} is "${text}"; write one of ${option.choices.join(', ')}`);
  }
}

function isPositional(option: Option): option is Extract<Option, { kind: 'text' }> & { positional: true } {
  return option.kind === 'text' && option.positional === true;
}

/** `--port P`; `NOWCAST_SMTP_PASSWORD=P` for what is no flag. */
export function usage(option: Option): string {
  if (isPositional(option)) return option.placeholder;
  if (isEnvironmentOnly(option)) return `${environmentName(option)}=${option.placeholder}`;
  switch (option.kind) {
    case 'switch':
      return option.default ? `--no-${option.flag}` : `--${option.flag}`;
    case 'choice':
      return `--${option.flag} ${option.choices.join('|')}`;
    default:
      return `--${option.flag} ${option.placeholder}`;
  }
}

function unknownFlag(flag: string, known: readonly string[]): AppError {
  const near = known.filter((name) => distance(name, flag) <= 2).sort()[0];
  const hint = near === undefined ? 'see --help for the options' : `did you mean --${near}?`;
  return invalid(`--${flag} is not an option; ${hint}`);
}

/** Levenshtein distance; flags are short, so the plain table is enough. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function invalid(message: string): AppError {
  return new AppError('request.invalid', message);
}
