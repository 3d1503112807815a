import { parseParameters } from '../message/parameters';

/** What a NOTIFY is about (RFC 6665 §8.2.1). */
export interface EventHeader {
  /** Lower case. */
  readonly name: string;
  /** Of a REFER its CSeq number (RFC 3515 §2.4.6); null without, NaN when it is none. */
  readonly id: number | null;
}

/** RFC 6665 §8.2.3. */
export interface SubscriptionState {
  readonly over: boolean;
  /** Why it is over; empty without. */
  readonly reason: string;
}

export const REFER_EVENT = 'refer';

const MAX_REASON = 64;
/** More is not read. */
const MAX_LENGTH = 512;

/** Null without one. */
export function parseEvent(value: string | undefined): EventHeader | null {
  const { head, params } = valueAndParameters(value ?? '');
  if (head === '') return null;
  const id = params.get('id');
  if (id === undefined) return { name: head, id: null };
  return { name: head, id: /^\d{1,10}$/.test(id ?? '') ? Number(id) : Number.NaN };
}

/** A subscription whose state is not told goes on. */
export function parseSubscriptionState(value: string | undefined): SubscriptionState {
  const { head, params } = valueAndParameters(value ?? '');
  return { over: head === 'terminated', reason: (params.get('reason') ?? '').slice(0, MAX_REASON) };
}

function valueAndParameters(text: string): {
  readonly head: string;
  readonly params: ReadonlyMap<string, string | null>;
} {
  const value = text.slice(0, MAX_LENGTH);
  const semicolon = value.indexOf(';');
  const head = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  return { head, params: parseParameters(semicolon < 0 ? '' : value.slice(semicolon + 1)) };
}
