import { IncomingRequestMessage, IncomingResponseMessage, NameAddrHeader, URI } from 'sip.js/lib/core/index.js';

import { sdpOf } from './message/body';
import { contactUri, namesHop } from './message/validation';

import type { Body } from 'sip.js/lib/core/index.js';
import type { SipRequest, SipResponse } from './message/message';

/** Messages of our parser in the form that sip.js's core takes; its own grammar is never called. */

const SDP = 'application/sdp';
/** To tag of a server of RFC 2543, which has none. */
export const NO_TAG = 'none';

export function sessionBody(content: string): Body {
  return { contentDisposition: 'session', contentType: SDP, content };
}

/** A URI that goes out as it came in: sip.js would unescape and escape the user part anew. */
export class WireUri extends URI {
  readonly #text: string;

  constructor(text: string) {
    super('sip', 'call', 'trunkline.invalid');
    this.#text = text;
  }

  override clone(): URI {
    return this;
  }

  override toRaw(): string {
    return this.#text;
  }

  override toString(): string {
    return this.#text;
  }
}

function nameAddr(uri: string, tag: string): NameAddrHeader {
  return new NameAddrHeader(new WireUri(uri), '', tag === '' ? {} : { tag });
}

/** What requests and responses have in common. */
function describe(
  message: CoreRequest | CoreResponse,
  source: SipRequest | SipResponse,
  { toTag, toUri }: { readonly toTag: string; readonly toUri: string },
): void {
  message.body = sdpOf(source) ?? '';
  message.callId = source.callId;
  message.cseq = source.cseq?.number ?? 0;
  message.fromTag = source.fromTag;
  message.toTag = toTag;
  message.from = nameAddr(source.from?.uri ?? 'sip:anonymous.invalid', source.fromTag);
  message.to = nameAddr(source.to?.uri ?? toUri, toTag);
}

export class CoreRequest extends IncomingRequestMessage {
  readonly source: SipRequest;

  constructor(source: SipRequest, key: string, ruri: URI) {
    super();
    this.source = source;
    this.viaBranch = key;
    this.method = source.method;
    // sip.js serves sip: only and compares the user part; the endpoint has judged the Request-URI already.
    this.ruri = ruri;
    describe(this, source, { toTag: source.toTag, toUri: source.requestUri });
  }

  override getHeader(name: string): string | undefined {
    return this.source.first(name.toLowerCase());
  }

  override getHeaders(name: string): string[] {
    return [...this.source.list(name.toLowerCase())];
  }

  override hasHeader(name: string): boolean {
    // An INVITE of RFC 2543 may lack Contact; parseHeader then gives its From.
    return name.toLowerCase() === 'contact' || this.source.headers.has(name.toLowerCase());
  }

  override parseHeader(name: string): unknown {
    return parsedHeader(this.source, name, this.to, contactUri(this.source) ?? this.from.uri.toString());
  }
}

export class CoreResponse extends IncomingResponseMessage {
  readonly source: SipResponse;
  readonly #target: string;

  /**
   * @param target stands in for a missing Contact, which sip.js would drop the response for, and an unreadable To
   * @param request for a missing Call-ID or From
   */
  constructor(source: SipResponse, target: string, request?: { readonly callId: string; readonly fromTag: string }) {
    super();
    this.source = source;
    this.#target = target;
    this.viaBranch = source.branch;
    this.method = source.cseq?.method ?? '';
    this.statusCode = source.status;
    this.reasonPhrase = source.reason;
    // Responses without a tag come from RFC 2543 servers; sip.js drops them.
    const toTag = source.toTag === '' && source.status > 100 ? NO_TAG : source.toTag;
    describe(this, source, { toTag, toUri: target });
    if (this.callId === '') this.callId = request?.callId ?? '';
    if (this.fromTag === '') this.fromTag = request?.fromTag ?? '';
  }

  override getHeader(name: string): string | undefined {
    // Looked into for 100rel, which may stand in any of its lines.
    if (name === 'require') return this.source.optionTags('require').join(', ');
    return this.source.first(name.toLowerCase());
  }

  override getHeaders(name: string): string[] {
    const values = this.source.list(name.toLowerCase());
    // An unreadable hop is none; as a Route of ours it would only have our requests refused.
    return name === 'record-route' ? values.filter(namesHop) : [...values];
  }

  override hasHeader(name: string): boolean {
    return this.source.headers.has(name.toLowerCase());
  }

  override parseHeader(name: string): unknown {
    return parsedHeader(this.source, name, this.to, contactUri(this.source) ?? this.#target);
  }
}

function parsedHeader(source: SipRequest | SipResponse, name: string, to: NameAddrHeader, contact: string): unknown {
  switch (name.toLowerCase()) {
    case 'contact':
      return nameAddr(contact, '');
    case 'to':
      return to;
    case 'content-type':
      return source.body.length > 0 ? SDP : undefined;
    default:
      return undefined;
  }
}
