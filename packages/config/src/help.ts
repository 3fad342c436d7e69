import { type Command, commands, optionsOf } from './commands.ts';
import { environmentName, isEnvironmentOnly, type Option } from './option.ts';
import { usage } from './parse.ts';

/** The page of `nowcast --help`. */
export function overviewPage(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return [
    'Usage: nowcast COMMAND [options]',
    '',
    'Commands:',
    ...lines,
    '',
    'nowcast COMMAND --help shows the options of a command.',
    '',
  ].join('\n');
}

/** The page of `nowcast COMMAND --help`. */
export function commandPage(command: Command): string {
  const options = Object.values(optionsOf(command));
  const blocks = options.map((option) => {
    const notes = [defaultOf(option), environmentOf(option)].filter((note) => note !== '');
    return `  ${usage(option)}\n      ${option.help}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
  });
  return [
    ['Usage: nowcast', command.name, ...positionals(options), '[options]'].join(' '),
    '',
    `${command.summary}.`,
    '',
    'Options:',
    ...blocks,
    '',
  ].join('\n');
}

function positionals(options: readonly Option[]): string[] {
  return options.flatMap((option) =>
    option.kind === 'text' && option.positional === true ? [option.placeholder] : [],
  );
}

/** docs/reference/cli.md. */
export function referencePage(): string {
  const sections = commands.map((command) => {
    const rows = Object.values(optionsOf(command)).map((option) => {
      const cells = [`\`${usage(option)}\``, code(environmentOf(option)), defaultOf(option), option.help];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    });
    return [
      `## nowcast ${command.name}`,
      '',
      `${command.summary}.`,
      '',
      '| Option | Environment | Default | Meaning |',
      '|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
  });
  return [
    '# Command line reference',
    '',
    'Generated from the table in `packages/config`; a test compares it. A flag wins over the environment, the environment over the default.',
    '',
    ...sections,
  ].join('\n');
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function environmentOf(option: Option): string {
  return option.flagOnly === true || isEnvironmentOnly(option) ? '' : environmentName(option);
}

function defaultOf(option: Option): string {
  if (option.defaultText !== undefined) return `default: ${option.defaultText}`;
  if (option.kind === 'texts') return '';
  if (option.kind === 'switch') return option.default ? 'default: on' : '';
  if (option.kind === 'list')
    return option.default.length === 0 ? '' : `default: ${option.default.join(',')}`;
  return option.default === undefined ? '' : `default: ${option.default}`;
}
