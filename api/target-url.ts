/** Addresses that users give us to call: who may point where. */
import { isIP } from 'node:net';

import { impossible, invalid } from './errors';

/** https always; http only where private targets are allowed. */
export function assertTargetUrl(path: string, url: string | null | undefined, allowPrivate: boolean): void {
  if (url === null || url === undefined) return;
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && !allowPrivate) throw invalid([{ path, message: 'must be an https URL' }]);
  if (!allowPrivate && isPrivateHost(parsed.hostname)) throw privateTarget(path);
}

export function assertTargetHost(path: string, host: string, allowPrivate: boolean): void {
  if (!allowPrivate && isPrivateHost(host)) throw privateTarget(path);
}

const privateTarget = (path: string): Error =>
  impossible('private_target', `${path} points at a private address, which this server does not allow`);

/** Of literal addresses and local names only: what a name resolves to is judged by whoever connects. */
export function isPrivateHost(host: string): boolean {
  const name = host.replaceAll(/[[\]]/g, '').replace(/\.$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  if (isIP(name) === 6) return isPrivateIpv6(name);
  if (isIP(name) !== 4) return false;
  const [a = 0, b = 0] = name.split('.').map(Number);
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 198 && (b === 18 || b === 19))
  );
}

function isPrivateIpv6(address: string): boolean {
  if (address.includes('%')) return true; // A zone: link-local.
  // One spelling of many (RFC 5952 §4): 0:0:0:0:0:0:0:1 is ::1.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical);
  if (mapped === null) return /^(::|f[cd]|fe[89ab]|ff)/.test(canonical);
  const octets = mapped
    .slice(1)
    .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
  return isPrivateHost(octets.join('.'));
}
