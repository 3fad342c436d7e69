import type { Across, Agg } from '@nowcast/contract';
import type { Choice } from '../../ui/field.tsx';

/** What the aggregates are called where people choose them. */
export const aggChoices: readonly Choice<Agg>[] = [
  { value: 'avg', title: 'Average' },
  { value: 'min', title: 'Minimum' },
  { value: 'max', title: 'Maximum' },
  { value: 'last', title: 'Last value' },
  { value: 'first', title: 'First value' },
  { value: 'sum', title: 'Sum' },
  { value: 'count', title: 'Count of points' },
  { value: 'rate', title: 'Rate per second' },
  { value: 'increase', title: 'Increase of a counter' },
  { value: 'p50', title: 'Median (p50)' },
  { value: 'p75', title: 'p75' },
  { value: 'p90', title: 'p90' },
  { value: 'p95', title: 'p95' },
  { value: 'p99', title: 'p99' },
  { value: 'uniques', title: 'Unique users' },
];

export const acrossChoices: readonly Choice<Across>[] = [
  { value: 'merge', title: 'As one population' },
  { value: 'sum', title: 'Added up' },
  { value: 'avg', title: 'Averaged' },
  { value: 'min', title: 'Smallest of them' },
  { value: 'max', title: 'Largest of them' },
];

export const stepChoices: readonly Choice[] = [
  { value: '', title: 'Automatic' },
  ...['1s', '5s', '10s', '30s', '1m', '5m', '15m', '1h', '1d', '1w', '1mo'].map((value) => ({
    value,
    title: value,
  })),
];

export const windowChoices: readonly Choice[] = [
  { value: '', title: 'Same as the board' },
  ...['1m', '5m', '15m', '1h', '6h', '1d', '7d', '30d'].map((value) => ({ value, title: `Last ${value}` })),
];
