import { decodeWireText } from '../message/message';
import { reasonPhrase } from '../message/reason-phrases';

/** How far the call that was asked for has come: the status line of its last answer (RFC 3515 §2.4.5). */
export interface SipfragStatus {
  readonly status: number;
  readonly reason: string;
}

export const SIPFRAG_TYPE = 'message/sipfrag;version=2.0';

/** What may be read of a body; more than its first line is nobody's business. */
const MAX_BYTES = 512;
const MAX_REASON = 128;
const STATUS_LINE = /^\s*SIP\/\d\.\d[ \t]+([1-6]\d\d)(?!\d)([^\r\n]*)/i;

/** The first line of a message/sipfrag (RFC 3420), whatever follows it. Null when that is no status line. */
export function parseSipfrag(body: Buffer): SipfragStatus | null {
  const line = STATUS_LINE.exec(body.toString('latin1', 0, MAX_BYTES));
  if (line === null) return null;
  return { status: Number(line[1]), reason: decodeWireText(line[2]!.trim()).slice(0, MAX_REASON) };
}

export function formatSipfrag({ status, reason }: SipfragStatus): string {
  const phrase = reason
    .replace(/[^\x20-\x7e\x80-\uffff]+/g, ' ')
    .trim()
    .slice(0, MAX_REASON);
  return `SIP/2.0 ${status} ${phrase === '' ? reasonPhrase(status) : phrase}\r\n`;
}
