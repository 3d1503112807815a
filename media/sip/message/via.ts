import { canonicalAddress } from '../../../ops/address-scope';
import { parseParameters } from './parameters';

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** Upper case: `UDP`, `TCP`, `TLS` … */
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  readonly params: ReadonlyMap<string, string | null>;
}

const VIA =
  /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9_-]+)\s+(\[[0-9A-Fa-f:.]+\]|[^\s;:,]+)\s*(?::\s*(\d{1,5})\s*)?(?:;(.*))?$/is;

export function parseVia(value: string): Via | null {
  const match = VIA.exec(value);
  if (match === null) return null;
  const port = match[3] === undefined ? null : Number(match[3]);
  // Port 0 is nobody's, and an answer to it reaches nobody.
  if (port !== null && (port === 0 || port > 65_535)) return null;
  return {
    transport: (match[1] ?? '').toUpperCase(),
    host: (match[2] ?? '').toLowerCase(),
    port,
    params: parseParameters(match[4] ?? ''),
  };
}

/**
 * Whether sent-by is the address that the request came from. A name never is: to ask the DNS for whoever sends one would
 * be a service to attackers.
 */
export function isSentBy({ host }: Via, address: string): boolean {
  return canonicalAddress(host.startsWith('[') ? host.slice(1, -1) : host) === address;
}

/**
 * The topmost Via as the server transport must note it: `received` with the source address when it differs from
 * sent-by or `rport` was asked for, and the source port in `rport` (RFC 3261 §18.2.1, RFC 3581 §4).
 */
export function markReceived(value: string, via: Via, address: string, port: number): string {
  const asked = via.params.has('rport');
  if (!asked && isSentBy(via, address)) return value;
  let marked = value.replace(/;\s*received\s*=\s*[^;,\s]*/i, '');
  if (asked) marked = marked.replace(/;\s*rport(?:\s*=\s*\d*)?(?=\s*(?:;|$))/i, `;rport=${port}`);
  return `${marked};received=${address}`;
}
