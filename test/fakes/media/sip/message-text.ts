import { parseMessage } from '../../../../media/sip/message/parser';

import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';

/** A request with these header lines, as our parser reads it. */
export function requestOf(method: string, headers: readonly string[], body = ''): SipRequest {
  return parsed(`${method} sip:us@192.0.2.1 SIP/2.0`, [`CSeq: 7 ${method}`, ...headers], body) as SipRequest;
}

export function responseOf(status: number, headers: readonly string[] = []): SipResponse {
  return parsed(`SIP/2.0 ${status} Test`, headers, '') as SipResponse;
}

function parsed(startLine: string, headers: readonly string[], body: string): SipRequest | SipResponse {
  const lines = [startLine, ...headers, `Content-Length: ${Buffer.byteLength(body)}`, '', body];
  return parseMessage(Buffer.from(lines.join('\r\n'), 'utf8'));
}
