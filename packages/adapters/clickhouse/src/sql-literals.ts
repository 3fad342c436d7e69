/**
 * Binds `{name:Type}` placeholders by writing typed literals into the text.
 *
 * The obvious way, the engine's own parameters, does not work here: chDB keeps them in process-wide state, so its
 * binding runs every parameterised query of the process one after the other, whatever session it is on (a panel's
 * 1 ms read would wait behind a 30 s export). Over HTTP they travel in the URL, which an `IN` of 100,000 series ids
 * outgrows. So both ways use the same literals, and safety comes from the literal alone: a string is emitted byte by
 * byte, everything outside [A-Za-z0-9 _.-] as `\xHH`, so that no quote, backslash, comment or line break of a caller
 * ever reaches the SQL parser; numbers are emitted from numbers.
 */
export type SqlValue =
  | string
  | number
  | bigint
  | Float64Array
  | Uint32Array
  | BigUint64Array
  | readonly number[];
export type SqlParams = Readonly<Record<string, SqlValue>>;

const placeholder = /\{(\w+):([A-Za-z0-9()]+)\}/g;
const arrayTypes = new Set(['Array(UInt64)', 'Array(UInt32)', 'Array(Int64)', 'Array(Float64)']);
const integerTypes = new Set(['UInt8', 'UInt16', 'UInt32', 'UInt64', 'Int64']);

/** Throws (a broken invariant, never bad input) when a placeholder has no value or the value does not fit its type. */
export function bindLiterals(sql: string, params: SqlParams): string {
  return sql.replace(placeholder, (_, name: string, type: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`invariant broken: no value for the SQL parameter ${name}`);
    return literal(value, type);
  });
}

function literal(value: SqlValue, type: string): string {
  if (type === 'String' && typeof value === 'string') return stringLiteral(value);
  if (integerTypes.has(type) && (typeof value === 'number' || typeof value === 'bigint'))
    return integer(value);
  if (arrayTypes.has(type) && typeof value === 'object') return `CAST([${elements(value, type)}], '${type}')`;
  throw new Error(`invariant broken: a ${typeof value} is no SQL ${type}`);
}

function elements(values: Exclude<SqlValue, string | number | bigint>, type: string): string {
  if (type !== 'Array(Float64)') for (const value of values) integer(value);
  else
    for (const value of values)
      if (!Number.isFinite(value)) throw new Error('invariant broken: not a finite number');
  return values.join(',');
}

function integer(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new Error(`invariant broken: ${value} is no SQL integer`);
  }
  return value.toString();
}

const plainByte = /[A-Za-z0-9 _.-]/;

/** A ClickHouse string literal of the UTF-8 bytes of `text`. */
export function stringLiteral(text: string): string {
  let out = "'";
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    out += byte < 0x80 && plainByte.test(char) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${out}'`;
}

/** Offsets of a vector; partitions beyond it read as 0. */
export function vectorLiteral(vector: readonly number[]): string {
  return `CAST([${vector.join(',')}], 'Array(UInt64)')`;
}
