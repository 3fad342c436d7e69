import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { addressGroup, ProxyTrust } from './client-address.ts';

const request = (peer: string, headers: Record<string, string> = {}): IncomingMessage =>
  ({
    socket: { remoteAddress: peer },
    headers: { host: 'inner:7070', ...headers },
  }) as unknown as IncomingMessage;

const forwarded = {
  'x-forwarded-for': '203.0.113.9, 198.51.100.7, 10.0.0.2',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'nowcast.example.com',
};

describe('C10: X-Forwarded-*', () => {
  test('from anyone else they do not exist', () => {
    expect(new ProxyTrust(['10.0.0.0/8']).read(request('198.51.100.7', forwarded), false)).toEqual({
      address: '198.51.100.7',
      secure: false,
      host: 'inner:7070',
      loopback: false,
    });
  });

  test('from a configured network: the last address that is not a proxy of ours, scheme and host', () => {
    expect(new ProxyTrust(['10.0.0.0/8']).read(request('::ffff:10.0.0.1', forwarded), false)).toEqual({
      address: '198.51.100.7',
      secure: true,
      host: 'nowcast.example.com',
      loopback: false,
    });
  });

  test('what a client wrote at the left of the list is never believed', () => {
    const lied = { 'x-forwarded-for': '127.0.0.1, 198.51.100.7' };
    expect(new ProxyTrust(['10.0.0.1']).read(request('10.0.0.1', lied), false).address).toBe('198.51.100.7');
  });

  test.each([
    ['127.0.0.1, 198.51.100.7:4711', '198.51.100.7'],
    ['127.0.0.1, [2001:db8::1]:4711', '2001:db8::1'],
    ['127.0.0.1, [2001:db8::1]', '2001:db8::1'],
    ['127.0.0.1, 2001:db8::1', '2001:db8::1'],
    ['127.0.0.1, 198.51.100.7:4711, 10.0.0.2:80', '198.51.100.7'],
    ['127.0.0.1, unknown', '10.0.0.1'],
    ['127.0.0.1, ', '10.0.0.1'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.1'],
  ])('%s: the client is %s', (hops, address) => {
    const lied = request('10.0.0.1', { 'x-forwarded-for': hops });
    expect(new ProxyTrust(['10.0.0.0/8']).read(lied, false).address).toBe(address);
  });

  test('a proxy on this machine that nobody configured does not make its clients local', () => {
    const trust = new ProxyTrust([]);
    expect(trust.read(request('127.0.0.1'), false).loopback).toBe(true);
    expect(trust.read(request('127.0.0.1', forwarded), false).loopback).toBe(false);
  });

  test('nor does one before a public URL that leads elsewhere, whatever headers it leaves out', () => {
    const isLocal = (publicUrl: string) =>
      new ProxyTrust([], publicUrl).read(request('127.0.0.1'), false).loopback;
    expect(['https://now.example.com', 'http://192.0.2.1:7070'].map(isLocal)).toEqual([false, false]);
    expect(['http://localhost:7070', 'http://127.0.0.1', 'http://[::1]:1'].map(isLocal)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('behind a proxy that ends TLS, the name of the public URL means HTTPS', () => {
    const trust = new ProxyTrust([], 'https://nowcast.example.com');
    expect(trust.read(request('192.0.2.1', { host: 'nowcast.example.com' }), false).secure).toBe(true);
    expect(trust.read(request('192.0.2.1', { host: 'inner:7070' }), false).secure).toBe(false);
    const plain = new ProxyTrust([], 'http://nowcast.example.com');
    expect(plain.read(request('192.0.2.1', { host: 'nowcast.example.com' }), false).secure).toBe(false);
  });

  test.each(['10.0.0.0/33', 'proxy.example.com', '10.0.0.0/x', ''])('"%s" is no network', (network) => {
    expect(() => new ProxyTrust([network])).toThrow(/write networks such as/);
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('connections of %s count for %s', (address, group) => expect(addressGroup(address)).toBe(group));
