import {
  appError,
  bothWhere,
  type Condition,
  type Query,
  querySchema,
  type Where,
  whereSchema,
} from '@nowcast/contract';
import type { ParameterDoc } from './route.ts';
import { validate } from './schema.ts';

/**
 * The query string of `GET /data`, `GET /updates` and `GET /api/v1/labels` as a `Query`.
 *
 *     where=region:eu|us      is one of          where=host:!db-1|db-2   is none of
 *     where=host:~web-.*      matches            where=host:!~web-.*     does not match
 *
 * Several parameters of one label must all hold. `\` makes the next character ordinary where `|`, `:`, `!` and `~`
 * would mean something; after `~` everything belongs to the regular expression, which has its own use for `\` and `|`.
 */
export function readDataQuery(
  params: URLSearchParams,
  known: Readonly<Record<string, ParameterDoc>> = dataParameters,
): Query {
  refuseUnknown(params, known);
  const where = readWhere(params);
  const text = (name: string): string | undefined => single(params, name);
  const number = (name: string): number | string | undefined => {
    const value = text(name);
    return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : value;
  };
  const input = {
    metric_type: text('metric_type'),
    agg: text('agg'),
    across: text('across'),
    group_by: params.has('group_by') ? list(params, 'group_by') : undefined,
    where,
    window: text('window'),
    from: withPlus(text('from')),
    to: withPlus(text('to')),
    step: text('step'),
    tz: text('tz'),
    limit: number('limit'),
    order: text('order'),
    cursor: text('cursor'),
  };
  if (input.metric_type === undefined) {
    throw appError('query.invalid', 'metric_type is missing; GET /api/v1/metrics lists what there is');
  }
  return { ...validate(querySchema, withoutUndefined(input), 'query.invalid'), where };
}

export const whereParameter: ParameterDoc = {
  text: 'label:a|b (is one of), label:!a|b (is none of), label:~regex (matches), label:!~regex (does not); all that are given must hold, also several of one label; a backslash escapes | : ! ~ and itself',
  repeated: true,
};

/** Parameters of `GET /data`, with their meaning for the API reference. */
export const dataParameters: Readonly<Record<string, ParameterDoc>> = {
  metric_type: { text: 'What to read', required: true },
  agg: 'How the points of a bucket combine: count sum avg min max first last rate increase p50 p75 p90 p95 p99 uniques; none returns points',
  across: 'How the series of a group meet: merge, sum, avg, min, max',
  group_by: {
    text: 'Labels to group by, comma-separated or repeated; a backslash escapes a comma',
    repeated: true,
  },
  where: whereParameter,
  window: 'A range that ends now, such as 15m; instead of from and to',
  from: 'Epoch milliseconds, RFC 3339 with its offset, or now-1h; in the years 1900 to 2199',
  to: 'The same',
  step: 'Width of a bucket: 10s, 5m, 1h, or of the calendar: 1d, 1w, 1mo. Absent: by the length of the range, and as wide as what is kept of it needs; one that is given may leave out what is old, and note says so',
  tz: 'Time zone of calendar steps',
  limit: 'Groups (or points) at most',
  order: 'desc or asc',
  cursor: 'With agg=none: where the previous page ended, from its cursor or its Link header',
  format: 'json, ndjson or csv; instead of the Accept header',
};

const { cursor: _cursor, format: _format, ...live } = dataParameters;
/** Parameters of `GET /updates`: a live view has no pages and one form. */
export const updatesParameters: Readonly<Record<string, ParameterDoc>> = live;

/** All `where` parameters as one filter. Throws `query.invalid`, naming the parameter or the label. */
export function readWhere(params: URLSearchParams): Where {
  const where = bothWhere(...params.getAll('where').map(readCondition));
  // Only checked: what the schema returns lacks a label called `__proto__`, and a filter left out is a wrong answer.
  validate(whereSchema, where, 'query.invalid');
  return where;
}

function readCondition(text: string): Where {
  const label = upTo(text, 0, ':');
  if (label.end === text.length || label.value === '') {
    throw appError('query.invalid', `where=${text}: write label:value, for example region:eu|us`);
  }
  let at = label.end + 1;
  const negated = text[at] === '!';
  if (negated) at++;
  if (text[at] === '~') {
    const regex = text.slice(at + 1);
    return filter(label.value, negated ? { not_regex: regex } : { regex });
  }
  const values = parts(text.slice(at), '|');
  return filter(label.value, negated ? { not: values } : values);
}

/** fromEntries defines a property: a label called `__proto__` stays a label. */
function filter(label: string, condition: Condition): Where {
  return Object.fromEntries([[label, condition]]);
}

/** What stands between unescaped `separator`s, with its escapes resolved. */
function parts(text: string, separator: string): string[] {
  const found: string[] = [];
  for (let at = 0; ;) {
    const part = upTo(text, at, separator);
    found.push(part.value);
    if (part.end === text.length) return found;
    at = part.end + 1;
  }
}

/** Text up to an unescaped `stop`, with its escapes resolved; `end` is where `stop` is, or the end. */
function upTo(text: string, from: number, stop: string): { value: string; end: number } {
  let value = '';
  let at = from;
  for (; at < text.length && text[at] !== stop; at++) {
    if (text[at] === '\\' && at + 1 < text.length) at++;
    value += text[at];
  }
  return { value, end: at };
}

/** A `+` that was not written %2B arrives as a space, and an offset is where people forget. */
function withPlus(time: string | undefined): string | undefined {
  return time?.replace(/(T[\d:.]+) (\d\d:\d\d)$/i, '$1+$2');
}

function list(params: URLSearchParams, name: string): string[] {
  return params
    .getAll(name)
    .flatMap((value) => parts(value, ','))
    .filter((value) => value !== '');
}

function single(params: URLSearchParams, name: string): string | undefined {
  const values = params.getAll(name);
  if (values.length > 1) throw appError('query.invalid', `${name} is given twice; keep one`);
  return values[0];
}

function refuseUnknown(params: URLSearchParams, known: Readonly<Record<string, ParameterDoc>>): void {
  for (const name of params.keys()) {
    if (!Object.hasOwn(known, name)) {
      throw appError(
        'query.invalid',
        `"${name}" is not a parameter here; there are ${Object.keys(known).join(', ')}`,
      );
    }
  }
}

function withoutUndefined(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}
