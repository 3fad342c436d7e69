import { queryParameters } from '@nowcast/client';
import type { Where } from '@nowcast/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDataQuery, readWhere, updatesParameters } from './data-query.ts';

const where = (...texts: string[]) => readWhere(new URLSearchParams(texts.map((text) => ['where', text])));

describe('where', () => {
  test.each([
    ['region:eu|us', { region: ['eu', 'us'] }],
    ['host:!db-1', { host: { not: ['db-1'] } }],
    ['host:!db-1|db-2', { host: { not: ['db-1', 'db-2'] } }],
    ['host:~web-.*', { host: { regex: 'web-.*' } }],
    ['host:!~web-(a|b)', { host: { not_regex: 'web-(a|b)' } }],
    ['path:~\\d+\\|x', { path: { regex: '\\d+\\|x' } }],
    ['path:a\\|b|c', { path: ['a|b', 'c'] }],
    ['path:\\!not', { path: ['!not'] }],
    ['path:\\~home', { path: ['~home'] }],
    ['a\\:b:c:d', { 'a:b': ['c:d'] }],
    ['path:back\\\\slash', { path: ['back\\slash'] }],
    ['region:', { region: [''] }],
    ['region:|eu', { region: ['', 'eu'] }],
  ])('%s', (text, expected) => expect(where(text)).toEqual(expected));

  test('several parameters of one label must all hold', () => {
    expect(where('host:a|b', 'region:eu', 'host:!b', 'host:~a.*')).toEqual({
      host: { all: [['a', 'b'], { not: ['b'] }, { regex: 'a.*' }] },
      region: ['eu'],
    });
    expect(() => where(...Array.from({ length: 65 }, (_, i) => `host:!${i}`))).toThrow(/host.*64/);
  });

  test.each([['region'], [':eu'], ['']])('"%s" is refused with an example', (text) => {
    expect(() => where(text)).toThrow(/write label:value/);
  });

  test('what the client writes is read back as it was meant', () => {
    const values = fc.array(fc.string(), { minLength: 1, maxLength: 5 });
    const condition = fc.oneof(
      values,
      values.map((not) => ({ not })),
      fc.string().map((regex) => ({ regex })),
      fc.string().map((regex) => ({ not_regex: regex })),
    );
    const matcher = fc.oneof(
      condition,
      fc.array(condition, { minLength: 2, maxLength: 4 }).map((all) => ({ all })),
    );
    const name = fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.constant('__proto__'));
    const filters = fc
      .array(fc.tuple(name, matcher), { maxLength: 3 })
      .map((entries): Where => Object.fromEntries(new Map(entries)));
    fc.assert(
      fc.property(filters, fc.array(name, { maxLength: 3 }), (filter, groups) => {
        const query = { metric_type: 'm', where: filter, group_by: groups };
        const read = readDataQuery(new URLSearchParams(queryParameters(query).toString()));
        expect(Object.entries(read.where)).toEqual(Object.entries(filter));
        expect(read.group_by).toEqual(groups);
      }),
    );
  });
});

describe('the query string of /data', () => {
  test('the whole of it', () => {
    const text =
      'metric_type=cpu&agg=avg&across=sum&group_by=host,region&group_by=dc&where=region:eu|us&from=now-1h&to=now&step=10s&tz=Europe/Berlin&limit=5&order=asc';
    expect(readDataQuery(new URLSearchParams(text))).toEqual({
      metric_type: 'cpu',
      agg: 'avg',
      across: 'sum',
      group_by: ['host', 'region', 'dc'],
      where: { region: ['eu', 'us'] },
      from: 'now-1h',
      to: 'now',
      step: '10s',
      tz: 'Europe/Berlin',
      limit: 5,
      order: 'asc',
    });
  });

  test('labels with a comma are grouped by, and every spelling of a list means the same', () => {
    const groups = (text: string) => readDataQuery(new URLSearchParams(text)).group_by;
    expect(groups('metric_type=a&group_by=host,region')).toEqual(['host', 'region']);
    expect(groups('metric_type=a&group_by=host&group_by=,region,')).toEqual(['host', 'region']);
    expect(groups(String.raw`metric_type=a&group_by=a\,b,c\\`)).toEqual(['a,b', 'c\\']);
  });

  test('an offset whose plus sign arrives as a space is still an offset', () => {
    const read = (from: string) => readDataQuery(new URLSearchParams(`metric_type=a&from=${from}`)).from;
    expect(read('2026-10-20T08:00:00+02:00')).toBe('2026-10-20T08:00:00+02:00');
    expect(read('2026-10-20T08:00:00%2B02:00')).toBe('2026-10-20T08:00:00+02:00');
    expect(read('2026-10-20%2008:00')).toBe('2026-10-20 08:00');
  });

  test('a live view has neither pages nor forms', () => {
    const read = (text: string) => () => readDataQuery(new URLSearchParams(text), updatesParameters);
    expect(read('metric_type=a&cursor=x')).toThrow(/"cursor" is not a parameter here/);
    expect(read('metric_type=a&format=csv')).toThrow(/"format" is not a parameter here/);
    expect(read('metric_type=a&window=5m')().window).toBe('5m');
  });

  test.each([
    ['metric_type=cpu&agg=median', /expected one of .*"p95".*"none"/],
    ['', /metric_type is missing/],
    ['metric_type=a&agg=mean', /agg/],
    ['metric_type=a&metric_type=b', /metric_type is given twice/],
    ['metric_type=a&stpe=10s', /"stpe" is not a parameter here; there are .*step/],
    ['metric_type=a&limit=many', /limit/],
  ])('"%s" is refused', (text, message) => {
    expect(() => readDataQuery(new URLSearchParams(text))).toThrow(message);
  });
});
