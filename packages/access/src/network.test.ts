import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf } from './network.ts';

describe('networkOf', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::203.0.113.9', '64:ff9b:0:0::/64'],
    ['', 'unknown'],
    ['999.1.1.1', 'unknown'],
    ['not an address', 'unknown'],
  ])('C4 counts %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('C4 counts all addresses of one /64 together and of two apart', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const half = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(half, half, half, (prefix, one, two) => {
        const network = networkOf([...prefix, ...one].join(':'));
        expect(networkOf([...prefix, ...two].join(':'))).toBe(network);
        expect(network).toBe(`${prefix.join(':')}::/64`);
      }),
    );
  });
});
