import { reasonPhrase } from './reason-phrases';

import type { SipRequest } from './message';

export interface ResponseOptions {
  readonly reason?: string;
  /** Added to To when the request had none and the status is not 100. */
  readonly toTag?: string;
  /** Complete lines without CRLF, e.g. `Contact: <sip:…>`. */
  readonly headers?: readonly string[];
  readonly body?: { readonly content: string; readonly contentType: string };
  /** Value of the Server header. */
  readonly server?: string;
}

/**
 * Answer to a request as latin1 text, one character per byte: Via, From, To, Call-ID and CSeq are copied from it
 * (RFC 3261 §8.2.6.2), as far as it had them.
 */
export function buildResponse(request: SipRequest, status: number, options: ResponseOptions = {}): string {
  let text = `SIP/2.0 ${status} ${oneLine(options.reason ?? reasonPhrase(status))}\r\n`;
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
  if (options.body === undefined) return `${text}Content-Length: 0\r\n\r\n`;
  const content = Buffer.from(options.body.content, 'utf8');
  return `${text}Content-Type: ${options.body.contentType}\r\nContent-Length: ${content.length}\r\n\r\n${content.toString('latin1')}`;
}

/** A header value can never begin a line of its own. */
export function oneLine(text: string): string {
  return /[\r\n\0]/.test(text) ? text.replace(/[\r\n\0]+/g, ' ') : text;
}
