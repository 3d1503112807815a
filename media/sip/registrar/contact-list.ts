import { plainText } from '../../../ops/plain-text';
import { parseAddress } from '../message/address';
import { decodeWireText } from '../message/message';
import { parseUri } from '../message/uri';

import type { SipRequest } from '../message/message';

/** One value of Contact in a REGISTER (RFC 3261 §10.2.1, §20.10). */
export interface RequestedContact {
  readonly uri: string;
  /** Null: the registrar's default. */
  readonly expiresSeconds: number | null;
  readonly q: number;
  readonly instanceId: string | null;
  readonly regId: number | null;
}

/** What a REGISTER asks for: nothing but the list, that all go, or that these are kept. */
export type ContactList =
  | { readonly kind: 'fetch' }
  | { readonly kind: 'all' }
  | { readonly kind: 'contacts'; readonly contacts: readonly RequestedContact[] };

/** A URI of nobody's is longer; of Path the same. */
const MAX_URI_LENGTH = 512;
const MAX_INSTANCE_LENGTH = 256;
const MAX_USER_AGENT_LENGTH = 200;
/** Far more than any proxy chain that is meant. */
const MAX_PATH_VALUES = 8;
const PRINTABLE = /^[\x21-\x7e]+$/;
const SECONDS = /^\d{1,10}$/;
const QVALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
const REG_ID = /^\d{1,9}$/;
/** What a malformed value stands for (RFC 3261 §10.3 step 6, §20.19). */
const MALFORMED_EXPIRES_SECONDS = 3600;

/** The reason phrase of a 400 when Contact or Path cannot be used. */
export class MalformedRegisterError extends Error {
  override readonly name = 'MalformedRegisterError';
}

/** @throws MalformedRegisterError */
export function contactList(request: SipRequest): ContactList {
  const values = request.list('contact');
  if (values.length === 0) return { kind: 'fetch' };
  const expires = request.first('expires');
  if (values.some((value) => value === '*')) {
    // RFC 3261 §10.3 step 6: the wildcard stands alone, and only removes.
    if (values.length > 1) throw new MalformedRegisterError('Wildcard Contact Beside Others');
    if (expires === undefined || readSeconds(expires) !== 0) {
      throw new MalformedRegisterError('Wildcard Contact Without Expires 0');
    }
    return { kind: 'all' };
  }
  // RFC 5626 §6: without the option tag a reg-id says nothing.
  const outbound = request.optionTags('supported').includes('outbound');
  return { kind: 'contacts', contacts: values.map((value) => contactOf(value, expires, outbound)) };
}

function contactOf(value: string, expires: string | undefined, outbound: boolean): RequestedContact {
  const address = parseAddress(value);
  const uri = address === null ? null : parseUri(address.uri);
  if (address === null || uri === null || !isShort(address.uri)) throw new MalformedRegisterError('Malformed Contact');
  // Others cannot be called by us; headers in it would be written into every INVITE (RFC 3261 §19.1.1 table 1).
  if (uri.scheme !== 'sip' || uri.headers !== null) throw new MalformedRegisterError('Contact Must Be A SIP URI');
  const own = address.params.get('expires');
  const instance = address.params.get('+sip.instance') ?? null;
  const regId = REG_ID.exec(address.params.get('reg-id') ?? '')?.[0] ?? null;
  const flow = outbound && instance !== null && isInstance(instance) && regId !== null && Number(regId) > 0;
  const asked = own ?? expires;
  const q = address.params.get('q') ?? '1';
  return {
    uri: address.uri,
    expiresSeconds: asked === undefined ? null : readSeconds(asked),
    q: QVALUE.test(q) ? Number(q) : 1,
    instanceId: instance !== null && isInstance(instance) ? instance : null,
    regId: flow ? Number(regId) : null,
  };
}

/** Values of Path, as they came. @throws MalformedRegisterError */
export function pathOf(request: SipRequest): readonly string[] {
  const values = request.list('path');
  if (values.length > MAX_PATH_VALUES) throw new MalformedRegisterError('Too Many Path Values');
  for (const value of values) {
    const uri = parseAddress(value)?.uri;
    // A value is written into Route as it is, so nothing but one address may stand in it.
    if (uri === undefined || !value.startsWith('<') || parseUri(uri)?.scheme !== 'sip' || !isShort(value)) {
      throw new MalformedRegisterError('Malformed Path');
    }
  }
  return values;
}

export function userAgentOf(request: SipRequest): string | null {
  const text = plainText(decodeWireText(request.first('user-agent') ?? ''), MAX_USER_AGENT_LENGTH);
  return text === '' ? null : text;
}

function readSeconds(text: string): number {
  return SECONDS.test(text) ? Number(text) : MALFORMED_EXPIRES_SECONDS;
}

function isShort(text: string): boolean {
  return text.length <= MAX_URI_LENGTH && PRINTABLE.test(text);
}

/** A URN in angle brackets (RFC 5626 §4.1). */
function isInstance(text: string): boolean {
  return text.length <= MAX_INSTANCE_LENGTH && /^<[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]+>$/.test(text);
}
