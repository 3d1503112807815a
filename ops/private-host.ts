import { isIP, isIPv4 } from 'node:net';
import { addressScope } from './address-scope';

/** Of literal addresses and local names only: what a name resolves to is judged by whoever connects. */
export function isPrivateHost(host: string): boolean {
  const name = host.replaceAll(/[[\]]/g, '').replace(/\.$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const address = isIP(name) === 0 ? ipv4Of(name) : name;
  return address !== null && addressScope(address) !== 'public';
}

/** Which hosts users may point at. */
export function reachableHosts(allowPrivate: boolean): (host: string) => boolean {
  return (host) => allowPrivate || !isPrivateHost(host);
}

/** 127.1, 2130706433 and 0x7f.1 are 127.0.0.1 to a resolver (RFC 3986 §7.4), and to the URL parser. */
function ipv4Of(name: string): string | null {
  const url = `http://${name}`;
  const spelled = URL.canParse(url) ? new URL(url).hostname : name;
  return isIPv4(spelled) ? spelled : null;
}
