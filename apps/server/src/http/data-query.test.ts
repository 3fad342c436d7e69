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
    expect(where('host:a|b|c', 'host:!b')).toEqual({ host: ['a', 'c'] });
    expect(where('host:!a', 'host:!b', 'region:eu')).toEqual({ host: { not: ['a', 'b'] }, region: ['eu'] });
    expect(where('host:a|b', 'host:b|c')).toEqual({ host: ['b'] });
  });

  test.each([['region'], [':eu'], ['']])('"%s" is refused with an example', (text) => {
    expect(() => where(text)).toThrow(/write label:value/);
  });

  test('what one matcher cannot say is kept apart for whoever knows the values, else refused with the way out', () => {
    const params = new URLSearchParams(
      'metric_type=a&where=host:!a&where=host:~b.*&where=host:!c&where=dc:x',
    );
    const { query, several } = readDataQuery(params);
    expect(query.where).toEqual({ dc: ['x'] });
    expect([...several]).toEqual([['host', [{ regex: 'b.*' }, { not: ['a', 'c'] }]]]);
    expect(() => where('host:!a', 'host:~b.*')).toThrow(/one regular expression/);
    expect(() => where('host:a', 'host:b')).toThrow(/remove one/);
  });

  test('any list of values survives escaping', () => {
    const escape = (text: string): string => text.replace(/[\\|:!~]/g, (char) => `\\${char}`);
    const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(name, fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (label, values) => {
        expect(where(`${escape(label)}:${values.map(escape).join('|')}`)).toEqual({ [label]: values });
      }),
    );
  });
});

describe('the query string of /data', () => {
  test('the whole of it', () => {
    const text =
      'metric_type=cpu&agg=avg&across=sum&group_by=host,region&group_by=dc&where=region:eu|us&from=now-1h&to=now&step=10s&tz=Europe/Berlin&limit=5&order=asc';
    expect(readDataQuery(new URLSearchParams(text)).query).toEqual({
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
