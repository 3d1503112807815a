import { isIP } from 'node:net';

import { canonicalAddress } from '../../../ops/address-scope';
import { DEFAULT_SIP_PORT } from '../edge/resolver';
import { parseAddress } from '../message/address';
import { parseUri } from '../message/uri';

import type { BindingSource, SipBinding } from '../../../contract/registration';
import type { ResolvedTarget } from '../edge/resolver';
import type { Via } from '../message/via';

/** How a registered contact is called. */
export interface ContactTarget {
  readonly requestUri: string;
  /** Values of Route (RFC 3327 §5.3). */
  readonly routes: readonly string[];
  /** The connection that the REGISTER came over, as long as it is open. */
  readonly connection: { readonly address: string; readonly port: number } | null;
  /** Without one; null: then it cannot be called. */
  readonly address: ResolvedTarget | null;
}

/**
 * A contact is called at the address that its REGISTER came from, and nowhere else: credentials of one trunk must not
 * make us send to third parties, and what a phone behind NAT calls itself is nobody here. What it writes counts where it
 * names that very address: then its port and transport are its own to tell. A Path stands in the contact's place, as the
 * REGISTER has come from the proxy that wrote its topmost value.
 */
export function contactTarget({ contact, path, source, behindNat }: SipBinding): ContactTarget {
  const written = behindNat ? null : ownHop(path[0] ?? `<${contact}>`, source);
  const { transport, address, port } = source;
  const way = { requestUri: contact, routes: path };
  if (transport !== 'udp') return { ...way, connection: { address, port }, address: written };
  return { ...way, connection: null, address: written ?? { address, port, transport } };
}

/** Whether what is written is not where it came from: a NAT lies between, or a name stands there. */
export function isElsewhere(contact: string, source: BindingSource): boolean {
  return ownHop(`<${contact}>`, source) === null;
}

/**
 * Whether somebody has changed the source of a request on its way: its client, which wants the answer at the socket that
 * it sent from (RFC 3581 §4), knows it by another name. Contact may have the right address then and a port of the inside.
 */
export function isTranslated(via: Via, source: BindingSource): boolean {
  if (source.transport !== 'udp' || !via.params.has('rport')) return false;
  const literal = via.host.startsWith('[') ? via.host.slice(1, -1) : via.host;
  const otherHost = isIP(literal) !== 0 && canonicalAddress(literal) !== source.address;
  return otherHost || (via.port ?? DEFAULT_SIP_PORT) !== source.port;
}

/** Null when the value names no address, or another one than the source. */
function ownHop(value: string, source: BindingSource): ResolvedTarget | null {
  const uri = parseUri(parseAddress(value)?.uri ?? '');
  if (uri === null) return null;
  const literal = uri.host.startsWith('[') ? uri.host.slice(1, -1) : uri.host;
  if (isIP(literal) === 0 || canonicalAddress(literal) !== source.address) return null;
  const written = uri.params.get('transport')?.toLowerCase();
  const transport = written === 'tcp' || (written === undefined && source.transport !== 'udp') ? 'tcp' : 'udp';
  return { address: source.address, port: uri.port ?? DEFAULT_SIP_PORT, transport };
}
