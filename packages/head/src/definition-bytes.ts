import type { SeriesDefinition } from '@nowcast/contract';

/** Bytes a definition takes in the log and in memory, about. */
export function definitionBytes({ metric_type: metric, source, labels }: SeriesDefinition): number {
  let bytes = metric.length + source.length;
  for (const [name, value] of labels) bytes += name.length + value.length + 2;
  return bytes + 16;
}
