import { type AddressBytes, inNetwork, type Network, parseNetwork } from './ip-address.ts';

/**
 * Which addresses are the public internet. A list of what is private is the obvious answer and fails for IPv6, where
 * an IPv4 address can be written into many prefixes (`::ffff:127.0.0.1`, `64:ff9b::7f00:1` through NAT64,
 * `2002:7f00:1::` through 6to4, `::7f00:1`): `net.BlockList` with 127.0.0.0/8 lets all but the first pass. So IPv6 is
 * turned round: only global unicast (2000::/3, RFC 4291) is allowed, minus what its registry reserves inside; IPv4 is
 * everything minus its registry. Both compare bytes, not text.
 *
 * Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, 8190), as of 2025. Blocks that the
 * registry calls globally reachable (AS112, AMT, anycast of 192.0.0.0/24) are refused too: nobody runs a webhook there.
 */
const ipv4Special = networks(
  '0.0.0.0/8', // this network (RFC 791)
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // shared, carriers (RFC 6598)
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link local, cloud metadata (RFC 3927)
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments (RFC 6890)
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.31.196.0/24', // AS112 (RFC 7535)
  '192.52.193.0/24', // AMT (RFC 7450)
  '192.88.99.0/24', // 6to4 relays, deprecated (RFC 7526)
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112 (RFC 7534)
  '198.18.0.0/15', // benchmarks (RFC 2544)
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
);

const ipv6Global = networks('2000::/3');
const ipv6Special = networks(
  '2001::/23', // protocol assignments: Teredo, ORCHID, benchmarks (RFC 2928)
  '2001:db8::/32', // documentation (RFC 3849)
  '2002::/16', // 6to4 (RFC 3056)
  '2620:4f:8000::/48', // AS112 (RFC 7534)
  '3ffe::/16', // 6bone, given back (RFC 3701)
  '3fff::/20', // documentation (RFC 9637)
);

export function isPublicAddress(address: AddressBytes): boolean {
  const inAny = (list: readonly Network[]): boolean => list.some((network) => inNetwork(address, network));
  return address.length === 4 ? !inAny(ipv4Special) : inAny(ipv6Global) && !inAny(ipv6Special);
}

function networks(...texts: string[]): Network[] {
  return texts.map((text) => parseNetwork(text)!);
}
