import { queryParameters } from '@nowcast/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDataQuery, readWhere } from './data-query.ts';

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
    const name = fc.string({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.dictionary(name, matcher, { maxKeys: 3, noNullPrototype: true }), (filter) => {
        const text = queryParameters({ metric_type: 'm', where: filter }).toString();
        expect(readDataQuery(new URLSearchParams(text)).where).toEqual(filter);
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
