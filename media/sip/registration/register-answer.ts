import { parseAddress } from '../message/address';
import { reasonPhrase } from '../message/reason-phrases';
import { parseUri } from '../message/uri';

import type { SipAddress } from '../message/address';
import type { SipResponse } from '../message/message';

/** What a final answer to a REGISTER means. Reasons are in our own words: a peer's text may hold anything. */
export type RegisterVerdict =
  | { readonly kind: 'registered'; readonly seconds: number }
  /** 423: once more, for at least so long (RFC 3261 §10.2.8). */
  | { readonly kind: 'too_brief'; readonly minimumSeconds: number }
  /** It does not want us as we are. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It cannot now. `elsewhere`: another address of the carrier may (RFC 3263 §4.3). */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly retryAfterSeconds: number | null;
      readonly elsewhere: boolean;
    };

/** Longer than any registrar means. */
const MAX_SECONDS = 24 * 3600;
/** Of 4xx, what says nothing against us. */
const PASSING: ReadonlySet<number> = new Set([408, 423, 429, 480, 486, 491]);
/** Of 5xx, what does. */
const LASTING: ReadonlySet<number> = new Set([501, 505, 555]);

interface Asked {
  readonly seconds: number;
  /** Of our Contact, see `RegisteredLines`. */
  readonly line: string;
}

export function judgeRegister(response: SipResponse, asked: Asked): RegisterVerdict {
  const { status } = response;
  if (status < 300) {
    const seconds = grantedSeconds(response, asked);
    if (seconds > 0 || asked.seconds === 0) return { kind: 'registered', seconds };
    return failed('the carrier keeps the registration for no time at all');
  }
  if (status === 401 || status === 407) {
    return { kind: 'refused', reason: `the carrier does not accept user name and password (${status})` };
  }
  if (status === 423) {
    const minimum = wholeSeconds(response.first('min-expires'));
    if (minimum !== null && minimum > asked.seconds && minimum <= MAX_SECONDS) {
      return { kind: 'too_brief', minimumSeconds: minimum };
    }
  }
  const words = `the carrier answers REGISTER with ${status} ${reasonPhrase(status)}`;
  const lasting = status < 500 ? status >= 400 && !PASSING.has(status) : status >= 600 || LASTING.has(status);
  if (lasting) return { kind: 'refused', reason: words };
  return failed(words, wholeSeconds(response.first('retry-after')), status === 503);
}

/**
 * The registrar names every Contact of ours that it knows, with the time that each has left (RFC 3261 §10.2.4); some
 * change the Contact of who is behind a NAT, and some name none.
 */
function grantedSeconds(response: SipResponse, { seconds, line }: Asked): number {
  const contacts = response.list('contact').flatMap((value) => parseAddress(value) ?? []);
  const ours = contacts.find(({ uri }) => parseUri(uri)?.params.get('line') === line) ?? onlyOne(contacts);
  const granted = wholeSeconds(ours?.params.get('expires')) ?? wholeSeconds(response.first('expires')) ?? seconds;
  return Math.min(granted, MAX_SECONDS);
}

function onlyOne(contacts: readonly SipAddress[]): SipAddress | undefined {
  return contacts.length === 1 ? contacts[0] : undefined;
}

/** Retry-After may be followed by a comment and parameters (RFC 3261 §20.33). */
function wholeSeconds(value: string | null | undefined): number | null {
  const digits = /^\s*(\d{1,9})/.exec(value ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

function failed(reason: string, retryAfterSeconds: number | null = null, elsewhere = false): RegisterVerdict {
  return { kind: 'failed', reason, retryAfterSeconds, elsewhere };
}
