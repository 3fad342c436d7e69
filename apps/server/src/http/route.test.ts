import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyAnswer, noBody, ownPath, type Route, route } from './route.ts';
import { RouteTable } from './route-table.ts';

describe('C10: redirects stay on this origin', () => {
  test.each([
    ['/boards/1?x=1#y', '/boards/1?x=1#y'],
    ['/a/../b', '/b'],
    ['https://evil.example/', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['/.//evil.example', '/'],
    ['/%2f/evil.example', '/%2f/evil.example'],
    ['javascript:alert(1)', '/'],
    ['', '/'],
  ])('%j leads to %s', (path, expected) => expect(ownPath(path)).toBe(expected));

  test('whatever is asked for, a browser that follows it stays', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '//',
      '%2f',
      '%5c',
      '.',
      '..',
      '@',
      ':',
      '?',
      '#',
      '\t',
      '\n',
      'evil.example',
      'http:',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const base = 'https://own.example/login';
        const target = new URL(ownPath(pieces.join('')), base);
        expect(target.origin).toBe('https://own.example');
      }),
    );
  });
});

describe('finding a route', () => {
  const make = (method: Route['method'], path: string): Route =>
    route({ method, path, access: 'public', body: noBody }, () => emptyAnswer());
  const table = new RouteTable([
    make('GET', '/api/v1/boards'),
    make('GET', '/api/v1/boards/:board_id'),
    make('PUT', '/api/v1/boards/:board_id/star'),
    make('GET', '/api/v1/boards/templates'),
  ]);

  test('a literal segment wins, a parameter is one decoded segment, HEAD is GET', () => {
    expect(table.match('GET', '/api/v1/boards/templates')).toMatchObject({
      route: { path: '/api/v1/boards/templates' },
    });
    expect(table.match('HEAD', '/api/v1/boards/a%2Fb')).toMatchObject({ params: { board_id: 'a/b' } });
  });

  test('another method is named, another path is not there', () => {
    expect(table.match('DELETE', '/api/v1/boards/x')).toEqual({ kind: 'method', allowed: ['GET'] });
    for (const path of ['/api/v1/boards/', '/api/v1/boards/x/y', '/api/v1', '/%', '//']) {
      expect(table.match('GET', path)).toEqual({ kind: 'none' });
    }
  });
});
