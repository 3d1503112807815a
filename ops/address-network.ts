/** Networks in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3), and what belongs to them. */
import { isIPv4, isIPv6 } from 'node:net';

import { canonicalAddress } from './address-scope';

type Family = 4 | 6;

export interface Network {
  readonly family: Family;
  /** Bits that all of its addresses have in common. */
  readonly prefix: number;
  /** Its first address as a number. */
  readonly first: bigint;
  /** Canonical: `192.0.2.0/24`, `2001:db8::/32`. */
  readonly text: string;
}

interface AddressBits {
  readonly family: Family;
  readonly bits: bigint;
}

const WIDTH: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };
const MAPPED = '::ffff:';
const MAPPED_PREFIX = 96;

/**
 * Null for what is none. A lone address is a network of one; bits behind the prefix count for nothing; IPv4 within IPv6
 * is IPv4.
 */
export function parseNetwork(text: string): Network | null {
  const [address = '', length, ...rest] = text.trim().split('/');
  const found = addressBits(address);
  if (found === null || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return null;
  const { family, bits } = found;
  // That of the spelling, which of a mapped address is IPv6's.
  const mapped = family === 4 && isIPv6(address) ? MAPPED_PREFIX : 0;
  const prefix = length === undefined ? WIDTH[family] : Number(length) - mapped;
  if (prefix < 0 || prefix > WIDTH[family]) return null;
  const first = networkOf(bits, family, prefix);
  return { family, prefix, first, text: `${addressText(first, family)}/${prefix}` };
}

/** What is known of addresses by their networks. Of several networks that hold an address the narrowest counts. */
export class NetworkMap<Value> {
  readonly #prefixes: Readonly<Record<Family, Map<number, Map<bigint, Value>>>> = { 4: new Map(), 6: new Map() };

  set({ family, prefix, first }: Network, value: Value): void {
    const networks = this.#prefixes[family].get(prefix);
    if (networks === undefined) this.#prefixes[family].set(prefix, new Map([[first, value]]));
    else networks.set(first, value);
  }

  delete({ family, prefix, first }: Network): void {
    const networks = this.#prefixes[family].get(prefix);
    networks?.delete(first);
    if (networks?.size === 0) this.#prefixes[family].delete(prefix);
  }

  /** Of exactly this network. */
  at({ family, prefix, first }: Network): Value | undefined {
    return this.#prefixes[family].get(prefix)?.get(first);
  }

  clear(): void {
    for (const prefixes of Object.values(this.#prefixes)) prefixes.clear();
  }

  get(address: string): Value | undefined {
    const found = addressBits(address);
    if (found === null) return undefined;
    const { family, bits } = found;
    let narrowest = -1;
    let value: Value | undefined;
    // There are few lengths, however many networks.
    for (const [prefix, networks] of this.#prefixes[family]) {
      if (prefix < narrowest) continue;
      const first = networkOf(bits, family, prefix);
      if (!networks.has(first)) continue;
      narrowest = prefix;
      value = networks.get(first);
    }
    return value;
  }
}

function networkOf(bits: bigint, family: Family, prefix: number): bigint {
  const host = BigInt(WIDTH[family] - prefix);
  return (bits >> host) << host;
}

function addressBits(address: string): AddressBits | null {
  if (isIPv4(address)) return { family: 4, bits: ipv4Bits(address) };
  if (!isIPv6(address) || address.includes('%')) return null;
  const canonical = canonicalAddress(address);
  if (canonical.startsWith(MAPPED) && canonical.includes('.')) {
    return { family: 4, bits: ipv4Bits(canonical.slice(MAPPED.length)) };
  }
  return { family: 6, bits: ipv6Bits(canonical) };
}

function ipv4Bits(address: string): bigint {
  return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function ipv6Bits(address: string): bigint {
  // The last 32 bits may be written as IPv4 (RFC 4291 §2.2).
  const groups = address.replace(/\d+\.\d+\.\d+\.\d+$/, (ipv4) => {
    const bits = ipv4Bits(ipv4);
    return `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;
  });
  const [head = '', tail] = groups.split('::');
  const [front, back] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== '')) as [
    string[],
    string[],
  ];
  const zeros = Array<string>(8 - front.length - back.length).fill('0');
  return [...front, ...zeros, ...back].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function addressText(bits: bigint, family: Family): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return canonicalAddress(groups.join(':'));
}
