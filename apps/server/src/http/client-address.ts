import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { AppError } from '@nowcast/kernel';

/** Who is at the other end, after proxies that the operator named. */
export interface ClientInfo {
  /** IP address, IPv4 without the `::ffff:` prefix. */
  address: string;
  /** Whether the browser speaks HTTPS, with us or with the proxy. */
  secure: boolean;
  /** `Host` as the browser sent it. */
  host: string;
  /** The connection itself comes from this machine and no proxy speaks for somebody else. */
  loopback: boolean;
}

/** Reads `X-Forwarded-*` from configured networks only; from anyone else the headers do not exist (C10). */
export class ProxyTrust {
  readonly #networks = new BlockList();
  readonly #any: boolean;

  /** Host of the public URL when that is HTTPS: whoever asks for it came over TLS, ours or a proxy's. */
  readonly #secureHost: string | undefined;
  /** The public URL leads elsewhere, so that what comes from this machine may be a proxy that says nothing of others. */
  readonly #isProxied: boolean;

  /** `10.0.0.0/8`, `fd00::/8` or single addresses. Throws `request.invalid`. */
  constructor(networks: readonly string[], publicUrl?: string) {
    this.#any = networks.length > 0;
    const url = publicUrl === undefined ? undefined : new URL(publicUrl);
    this.#secureHost = url?.protocol === 'https:' ? url.host : undefined;
    this.#isProxied = url !== undefined && !isLocalName(url.hostname);
    for (const network of networks) this.#add(network);
  }

  #add(network: string): void {
    const [address = '', bits] = network.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const length = bits === undefined ? most : Number(bits);
    if (version === 0 || !Number.isInteger(length) || length < 0 || length > most) {
      throw new AppError(
        'request.invalid',
        `--trusted-proxies has "${network}"; write networks such as 10.0.0.0/8 or fd00::/8`,
      );
    }
    this.#networks.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  }

  trusts(address: string): boolean {
    const version = isIP(address);
    return this.#any && version !== 0 && this.#networks.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }

  read(request: IncomingMessage, tls: boolean): ClientInfo {
    const peer = plainAddress(request.socket.remoteAddress ?? '');
    const forwarded = single(request.headers['x-forwarded-for']);
    if (!this.trusts(peer)) {
      const loopback = isLoopback(peer) && forwarded === undefined && !this.#isProxied;
      const host = request.headers.host ?? '';
      return { address: peer, secure: tls || host === this.#secureHost, host, loopback };
    }
    const hops = (forwarded ?? '').split(',').map((hop) => plainAddress(withoutPort(hop.trim())));
    // From the right: the first that is not a proxy of ours is the last one somebody we trust has seen. Left of it is
    // what that one wrote, so nothing there counts, not even when this one is no address.
    const seen = hops.findLast((hop) => !this.trusts(hop)) ?? '';
    const client = isIP(seen) === 0 ? peer : seen;
    const scheme = single(request.headers['x-forwarded-proto'])?.split(',').at(-1)?.trim();
    const host = single(request.headers['x-forwarded-host'])?.split(',').at(-1)?.trim();
    const asked = host ?? request.headers.host ?? '';
    return {
      address: client,
      secure: scheme === undefined ? tls || asked === this.#secureHost : scheme === 'https',
      host: asked,
      loopback: false,
    };
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}

/** `192.0.2.1:4711` → `192.0.2.1`, `[2001:db8::1]:4711` → `2001:db8::1`: some proxies write the port too. */
function withoutPort(hop: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
}

/** `::ffff:10.0.0.1` → `10.0.0.1`; a zone (`%eth0`) is dropped. */
export function plainAddress(address: string): string {
  const bare = address.split('%')[0] ?? '';
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(bare) ? bare.slice(7) : bare;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function isLocalName(hostname: string): boolean {
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** What one household or office shares: the IPv4 address, or the /64 of an IPv6 one. */
export function addressGroup(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
