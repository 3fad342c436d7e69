import { isIP } from 'node:net';

/** An address as its 4 or 16 bytes: the only form in which two spellings of one address are equal. */
export type AddressBytes = readonly number[];

/** Undefined for what is no address, and for one with a zone (`fe80::1%eth0`), which is never a destination. */
export function addressBytes(text: string): AddressBytes | undefined {
  if (text.includes('%')) return undefined;
  switch (isIP(text)) {
    case 4:
      return text.split('.').map(Number);
    case 6:
      return ipv6Bytes(text);
    default:
      return undefined;
  }
}

/** `text` is a valid IPv6 address (RFC 4291, 2.2), perhaps with `::` or a dotted end. */
function ipv6Bytes(text: string): AddressBytes {
  const [head = '', tail] = text.split('::');
  const left = groupBytes(head);
  const right = groupBytes(tail ?? '');
  return [...left, ...Array<number>(16 - left.length - right.length).fill(0), ...right];
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** A network: the first `bits` bits of `bytes`. */
export interface Network {
  bytes: AddressBytes;
  bits: number;
}

/** `10.0.0.0/8`, `fd00::/8`; a bare address is the network of itself. Undefined when it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = addressBytes(address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const most = bytes.length * 8;
  if (length === undefined) return { bytes, bits: most };
  if (!/^\d{1,3}$/.test(length) || Number(length) > most) return undefined;
  return { bytes, bits: Number(length) };
}

/** Whether the address lies in the network; one of the other family never does. */
export function inNetwork(address: AddressBytes, network: Network): boolean {
  if (address.length !== network.bytes.length) return false;
  for (let bit = 0; bit < network.bits; bit += 8) {
    const mask = 0xff & (0xff << Math.max(0, 8 - (network.bits - bit)));
    if (((address[bit >> 3] ?? 0) & mask) !== ((network.bytes[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}
