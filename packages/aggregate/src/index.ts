export { Buckets, chooseStep, nominalStepMs, stepKey } from './buckets.ts';
export { derivedDataId } from './data-id.ts';
export { DdSketch, ddIndex, ddValue } from './dd-sketch.ts';
export { HyperLogLog, hllSlot } from './hyperloglog.ts';
export { groupLabels, labelText, otherLabels } from './labels.ts';
export { maxBuckets, normaliseQuery, type QueryRange, rangeNow, type ResolvedQuery } from './normalise.ts';
export { isPerSeries, type PartSet, partsOf, quantileFraction } from './parts.ts';
export { type GridLine, type GridSpec, QueryGrid, type Ranking } from './query-grid.ts';
export { counterStep, isBefore, StateGrid, type StateSource } from './state-grid.ts';
