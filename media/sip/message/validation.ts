import { parseAddress } from './address';
import { sdpOf } from './body';
import { SINGLE_HEADERS } from './header-names';
import { ALLOW, isKnownMethod, isServedMethod } from './methods';
import { parseUri, uriScheme } from './uri';
import { parseVia } from './via';

import type { SipMessage, SipRequest } from './message';

/** What a request is owed when it cannot be served. */
export interface Refusal {
  readonly status: number;
  readonly reason?: string;
  /** Complete header lines. */
  readonly headers?: readonly string[];
}

/** Extensions a peer may demand of us. */
export const SUPPORTED: readonly string[] = ['100rel', 'timer'];
export const REPLACES = 'replaces';
/** Those that only one method may demand: a registrar's (RFC 3327, RFC 5626), and of REFER (RFC 4488). */
const SUPPORTED_BY_METHOD: ReadonlyMap<string, readonly string[]> = new Map([
  ['REGISTER', ['path', 'outbound']],
  ['REFER', ['norefersub']],
]);

const MAX_REQUEST_URI = 1024;
/** Far more than any session description that is meant. */
export const MAX_BODY_BYTES = 32 * 1024;
const ACCEPT = 'Accept: application/sdp';
/** White space and control characters, which could not be given back as they came. */
const NOT_IN_CALL_ID = /[\0-\x20\x7f]/;

/**
 * The checks of RFC 3261 §8.2 and §16.3 in their order; null when the request may be served. ACK is judged too, but
 * never answered.
 * @param registrar whether REGISTER is served
 * @param supported extensions that a peer may demand
 */
export function validateRequest(
  request: SipRequest,
  registrar = false,
  supported: readonly string[] = SUPPORTED,
): Refusal | null {
  return (
    checkSyntax(request) ?? checkMethod(request, registrar) ?? checkUri(request) ?? checkContent(request, supported)
  );
}

/** The header that tells of extensions. */
export function supportedLine(supported: readonly string[]): string {
  return `Supported: ${supported.join(', ')}`;
}

function bad(reason: string): Refusal {
  return { status: 400, reason };
}

function checkSyntax(request: SipRequest): Refusal | null {
  // RFC 3261 §21.5.6, and RFC 4475 §3.1.2.16: the version is judged before anything else can be understood.
  if (request.version !== '' && request.version !== 'SIP/2.0') return { status: 505 };
  const { issues } = request;
  if (issues.length > 0) {
    if (issues.includes('start_line')) return bad('Malformed Request Line');
    if (issues.includes('too_large')) return { status: 513 };
    if (issues.includes('content_length')) return bad('Malformed Content-Length');
    // Of a body too large for a stream only the announcement has come.
    if (Number(request.first('content-length')) > MAX_BODY_BYTES) return { status: 413 };
    if (issues.includes('body_truncated')) return bad('Body Shorter Than Content-Length');
    // What is left is an unreadable line of no known header, which is skipped (RFC 4475 §3.1.1.1).
  }
  for (const name of ['via', 'from', 'to', 'call-id', 'cseq'] as const) {
    if (!request.headers.has(name)) return bad(`Missing ${name} Header Field`);
  }
  for (const name of SINGLE_HEADERS) {
    if (request.lines(name).length > 1) return bad(`Multiple ${name} Header Fields`);
  }
  if (request.topVia === null || request.list('via').some((via) => parseVia(via) === null)) return bad('Malformed Via');
  if (!request.from || uriScheme(request.from.uri) === null) return bad('Malformed From');
  if (!request.to || uriScheme(request.to.uri) === null) return bad('Malformed To');
  if (NOT_IN_CALL_ID.test(request.callId) || request.callId === '') return bad('Malformed Call-ID');
  const cseq = request.cseq;
  if (cseq === null) return bad('Malformed CSeq');
  if (isMalformedUri(request.requestUri)) return bad('Malformed Request-URI');
  if (request.headers.has('route') && !request.list('route').every(namesHop)) return bad('Malformed Route');
  if (request.headers.has('record-route') && !request.list('record-route').every(namesHop)) {
    return bad('Malformed Record-Route');
  }
  const maxForwards = request.first('max-forwards');
  // RFC 3261 §20.22: 0 to 255. An endpoint serves a request whose count is 0 (RFC 4475 §3.3.11).
  if (maxForwards !== undefined && !(/^\d{1,9}$/.test(maxForwards) && Number(maxForwards) <= 255)) {
    return bad('Malformed Max-Forwards');
  }
  return null;
}

function checkMethod(request: SipRequest, registrar: boolean): Refusal | null {
  const { method } = request;
  if (!isKnownMethod(method)) return { status: 501, headers: allowed(registrar) };
  if (request.cseq?.method !== method) return bad('CSeq Method Does Not Match');
  if (isServedMethod(method, request.toTag !== '') || (registrar && method === 'REGISTER')) return null;
  return { status: 405, headers: allowed(registrar) };
}

/** What is served outside a dialog; within one nobody registers. */
export function allowed(registrar: boolean): readonly string[] {
  return [`Allow: ${ALLOW}${registrar ? ', REGISTER' : ''}`];
}

function checkUri(request: SipRequest): Refusal | null {
  if (request.requestUri.length > MAX_REQUEST_URI) return { status: 414 };
  return isForeign(uriScheme(request.requestUri)) ? { status: 416 } : null;
}

function isForeign(scheme: string | null): boolean {
  return scheme !== 'sip' && scheme !== 'sips' && scheme !== 'tel';
}

/** Headers are not allowed in a Request-URI (RFC 3261 §19.1.1, table 1); of foreign schemes we know no syntax. */
function isMalformedUri(text: string): boolean {
  const scheme = uriScheme(text);
  if (scheme === null) return true;
  if (isForeign(scheme)) return false;
  const uri = parseUri(text);
  return uri === null || uri.headers !== null;
}

/** Our requests in a dialog go where Record-Route says, so it must be somewhere. */
export function namesHop(value: string): boolean {
  const uri = parseAddress(value)?.uri;
  return uri !== undefined && parseUri(uri) !== null;
}

function checkContent(request: SipRequest, supported: readonly string[]): Refusal | null {
  // Require is not for ACK and CANCEL (RFC 3261 §8.2.2.3).
  if (request.method === 'ACK' || request.method === 'CANCEL') return null;
  const unsupported = [...request.optionTags('require'), ...request.optionTags('proxy-require')].filter(
    (tag) => !supported.includes(tag) && SUPPORTED_BY_METHOD.get(request.method)?.includes(tag) !== true,
  );
  if (unsupported.length > 0) return { status: 420, headers: [`Unsupported: ${unsupported.slice(0, 8).join(', ')}`] };
  if (request.body.length > MAX_BODY_BYTES) return { status: 413 };
  // RFC 3891 §3.
  if (request.headers.has('replaces') && request.method !== 'INVITE' && supported.includes(REPLACES)) {
    return bad('Replaces In Another Request Than INVITE');
  }
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return null;
  const contact = request.first('contact');
  // A client of RFC 2543 (no magic cookie) may leave Contact out; its From stands in (RFC 4475 §3.4.1).
  if (contact === undefined && request.method === 'INVITE' && !isRfc2543(request)) {
    return bad('Missing Contact Header Field');
  }
  if (contact !== undefined && (request.list('contact').length !== 1 || contactUri(request) === null)) {
    return bad('Malformed Contact');
  }
  if (request.body.length > 0) {
    const encoding = request.first('content-encoding');
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      return { status: 415, headers: ['Accept-Encoding: identity', ACCEPT] };
    }
    if (request.contentType.startsWith('application/pkcs7')) return { status: 493 };
    // A body we may ignore is ignored (RFC 3261 §20.11 handling=optional); any other must carry SDP.
    const optional = /;\s*handling\s*=\s*"?optional/i.test(request.first('content-disposition') ?? '');
    if (sdpOf(request) === null && !optional) return { status: 415, headers: [ACCEPT] };
  }
  const accept = request.headers.has('accept') ? request.list('accept') : null;
  if (accept !== null && request.method === 'INVITE' && !accept.some(acceptsSdp)) return { status: 406 };
  return null;
}

/** Remote target that a dialog-forming or target-refreshing request names; null when it is unusable. */
export function contactUri(message: SipMessage): string | null {
  for (const value of message.list('contact')) {
    const uri = parseAddress(value)?.uri;
    if (uri !== undefined && parseUri(uri) !== null) return uri;
  }
  return null;
}

/** RFC 3261 §8.1.1.7: every branch of ours or of any later client begins with the cookie. */
export function isRfc2543(request: SipRequest): boolean {
  const branch = request.topVia?.params.get('branch') ?? '';
  return !branch.startsWith('z9hG4bK') || branch.length === 7;
}

function acceptsSdp(value: string): boolean {
  const type = value.split(';', 1)[0]!.trim().toLowerCase();
  return type === 'application/sdp' || type === 'application/*' || type === '*/*';
}
