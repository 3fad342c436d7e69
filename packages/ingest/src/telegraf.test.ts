import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DecoderUnderTest } from './testing/decoded.ts';
import { send, startIngest } from './testing/fixture.ts';
import { referenceLines } from './testing/line-reference.ts';

const batch = readFileSync(new URL('testing/telegraf-batch.txt', import.meta.url), 'utf8');
/** The same batch ten seconds later, as an agent sends it all day. */
const later = batch.replaceAll(' 1700000000000000000', ' 1700000010000000000');

test('a batch of Telegraf’s system plugins is read as a slow reader reads it, first seen and predicted', () => {
  const decoder = new DecoderUnderTest();
  for (const body of [batch, later, batch, later]) {
    const seen = decoder.lines(body);
    expect(seen.points).toStrictEqual(referenceLines(body).points);
    expect([seen.rejected, seen.points.length, seen.roundedIntegers]).toStrictEqual([[], 129, 2]);
  }
});

test('its escapes, long floats, integers and texts come out right', () => {
  const { points } = new DecoderUnderTest().lines(batch);
  const find = (metric: string, label: string, value: string) =>
    points.find((point) => point.metric_type === metric && point.labels[label] === value);
  expect(find('cpu_usage_user', 'cpu', 'cpu0')?.value).toBe(Number('2.204408817635357'));
  expect(find('disk_used_percent', 'path', '/var/lib/my data')?.value).toBe(40);
  expect(find('net_bytes_recv', 'interface', 'eth0')?.value).toBe(2 ** 53);
  expect(find('net_tcp_attemptfails', 'interface', 'all')?.value).toBe(-1);
  expect(find('http_response_result_code', 'server', 'https://example.org/a?b=c')?.value).toBe(0);
  expect(find('system_uptime_format', 'host', 'db-1')).toMatchObject({ value: 1, message: '14 days,  4:01' });
});

test('the same batch sent twice is stored once, and the next one is stored', async () => {
  const fixture = startIngest();
  fixture.service.begin();
  for (const body of [batch, batch, later, batch]) {
    expect((await send(fixture, body, { format: 'line-protocol' })).status).toBe(204);
  }
  expect(fixture.service.stats()).toMatchObject({ points: 258, duplicates: 258 });
});
