import { parseAddress } from '../message/address';
import { parseUri, uriScheme } from '../message/uri';
import { formatUriHeaders, parseUriHeaders } from '../message/uri-headers';
import { formatReplaces, parseReplaces } from './replaces';

import type { UriHeaders } from '../message/uri-headers';
import type { ReplacesHeader } from './replaces';

/** Who is to be called, and how (RFC 3515 §2.1). */
export interface ReferTarget {
  /** Without method and header part. */
  readonly uri: string;
  readonly method: string;
  /** The dialog of the other side that the call takes the place of; null for a new call. */
  readonly replaces: ReplacesHeader | null;
  /** What the call is to carry; of what a peer asks for only its own extensions (`X-…`). Names are lower case. */
  readonly headers: UriHeaders;
}

const MAX_LENGTH = 4_096;
const MAX_URI = 1_024;
const MAX_VALUE = 256;
/** Who names others of a call's headers would speak in our name. RFC 3261 §19.1.5 */
const TAKEN = /^x-/;
const METHOD_PARAMETER = /;\s*method\s*=([^;]*)/i;
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const WORD = /^[\x21-\x7e]+$/;

/**
 * Null when it is malformed. A URI of a scheme that is not of telephony is not: nobody but its reader can say so. For
 * such a one only `uri` counts.
 */
export function parseReferTo(value: string): ReferTarget | null {
  if (value.length > MAX_LENGTH) return null;
  const text = parseAddress(value)?.uri;
  if (text === undefined || !WORD.test(text)) return null;
  const uri = parseUri(text);
  if (uri === null) return isTelephony(text) ? null : { uri: text, method: 'INVITE', replaces: null, headers: [] };
  const at = text.indexOf('@');
  const question = uri.headers === null ? text.length : text.indexOf('?', Math.max(at, 0));
  const called = withoutMethod(text.slice(0, question), at);
  const headers = parseUriHeaders(uri.headers ?? '');
  if (headers === null || called.length > MAX_URI) return null;
  const dialogs = headers.filter(([name]) => name === 'replaces').map(([, dialog]) => parseReplaces(dialog));
  const [replaces = null, ...more] = dialogs;
  if (more.length > 0 || dialogs.includes(null)) return null;
  return {
    uri: called,
    method: (uri.params.get('method') ?? 'INVITE').toUpperCase(),
    replaces,
    headers: headers.filter(([name, text]) => TAKEN.test(name) && text.length <= MAX_VALUE),
  };
}

/** Whether it is a URI that a call can go to, well formed or not. */
export function isTelephony(uri: string): boolean {
  const scheme = uriScheme(uri);
  return scheme === null || scheme === 'sip' || scheme === 'sips' || scheme === 'tel';
}

/**
 * Value of a Refer-To of ours.
 * @throws RangeError when the URI is none that can be called, or cannot say which dialog is meant
 */
export function formatReferTo({ uri, replaces, headers }: Omit<ReferTarget, 'method'>): string {
  const parts = replaces === null ? headers : [['Replaces', formatReplaces(replaces)] as const, ...headers];
  if (parts.some(([name]) => !TOKEN.test(name))) throw new RangeError('no header name');
  // A tel URI has no header part (RFC 3966 §3).
  const tel = uriScheme(uri) === 'tel';
  if (tel && replaces !== null) throw new RangeError('a tel URI cannot name a dialog');
  const query = tel ? '' : formatUriHeaders(parts);
  return `<${callableUri(uri)}${query === '' ? '' : `?${query}`}>`;
}

/** Value of a Referred-By of ours (RFC 3892 §3). @throws RangeError when it is no URI */
export function formatReferredBy(uri: string): string {
  return `<${callableUri(uri)}>`;
}

function callableUri(uri: string): string {
  const parsed = WORD.test(uri) ? parseUri(uri) : null;
  if (parsed === null || parsed.headers !== null) throw new RangeError('no URI that can be called');
  return uri;
}

/** The parameter stands behind the host: a user part may hold the same text. */
function withoutMethod(uri: string, at: number): string {
  return uri.slice(0, at + 1) + uri.slice(at + 1).replace(METHOD_PARAMETER, '');
}
