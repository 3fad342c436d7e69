import { isIP } from 'node:net';

/**
 * The network that an address stands for when attempts are counted: an IPv4 address itself, the /64 of an IPv6 one
 * (one customer has 2^64 addresses), and the IPv4 address inside `::ffff:a.b.c.d`, which a dual-stack socket reports.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1] ?? plain;
  const version = isIP(mapped);
  if (version === 4) return mapped;
  if (version !== 6) return 'unknown';
  const [head = '', tail] = mapped.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    while (groups.length + after.length < 8) groups.push('0');
    groups.push(...after);
  }
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}
