/**
 * Structured logs: one JSON object a line for machines, one readable line for people. A logger is passed down, never
 * imported as a global; `with` adds fields that every line of a part carries.
 */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  level: LogLevel;
  format: 'json' | 'pretty';
  write: (line: string) => void;
  now: () => number;
}

export function createLogger(options: LoggerOptions, base: LogFields = {}): Logger {
  const least = logLevels.indexOf(options.level);
  const render = options.format === 'json' ? renderJson : renderPretty;
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (logLevels.indexOf(level) < least) return;
      options.write(render(options.now(), level, message, { ...base, ...fields }));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createLogger(options, { ...base, ...fields }),
  };
}

function renderJson(now: number, level: LogLevel, message: string, fields: LogFields): string {
  const plain = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainValue(value)]));
  return `${JSON.stringify({ time: new Date(now).toISOString(), level, message, ...plain })}\n`;
}

function renderPretty(now: number, level: LogLevel, message: string, fields: LogFields): string {
  const time = new Date(now).toISOString().slice(11, 23);
  const pairs = Object.entries(fields).map(([key, value]) => {
    const plain = plainValue(value);
    return `${key}=${typeof plain === 'string' && !/[\s"]/.test(plain) ? plain : JSON.stringify(plain)}`;
  });
  return `${time} ${level.padEnd(5)} ${[oneLine(message), ...pairs].join('  ')}\n`;
}

/** Errors keep their story: message, code and causes, without the stack unless nothing else says where it was. */
function plainValue(value: unknown): unknown {
  if (!(value instanceof Error)) return typeof value === 'bigint' ? String(value) : value;
  const code = 'code' in value ? { code: value.code } : {};
  const cause = value.cause === undefined ? {} : { cause: plainValue(value.cause) };
  const stack = 'code' in value ? {} : { stack: value.stack };
  return { error: value.message, ...code, ...cause, ...stack };
}

/** A message can quote what somebody sent: it must not be able to forge a second log line. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
