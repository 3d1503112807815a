import { encodeWireText } from './message';
import { reasonPhrase } from './reason-phrases';

import type { SipRequest } from './message';
import type { SipTransport } from '../peer';
import type { Via } from './via';

interface OutgoingBody {
  readonly content: string;
  readonly contentType: string;
}

/** All that a request of ours is made of but the transport that its Via names, which its way decides. */
export interface RequestParts {
  readonly method: string;
  readonly requestUri: string;
  /** Values of Route, in order. */
  readonly routes: readonly string[];
  /** URI whose host the request goes to. */
  readonly hop: string;
  /** Host and port of Via. */
  readonly sentBy: string;
  readonly branch: string;
  readonly to: string;
  readonly from: string;
  readonly callId: string;
  readonly cseq: number;
  /** Complete lines without CRLF. */
  readonly headers: readonly string[];
  /** Complete lines with credentials: not for everybody's eyes. */
  readonly credentials: readonly string[];
  /** Value of User-Agent. */
  readonly product?: string | undefined;
  readonly body?: OutgoingBody | undefined;
}

export interface ResponseOptions {
  readonly reason?: string;
  /** Added to To when the request had none and the status is not 100. */
  readonly toTag?: string;
  /** Complete lines without CRLF, e.g. `Contact: <sip:…>`. */
  readonly headers?: readonly string[];
  readonly body?: OutgoingBody;
  /** Value of the Server header. */
  readonly server?: string;
}

/** An answer of ours: its bytes, and what they say to those who send, count and tell of it. */
export interface OutgoingResponse {
  readonly status: number;
  readonly reason: string;
  /** Method of the request, as in CSeq. */
  readonly method: string;
  readonly cseq: string;
  /** Topmost Via of the request: where the answer goes. */
  readonly via: Via | null;
  readonly bytes: Buffer;
}

const MAX_FORWARDS = 70;

/**
/**
 * Texts hold one character per byte (latin1), bodies are UTF-8. Here everything that comes from a user or a peer becomes
 * part of one line, so that no text of theirs is ever a header or a message of its own.
 * @param toTrunk whether it goes to whom the credentials are for; else they are left out
 */
export function serialiseRequest(request: RequestParts, transport: SipTransport, toTrunk: boolean): Buffer {
  const { method, sentBy, branch, product } = request;
  let text = `${method} ${oneWord(request.requestUri)} SIP/2.0\r\n`;
  for (const route of request.routes) text += `Route: ${oneLine(route)}\r\n`;
  text += `Via: SIP/2.0/${transport.toUpperCase()} ${oneWord(sentBy)};branch=${branch};rport\r\n`;
  text += `To: ${oneLine(request.to)}\r\nFrom: ${oneLine(request.from)}\r\n`;
  text += `CSeq: ${request.cseq} ${method}\r\nCall-ID: ${oneLine(request.callId)}\r\nMax-Forwards: ${MAX_FORWARDS}\r\n`;
  for (const line of request.headers) text += `${oneLine(line)}\r\n`;
  if (toTrunk) for (const line of request.credentials) text += `${oneLine(line)}\r\n`;
  if (product !== undefined) text += `User-Agent: ${oneLine(product)}\r\n`;
  return withBody(text, request.body);
}

/**
 * Answer to a request: Via, From, To, Call-ID and CSeq are copied from it byte for byte (RFC 3261 §8.2.6.2), as far as
 * it had them.
 */
export function buildResponse(request: SipRequest, status: number, options: ResponseOptions = {}): OutgoingResponse {
  const reason = oneLine(options.reason ?? reasonPhrase(status));
  let text = `SIP/2.0 ${status} ${reason}\r\n`;
  for (const via of request.lines('via')) text += `Via: ${oneLine(via)}\r\n`;
  const from = request.first('from');
  if (from !== undefined) text += `From: ${oneLine(from)}\r\n`;
  const to = request.first('to');
  if (to !== undefined) {
    const tag = status > 100 && options.toTag !== undefined && request.toTag === '' ? `;tag=${options.toTag}` : '';
    text += `To: ${oneLine(to)}${tag}\r\n`;
  }
  const callId = request.first('call-id');
  if (callId !== undefined) text += `Call-ID: ${oneLine(callId)}\r\n`;
  const cseq = request.first('cseq');
  if (cseq !== undefined) text += `CSeq: ${oneLine(cseq)}\r\n`;
  // RFC 3261 §8.2.6.1: a Timestamp is given back in the 100.
  const timestamp = status === 100 ? request.first('timestamp') : undefined;
  if (timestamp !== undefined) text += `Timestamp: ${oneLine(timestamp)}\r\n`;
  if (options.server !== undefined) text += `Server: ${oneLine(options.server)}\r\n`;
  if (options.headers !== undefined) for (const line of options.headers) text += `${oneLine(line)}\r\n`;
  const bytes = withBody(text, options.body);
  return { status, reason, method: request.method, cseq: cseq ?? '', via: request.topVia, bytes };
}

function withBody(head: string, body: OutgoingBody | undefined): Buffer {
  if (body === undefined) return Buffer.from(`${head}Content-Length: 0\r\n\r\n`, 'latin1');
  const content = encodeWireText(body.content);
  const type = `Content-Type: ${oneLine(body.contentType)}\r\nContent-Length: ${content.length}`;
  return Buffer.from(`${head}${type}\r\n\r\n${content}`, 'latin1');
}

/** What may stand in a line: no control character, and of characters those that are one byte. */
const NOT_IN_LINE = /[^\t\x20-\x7e\x80-\xff]/;
const NOT_IN_WORD = /[^\x21-\x7e]/;

/**
 * A header value never begins a line of its own, whatever is in it. A character that is no byte is written as UTF-8: its
 * low byte alone would be another one, and that of U+010A is a line feed.
 */
export function oneLine(text: string): string {
  if (!NOT_IN_LINE.test(text)) return text;
  return text.replace(/[^\t\x20-\x7e\x80-\uffff]+/g, ' ').replace(/[^\0-\xff]+/g, encodeWireText);
}

/** The same for what has no space in it, such as a URI: escaped as RFC 3261 §25.1 has it, so that it stays one word. */
function oneWord(text: string): string {
  if (!NOT_IN_WORD.test(text)) return text;
  const bytes = Buffer.from(text.replace(/[^\0-\xff]+/g, encodeWireText), 'latin1');
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return NOT_IN_WORD.test(character) ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : character;
  }).join('');
}
