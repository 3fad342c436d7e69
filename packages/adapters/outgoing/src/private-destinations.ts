import { appError } from '@nowcast/contract';
import { type AddressBytes, addressBytes, inNetwork, type Network, parseNetwork } from './ip-address.ts';

interface OpenHost {
  name: string;
  /** Undefined: every port. */
  port: number | undefined;
}

/**
 * What the operator opened behind the guard by an option: hosts by name or address, with a port or without, and
 * networks. A name opens whatever it resolves to; the operator vouches for who answers for it.
 */
export class PrivateDestinations {
  readonly #option: string;
  readonly #hosts: OpenHost[] = [];
  readonly #networks: Network[] = [];

  /** Throws `request.invalid` naming the option and the entry. */
  constructor(entries: readonly string[], option: string) {
    this.#option = option;
    for (const entry of entries) this.#add(entry);
  }

  /** `hostname` as in a URL, without brackets. */
  opens(hostname: string, port: number, address: AddressBytes): boolean {
    const name = hostname.toLowerCase();
    return (
      this.#networks.some((network) => inNetwork(address, network)) ||
      this.#hosts.some((host) => host.name === name && (host.port ?? port) === port)
    );
  }

  #add(entry: string): void {
    const network = parseNetwork(entry);
    if (network !== undefined) {
      this.#networks.push(network);
      return;
    }
    const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(entry);
    const name = canonicalName(match?.[1] ?? match?.[2] ?? '');
    const port = match?.[3] === undefined ? undefined : Number(match[3]);
    if (name === undefined || (port !== undefined && (port < 1 || port > 65_535))) {
      throw appError(
        'request.invalid',
        `${this.#option} has "${entry}"; write a host (hooks.lan or hooks.lan:8080), an address or a network (10.0.0.0/8)`,
      );
    }
    this.#hosts.push({ name, port });
  }
}

/** The spelling that `new URL` gives it. */
function canonicalName(name: string): string | undefined {
  if (name === '') return undefined;
  const isIpv6 = name.includes(':');
  if (isIpv6 && addressBytes(name) === undefined) return undefined;
  const url = `http://${isIpv6 ? `[${name}]` : name}/`;
  return URL.canParse(url) ? bareHost(new URL(url)) : undefined;
}

/** The host of a URL, without the brackets of IPv6. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
