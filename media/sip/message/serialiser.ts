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
 * Texts hold one character per byte (latin1), bodies are UTF-8.
 * @param toTrunk whether it goes to whom the credentials are for; else they are left out
 */
export function serialiseRequest(request: RequestParts, transport: SipTransport, toTrunk: boolean): Buffer {
  const { method, sentBy, branch, product } = request;
  let text = `${method} ${request.requestUri} SIP/2.0\r\n`;
  for (const route of request.routes) text += `Route: ${route}\r\n`;
  text += `Via: SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=${branch};rport\r\n`;
  text += `To: ${request.to}\r\nFrom: ${request.from}\r\n`;
  text += `CSeq: ${request.cseq} ${method}\r\nCall-ID: ${request.callId}\r\nMax-Forwards: ${MAX_FORWARDS}\r\n`;
  for (const line of request.headers) text += `${oneLine(line)}\r\n`;
  if (toTrunk) for (const line of request.credentials) text += `${line}\r\n`;
  if (product !== undefined) text += `User-Agent: ${product}\r\n`;
  return withBody(text, request.body);
}

/**
 * Answer to a request: Via, From, To, Call-ID and CSeq are copied from it byte for byte (RFC 3261 §8.2.6.2), as far as
 * it had them.
 */
export function buildResponse(request: SipRequest, status: number, options: ResponseOptions = {}): OutgoingResponse {
  const reason = oneLine(options.reason ?? reasonPhrase(status));
  let text = `SIP/2.0 ${status} ${reason}\r\n`;
  for (const via of request.lines('via')) text += `Via: ${via}\r\n`;
  const from = request.first('from');
  if (from !== undefined) text += `From: ${from}\r\n`;
  const to = request.first('to');
  if (to !== undefined) {
    const tag = status > 100 && options.toTag !== undefined && request.toTag === '' ? `;tag=${options.toTag}` : '';
    text += `To: ${to}${tag}\r\n`;
  }
  const callId = request.first('call-id');
  if (callId !== undefined) text += `Call-ID: ${callId}\r\n`;
  const cseq = request.first('cseq');
  if (cseq !== undefined) text += `CSeq: ${cseq}\r\n`;
  // RFC 3261 §8.2.6.1: a Timestamp is given back in the 100.
  const timestamp = status === 100 ? request.first('timestamp') : undefined;
  if (timestamp !== undefined) text += `Timestamp: ${timestamp}\r\n`;
  if (options.server !== undefined) text += `Server: ${options.server}\r\n`;
  if (options.headers !== undefined) for (const line of options.headers) text += `${oneLine(line)}\r\n`;
  const bytes = withBody(text, options.body);
  return { status, reason, method: request.method, cseq: cseq ?? '', via: request.topVia, bytes };
}

function withBody(head: string, body: OutgoingBody | undefined): Buffer {
  if (body === undefined) return Buffer.from(`${head}Content-Length: 0\r\n\r\n`, 'latin1');
  const content = encodeWireText(body.content);
  const type = `Content-Type: ${body.contentType}\r\nContent-Length: ${content.length}`;
  return Buffer.from(`${head}${type}\r\n\r\n${content}`, 'latin1');
}

/** A header value can never begin a line of its own. */
export function oneLine(text: string): string {
  return /[\r\n\0]/.test(text) ? text.replace(/[\r\n\0]+/g, ' ') : text;
}
