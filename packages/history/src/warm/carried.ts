import type { SeriesIndex } from '@nowcast/head';
import type { OffsetVector } from '@nowcast/ports';
import { type Block, isAt } from './block.ts';
import { WarmMetric } from './metric.ts';

/** What a warm store held at one vector, for the store of another life. */
export interface Carried {
  metrics: { tenant: string; name: string; /** Stable id of each slot. */ series: BigUint64Array }[];
  /** Those that were read last come last; `metric` is a place in `metrics`. */
  blocks: { metric: number; block: Block }[];
}

/** The whole blocks at exactly the vector, as they are: their arrays are the store's own. */
export function carriedOf(metrics: readonly WarmMetric[], at: OffsetVector): Carried {
  const carried: Carried = { metrics: [], blocks: [] };
  for (const metric of metrics) {
    const blocks = [...metric.blocks].filter((block) => block.ready && isAt(block, at));
    if (blocks.length === 0) continue;
    const { tenant, name } = metric;
    for (const block of blocks) carried.blocks.push({ metric: carried.metrics.length, block });
    carried.metrics.push({ tenant, name, series: metric.idsBySlot() });
  }
  carried.blocks.sort((a, b) => a.block.usedAt - b.block.usedAt);
  return carried;
}

/**
 * The metrics with their blocks, every one older than what this life reads. Left out are metrics whose series have
 * other places than they had, as those of several partitions may: a table's rows lie by them.
 */
export function metricsOf({ metrics, blocks }: Carried, index: SeriesIndex): WarmMetric[] {
  const found = metrics.map(({ tenant, name, series }) => {
    const metric = new WarmMetric(index, tenant, name);
    const now = metric.idsBySlot();
    return series.every((id, slot) => now[slot] === id) ? metric : undefined;
  });
  for (const [i, { metric, block }] of blocks.entries())
    found[metric]?.put({ ...block, usedAt: i - blocks.length });
  return found.filter((metric) => metric !== undefined);
}
