import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes, inNetwork, parseNetwork } from './ip-address.ts';
import { PrivateDestinations } from './private-destinations.ts';
import { isPublicAddress } from './public-address.ts';

const isPublic = (text: string): boolean => isPublicAddress(addressBytes(text)!);

describe('what counts as the public internet', () => {
  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.0.170',
    '192.0.2.1',
    '192.31.196.1',
    '192.52.193.1',
    '192.88.99.1',
    '192.168.0.1',
    '192.175.48.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::7f00:1',
    '64:ff9b:1:ffff::a00:1',
    '100::1',
    '100:0:0:1::1',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:30::1',
    '2001:1ff:ffff::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '2620:4f:8000::1',
    '3ffe::1',
    '3fff::1',
    '3fff:fff::1',
    '4000::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456:789a::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ])('%s is not', (text) => {
    expect(isPublic(text)).toBe(false);
  });

  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2001:200::1',
    '2001:4860:4860::8888',
    '2003::1',
    '2600::1',
    '2606:4700:4700::1111',
    '2a00:1450:4001:80b::200e',
    '3ffd::1',
  ])('%s is', (text) => {
    expect(isPublic(text)).toBe(true);
  });

  test('an address with a zone, or what is none, has no bytes', () => {
    for (const text of ['fe80::1%eth0', '2600::1%1', 'localhost', '1.2.3', '0x7f.1', '', '1.2.3.4.5']) {
      expect(addressBytes(text)).toBeUndefined();
    }
  });

  test('every spelling of an IPv6 address has the same bytes', () => {
    const seed = 4;
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (values) => {
        const bytes = values.flatMap((value) => [value >> 8, value & 0xff]);
        const long = values.map((value) => value.toString(16).padStart(4, '0')).join(':');
        // The URL parser writes the shortest spelling.
        const short = new URL(`http://[${long}]/`).hostname.slice(1, -1);
        const dotted = `${long.slice(0, 29)}:${bytes.slice(12).join('.')}`;
        for (const text of [long, short, dotted, long.toUpperCase()])
          expect(addressBytes(text)).toEqual(bytes);
      }),
      { seed },
    );
  });

  test('a network holds exactly the addresses that share its first bits', () => {
    const seed = 5;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.integer({ min: 0, max: 32 }),
        (a, b, bits) => {
          const dotted = (value: number): string =>
            [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
          const shared = bits === 0 || a >>> (32 - bits) === b >>> (32 - bits);
          expect(inNetwork(addressBytes(dotted(b))!, parseNetwork(`${dotted(a)}/${bits}`)!)).toBe(shared);
        },
      ),
      { seed },
    );
  });
});

describe('what the operator opened', () => {
  const opened = (entries: string[], host: string, port: number, address: string): boolean =>
    new PrivateDestinations(entries, '--open').opens(host, port, addressBytes(address)!);

  test('a name with a port opens this port of it, whatever its address', () => {
    expect(opened(['hooks.lan:8080'], 'hooks.lan', 8080, '10.1.2.3')).toBe(true);
    expect(opened(['Hooks.LAN:8080'], 'hooks.lan', 8080, 'fd00::1')).toBe(true);
    expect(opened(['hooks.lan:8080'], 'hooks.lan', 80, '10.1.2.3')).toBe(false);
    expect(opened(['hooks.lan:8080'], 'other.lan', 8080, '10.1.2.3')).toBe(false);
    expect(opened(['hooks.lan'], 'hooks.lan', 1234, '10.1.2.3')).toBe(true);
    expect(opened(['lan'], 'hooks.lan', 80, '10.1.2.3')).toBe(false);
  });

  test('a network opens every name that leads into it, and nothing beside it', () => {
    expect(opened(['10.0.0.0/8', 'fd00::/8'], 'any.example', 80, '10.9.9.9')).toBe(true);
    expect(opened(['10.0.0.0/8', 'fd00::/8'], 'any.example', 80, 'fd12::1')).toBe(true);
    expect(opened(['10.0.0.0/8'], 'any.example', 80, '11.0.0.1')).toBe(false);
    expect(opened(['10.0.0.0/8'], 'any.example', 80, '::ffff:10.0.0.1')).toBe(false);
    expect(opened(['127.0.0.1'], '127.0.0.1', 5000, '127.0.0.1')).toBe(true);
    expect(opened(['127.0.0.1:80'], '127.0.0.1', 5000, '127.0.0.1')).toBe(false);
    expect(opened(['[::1]:8080'], '::1', 8080, '::1')).toBe(true);
    expect(opened(['[::1]:8080'], '::1', 80, '::1')).toBe(false);
  });

  test.each([
    '10.0.0.0/33',
    'a b',
    'host:0',
    'host:70000',
    'http://host',
    '*',
    '[nope]:80',
    '10.0.0.0/8/8',
    ':80',
  ])('"%s" is refused with what to write', (entry) => {
    expect(() => new PrivateDestinations([entry], '--open')).toThrow(/--open has/);
  });
});
