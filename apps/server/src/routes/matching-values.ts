import { appError, type Query, type Where } from '@nowcast/contract';
import { valueTest } from '@nowcast/head';
import type { Engine } from '@nowcast/ports';
import type { SeveralMatchers } from '../http/data-query.ts';

/** What one "is one of" may hold; see `matcherSchema`. */
const mostValues = 1000;
/** Values contain no NUL, so nothing is ever equal to this. */
const noValue = '\0';

/**
 * Turns several conditions on one label into the list of values that satisfy all of them now. An answer about the
 * past is complete that way: every value it could contain is known when it is asked.
 */
export async function withMatchingValues(
  engine: Engine,
  tenant: string,
  query: Query,
  several: SeveralMatchers,
): Promise<Query> {
  if (several.size === 0) return query;
  const known = await engine.labels(tenant, query.metric_type, query.where, Number.MAX_SAFE_INTEGER);
  const lists: [string, string[]][] = [];
  for (const [label, matchers] of several) {
    const tests = matchers.map(valueTest);
    // A series without the label has the empty value.
    const values = [
      '',
      ...(known.find((entry) => entry.label === label)?.values.map(({ value }) => value) ?? []),
    ];
    const kept = values.filter((value) => tests.every((accepts) => accepts(value)));
    if (kept.length > mostValues) {
      throw appError(
        'query.too_large',
        `more than ${mostValues} values of ${label} match; say it with one regular expression`,
      );
    }
    lists.push([label, kept.length === 0 ? [noValue] : kept]);
  }
  const where: Where = { ...query.where, ...Object.fromEntries(lists) };
  return { ...query, where };
}
