import { limits, type SeriesDefinition } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { SeriesIndex } from './series-index.ts';

const definition = (source: string, value = 'v', tenant = 'acme'): SeriesDefinition => ({
  tenant,
  metric_type: 'm',
  source,
  labels: [['label', value]],
});
const refused = expect.objectContaining({
  code: 'ingest.series_limit',
  message: expect.stringContaining('names and labels') as string,
}) as Error;

describe('series of a tenant', () => {
  test('C17: long names and labels are refused before the number of series is reached, short ones are not', () => {
    const index = new SeriesIndex(1, () => 4);
    const long = 'x'.repeat(2 * limits.bytesPerSeries - 100);
    const known = index.define(definition('a', long));
    index.define(definition('b', `${long}y`));
    expect(() => index.define(definition('c', long))).toThrow(refused);
    expect(index.define(definition('a', long))).toBe(known);
    expect(index.define(definition('d', 'short'))).toBe(2);
    expect(index.define(definition('c', long, 'globex'))).toBe(3);
  });

  test('what is in the log is taken whatever it takes', () => {
    const index = new SeriesIndex(1, () => 1);
    const long = 'x'.repeat(limits.bytesPerSeries);
    for (const [local, source] of ['a', 'b', 'c'].entries())
      expect(index.restore(0, local, definition(source, long))).toBe(local);
    expect(() => index.define(definition('d'))).toThrow(
      expect.objectContaining({ code: 'ingest.series_limit' }),
    );
  });
});
