import { SeriesIndex, Tail } from '@nowcast/head';
import { describe, expect, test } from 'vitest';
import { Catalog } from './catalog.ts';

/** Hosts h0 … h9 in two regions; host i has i + 1 series of its metric. */
function catalogOf(): Catalog {
  const index = new SeriesIndex(1);
  for (const metric of ['cpu', 'mem']) {
    for (let host = 0; host < 10; host++) {
      for (let core = 0; core <= host; core++) {
        const labels = [
          ['core', `${core}`],
          ['host', `h${host}`],
          ['region', host < 5 ? 'r0' : 'r1'],
        ] as const;
        index.define({ tenant: 't', metric_type: metric, source: '', labels });
      }
    }
  }
  return new Catalog(index, [new Tail(0)], () => ({ default_agg: 'avg', default_across: 'merge' }));
}

describe('metrics by name', () => {
  test('are found by all of it, each once, in the order they were asked for', () => {
    const found = catalogOf().metricsNamed('t', ['mem', 'cp', 'CPU', 'cpu', 'mem']);
    expect(found.map((one) => one.metric_type)).toEqual(['mem', 'cpu']);
    expect(found[0]).toMatchObject({ series: 55, labels: ['core', 'host', 'region'] });
    expect(catalogOf().metricsNamed('other', ['cpu'])).toEqual([]);
  });
});

describe('labels in the pickers', () => {
  const catalog = catalogOf();
  const hosts = (metric: string, where: Record<string, string[]>, limit: number) =>
    catalog.labels('t', metric, where, limit).find(({ label }) => label === 'host')!.values;

  test('list the values that most series carry, of one metric or of all', () => {
    expect(hosts('cpu', {}, 3)).toEqual([
      { value: 'h9', series: 10 },
      { value: 'h8', series: 9 },
      { value: 'h7', series: 8 },
    ]);
    expect(hosts('', {}, 2)).toEqual([
      { value: 'h9', series: 20 },
      { value: 'h8', series: 18 },
    ]);
    expect(catalog.labels('t', '', {}, 5).map(({ label }) => label)).toEqual(['core', 'host', 'region']);
  });

  test('count only the series that match, over all metrics too', () => {
    expect(hosts('', { region: ['r0'] }, 2)).toEqual([
      { value: 'h4', series: 10 },
      { value: 'h3', series: 8 },
    ]);
    expect(hosts('mem', { host: ['h2'] }, 10)).toEqual([{ value: 'h2', series: 3 }]);
  });

  test('put values that equally many series carry in the order of their text', () => {
    const cores = catalog.labels('t', 'cpu', { host: ['h9'] }, 3).find(({ label }) => label === 'core')!;
    expect(cores.values.map(({ value }) => value)).toEqual(['0', '1', '2']);
  });

  test('of nothing that matches are labels without values, and of no metric nothing', () => {
    expect(hosts('cpu', { host: ['none'] }, 3)).toEqual([]);
    expect(catalog.labels('t', 'absent', {}, 3)).toEqual([]);
    expect(catalog.labels('other', '', {}, 3)).toEqual([]);
  });
});
