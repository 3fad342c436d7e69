import type { DataAnswer } from '@nowcast/contract';
import { describe, expect, it } from 'vitest';
import { csvFile } from './csv-file.ts';

const at = Date.UTC(2026, 10, 12, 13, 2, 10);
const answer: DataAnswer = {
  metric_type: 'bytes_sent',
  agg: 'increase',
  across: 'merge',
  step_ms: 10_000,
  from: at,
  to: at + 20_000,
  complete_to: at + 20_000,
  series: [{ labels: { host: 'db, 1' }, timestamp: [at, at + 10_000], value: [5000, null] }],
};

describe('the file of a panel', () => {
  it('names the zone of its times and has them for programs too', () => {
    expect(csvFile(answer, { zone: 'Europe/Berlin', rate: 'none', query: {} })).toEqual([
      'time (Europe/Berlin),timestamp_ms,host,value\r\n',
      `2026-11-12T14:02:10.000+01:00,${at},"db, 1",5000\r\n`,
      `2026-11-12T14:02:20.000+01:00,${at + 10_000},"db, 1",\r\n`,
    ]);
  });

  it('holds amounts per second where the panel shows them so, and says it', () => {
    const [head, first] = csvFile(answer, { zone: 'UTC', rate: 'bucket', query: {} });
    expect(head).toBe('time (UTC),timestamp_ms,host,value_per_second\r\n');
    expect(first).toBe(`2026-11-12T13:02:10.000+00:00,${at},"db, 1",500\r\n`);
  });

  it('holds growth per second of the time in which it happened, as the panel shows it', () => {
    const slow = {
      labels: {},
      timestamp: [at, at + 30_000, at + 60_000],
      value: [3000, 3000, 6000],
    };
    const rows = csvFile({ ...answer, series: [slow] }, { zone: 'UTC', rate: 'growth', query: {} });
    expect(rows.slice(1).map((row) => row.trim().split(',').at(-1))).toEqual(['100', '100', '200']);
  });

  it('divides the amounts of a month by that month', () => {
    const months = [Date.UTC(2026, 1, 1), Date.UTC(2026, 2, 1)];
    const seconds = [28, 31].map((days) => days * 86_400);
    const sold = { labels: {}, timestamp: months, value: seconds };
    for (const rate of ['bucket', 'growth'] as const) {
      const query = { step: '1mo', tz: 'UTC' };
      const file = csvFile(
        { ...answer, step_ms: 30 * 86_400_000, series: [sold] },
        { zone: 'UTC', rate, query },
      );
      expect(
        file.slice(1).map((row) => row.trim().split(',').at(-1)),
        rate,
      ).toEqual(['1', '1']);
    }
  });

  it('of a feed has every field of the points, and no message becomes a formula', () => {
    const point = {
      data_id: 'a',
      source: 'shop',
      timestamp: at,
      metric_type: 'orders',
      value: 2,
      labels: { region: 'eu' },
      message: '=1+1',
      received_at: at + 5,
    };
    expect(
      csvFile({ ...answer, series: [], points: [point] }, { zone: 'UTC', rate: 'none', query: {} }),
    ).toEqual([
      'time (UTC),timestamp_ms,metric_type,source,value,data_id,actor,message,received_at_ms,label.region\r\n',
      `2026-11-12T13:02:10.000+00:00,${at},orders,shop,2,a,,'=1+1,${at + 5},eu\r\n`,
    ]);
  });
});
