import type { SipMessage } from './message/message';

/** A digit and its duration; what is longer tells something else. */
const MAX_BODY_BYTES = 256;

const CONTENT_TYPES: ReadonlySet<string> = new Set(['application/dtmf-relay', 'application/dtmf']);
/** By their event numbers (RFC 4733 §3.2). */
const DIGITS = '0123456789*#ABCD';

const SIGNAL = /^[ \t]*Signal[ \t]*=[ \t]*("[^"\r\n]*"|[^\s;]+)/im;

/**
 * Digit of an INFO; null for anything else. No RFC tells the two types apart: phones put `Signal=5` (and a duration) or
 * the digit alone under either, and some put it in quotes.
 */
export function parseDtmfRelay(message: SipMessage): string | null {
  if (message.body.length > MAX_BODY_BYTES || !CONTENT_TYPES.has(message.contentType)) return null;
  const body = message.body.toString('latin1');
  const value = SIGNAL.exec(body)?.[1] ?? body.trim();
  const signal = value.replace(/^"([^"]*)"$/, '$1').trim();
  if (/^1[0-5]$/.test(signal)) return DIGITS.charAt(Number(signal));
  const upper = signal.toUpperCase();
  return upper.length === 1 && DIGITS.includes(upper) ? upper : null;
}
