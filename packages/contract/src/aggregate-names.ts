import * as z from 'zod/mini';

/** How the points of one bucket combine. `none` returns the records themselves. */
export const aggNames = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'last',
  'rate',
  'increase',
  'p50',
  'p75',
  'p90',
  'p95',
  'p99',
  'uniques',
] as const;
export const aggSchema = z.enum([...aggNames, 'none']);
/** An aggregate that yields one number a bucket. */
export type AggName = (typeof aggNames)[number];
export type Agg = z.infer<typeof aggSchema>;

/** How the series of one group meet. `merge`: their points are one population. */
export const acrossSchema = z.enum(['merge', 'sum', 'avg', 'min', 'max']);
export type Across = z.infer<typeof acrossSchema>;
