import type { MetricInfo } from '@nowcast/contract';

/** Query strings stay well below what servers and proxies take: a name may have 256 characters. */
const longestQuery = 4000;

interface Batch {
  names: string[];
  length: number;
  answer: Promise<ReadonlyMap<string, MetricInfo>>;
}

/**
 * Looks metrics up by their whole name; null: there is none. The panels of a board ask in the same moment, and go out in
 * one request. A list of metrics would not do: it ends somewhere, and what is behind its end is not what does not exist.
 */
export function makeMetricLookup(
  ask: (query: string) => Promise<readonly MetricInfo[]>,
): (name: string) => Promise<MetricInfo | null> {
  let open: Batch | null = null;
  const start = (): Batch => {
    const batch: Batch = {
      names: [],
      length: 0,
      answer: new Promise((resolve) => setTimeout(resolve)).then(async () => {
        if (open === batch) open = null;
        const found = await ask(batch.names.map(parameter).join('&'));
        return new Map(found.map((metric) => [metric.metric_type, metric]));
      }),
    };
    return batch;
  };
  return async (name) => {
    const { length } = parameter(name);
    if (open === null || (open.length > 0 && open.length + length > longestQuery)) open = start();
    open.names.push(name);
    open.length += length + 1;
    return (await open.answer).get(name) ?? null;
  };
}

function parameter(name: string): string {
  return `name=${encodeURIComponent(name)}`;
}
