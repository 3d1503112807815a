/** Addresses that users give us to call: who may point where. */
import { isIP, isIPv4 } from 'node:net';

import { addressScope } from '../ops/address-scope';
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
function isPrivateHost(host: string): boolean {
  const name = host.replaceAll(/[[\]]/g, '').replace(/\.$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const address = isIP(name) === 0 ? ipv4Of(name) : name;
  return address !== null && addressScope(address) !== 'public';
}

/** 127.1, 2130706433 and 0x7f.1 are 127.0.0.1 to a resolver (RFC 3986 §7.4), and to the URL parser. */
function ipv4Of(name: string): string | null {
  const url = `http://${name}`;
  const spelled = URL.canParse(url) ? new URL(url).hostname : name;
  return isIPv4(spelled) ? spelled : null;
}
