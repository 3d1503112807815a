import { isIP } from 'node:net';

export type AddressKind = 'public' | 'private' | 'loopback' | 'forbidden';

/** Rough class of an address, enough to keep a peer from pointing us into networks it is not in. */
export function addressKind(address: string): AddressKind {
  if (isIP(address) === 4) {
    const [a = 0, b = 0] = address.split('.').map(Number);
    if (a === 127) return 'loopback';
    if (a === 0 || a >= 224 || (a === 169 && b === 254)) return 'forbidden';
    const shared = a === 100 && b >= 64 && b < 128;
    return a === 10 || shared || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) ? 'private' : 'public';
  }
  const lower = address.toLowerCase();
  if (lower === '::1') return 'loopback';
  if (lower === '::' || lower.startsWith('ff') || /^fe[89ab]/.test(lower)) return 'forbidden';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(lower);
  if (mapped !== null) return addressKind(mapped[1]!);
  return /^f[cd]/.test(lower) ? 'private' : 'public';
}
