/**
 * What one option is. The table in `options.ts` is the only place where an option is described: its flag, its name
 * in the environment, its type, its default, the help page and the reference in docs/ all follow from it, so that
 * they cannot disagree.
 */
interface OptionBase {
  /** Flag without the dashes (`data-dir`); the environment name is derived (`NOWCAST_DATA_DIR`). */
  flag: string;
  /** One sentence, no full stop. */
  help: string;
  /** Shown where the default is computed at run time instead of fixed. */
  defaultText?: string;
  /** Never read from the environment: the option says what one call of a command does. */
  flagOnly?: true;
}

interface TextOption extends OptionBase {
  kind: 'text';
  placeholder: string;
  default?: string;
  required?: true;
  /** Given as a word of its own, without its flag. One option of a table at most. */
  positional?: true;
  /** A secret, read from the environment alone: everybody on the machine sees the arguments of a process. */
  environmentOnly?: true;
}

/** As often as the flag is given, each text as it is; not read from the environment. */
interface TextsOption extends OptionBase {
  kind: 'texts';
  placeholder: string;
  flagOnly: true;
}

interface IntegerOption extends OptionBase {
  kind: 'integer';
  placeholder: string;
  min: number;
  max: number;
  default?: number;
}

/** `--flag`, and `--no-flag` where it is on by default. */
interface SwitchOption extends OptionBase {
  kind: 'switch';
  default: boolean;
}

/** Comma-separated; the flag may also be repeated. */
interface ListOption extends OptionBase {
  kind: 'list';
  placeholder: string;
  default: readonly string[];
}

interface ChoiceOption extends OptionBase {
  kind: 'choice';
  choices: readonly string[];
  default: string;
}

export type Option = TextOption | TextsOption | IntegerOption | SwitchOption | ListOption | ChoiceOption;

/** The parsed value of an option: `undefined` only where there is neither a default nor `required`. */
export type OptionValue<O extends Option> = O extends { kind: 'switch' }
  ? boolean
  : O extends { kind: 'list' | 'texts' }
    ? readonly string[]
    : O extends { kind: 'choice'; choices: readonly (infer C)[] }
      ? C
      : O extends { kind: 'integer' }
        ? O extends { default: number }
          ? number
          : number | undefined
        : O extends { default: string } | { required: true }
          ? string
          : string | undefined;

export type OptionTable = Readonly<Record<string, Option>>;
export type Settings<T extends OptionTable> = { readonly [K in keyof T]: OptionValue<T[K]> };

/** Whether an option is no flag at all. */
export function isEnvironmentOnly(option: Option): option is TextOption & { environmentOnly: true } {
  return option.kind === 'text' && option.environmentOnly === true;
}

/** `data-dir` → `NOWCAST_DATA_DIR`. */
export function environmentName(option: Option): string {
  return `NOWCAST_${option.flag.replaceAll('-', '_').toUpperCase()}`;
}
