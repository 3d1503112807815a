import { parseParameters, quote } from './message/parameters';
import { decodeWireText, encodeWireText } from './message/message';

import type { SipMessage } from './message/message';

/** A value of the Reason header (RFC 3326). */
export interface ReasonHeader {
  readonly protocol: 'SIP' | 'Q.850';
  readonly cause: number;
  readonly text: string;
}

/** As some gateways write it. */
const WITHOUT_DOT = /^Q850$/;

/** The header as a complete line. */
export function reasonLine(reason: ReasonHeader): string {
  return `Reason: ${reasonValue(reason)}`;
}

export function reasonValue({ protocol, cause, text }: ReasonHeader): string {
  return `${protocol};cause=${cause};text=${quote(encodeWireText(text))}`;
}

/** The first Reason that can be read, Q.850 before SIP since it says more. */
export function parseReason(message: SipMessage): ReasonHeader | null {
  const reasons = message.list('reason').map(parseValue);
  return reasons.find((reason) => reason?.protocol === 'Q.850') ?? reasons.find((reason) => reason !== null) ?? null;
}

export function q850Cause(message: SipMessage): number | null {
  const reason = parseReason(message);
  return reason?.protocol === 'Q.850' ? reason.cause : null;
}

function parseValue(value: string): ReasonHeader | null {
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return null;
  const name = value.slice(0, semicolon).trim().toUpperCase().replace(WITHOUT_DOT, 'Q.850');
  const params = parseParameters(value.slice(semicolon + 1));
  const cause = params.get('cause') ?? '';
  if ((name !== 'SIP' && name !== 'Q.850') || !/^\d{1,3}$/.test(cause)) return null;
  return { protocol: name, cause: Number(cause), text: decodeWireText(params.get('text') ?? '') };
}
