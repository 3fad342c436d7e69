import { unitFor, type Agg } from '@nowcast/contract';
import type { UnitName } from '../../units/format.ts';

/** `unit` of a metric once `after` is calculated instead of `before`; one that was chosen otherwise stays. */
export function unitWithAgg(unit: UnitName, metricType: string, before: Agg, after: Agg): UnitName {
  return unit === unitFor(metricType, before) ? unitFor(metricType, after) : unit;
}
