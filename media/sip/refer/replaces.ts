import { splitOutsideQuotes } from '../message/parameters';

/** A dialog that another one takes the place of, as its receiver names it (RFC 3891 §6.1). */
export interface ReplacesHeader {
  readonly sipCallId: string;
  /** Local tag of whoever receives it. */
  readonly toTag: string;
  readonly fromTag: string;
  /** Only while nobody has answered. */
  readonly earlyOnly: boolean;
}

const MAX_LENGTH = 1_024;
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const CALL_ID = /^[^\s;,@]+(?:@[^\s;,@]+)?$/;
const CONTROL = /[\0-\x20\x7f]/;

/** Null when it is malformed: there is exactly one tag of either side (RFC 3891 §6.1). */
export function parseReplaces(value: string): ReplacesHeader | null {
  const semicolon = value.indexOf(';');
  if (semicolon < 0 || value.length > MAX_LENGTH) return null;
  const sipCallId = value.slice(0, semicolon).trim();
  if (!CALL_ID.test(sipCallId) || CONTROL.test(sipCallId)) return null;
  const seen = new Map<string, string>();
  for (const part of splitOutsideQuotes(value.slice(semicolon + 1), ';')) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (seen.has(name)) return null;
    seen.set(name, equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  const toTag = seen.get('to-tag') ?? '';
  const fromTag = seen.get('from-tag') ?? '';
  if (!TOKEN.test(toTag) || !TOKEN.test(fromTag)) return null;
  return { sipCallId, toTag, fromTag, earlyOnly: seen.has('early-only') };
}

export function formatReplaces({ sipCallId, toTag, fromTag, earlyOnly }: ReplacesHeader): string {
  return `${sipCallId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ';early-only' : ''}`;
}
