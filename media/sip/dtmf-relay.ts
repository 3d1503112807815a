import type { SipMessage } from './message/message';

/** A digit and its duration; what is longer tells something else. */
const MAX_BODY_BYTES = 256;

/** Digit of an INFO with `application/dtmf-relay` (`Signal=5`) or `application/dtmf` (`5`); null for anything else. */
export function parseDtmfRelay(message: SipMessage): string | null {
  if (message.body.length > MAX_BODY_BYTES) return null;
  const body = message.body.toString('latin1');
  switch (message.contentType) {
    case 'application/dtmf-relay':
      return digit(/^[ \t]*Signal[ \t]*=[ \t]*([^\s;]+)/im.exec(body)?.[1]);
    case 'application/dtmf':
      return digit(body.trim());
    default:
      return null;
  }
}

/** Signals are written as digits or as their event number (RFC 4733 §3.2: 10 is *, 11 is #). */
function digit(signal: string | undefined): string | null {
  if (signal === undefined) return null;
  if (signal === '10') return '*';
  if (signal === '11') return '#';
  const upper = signal.toUpperCase();
  return /^[0-9*#A-D]$/.test(upper) ? upper : null;
}
