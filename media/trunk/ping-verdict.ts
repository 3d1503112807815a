import { reasonPhrase } from '../sip/message/reason-phrases';

import type { TrunkHealthReason } from '../../contract/trunk-health';

/** What became of the OPTIONS to one address of a trunk. */
export type AddressPing =
  | {
      readonly kind: 'answered';
      readonly target: string;
      readonly status: number;
      readonly rttMs: number;
      readonly retryAfterSeconds: number | null;
    }
  | { readonly kind: 'silent'; readonly target: string }
  /** An address, or the name of a host that has none. `ownLack`: see `isOwnLack`. */
  | { readonly kind: 'unreachable'; readonly reason: TrunkHealthReason; readonly ownLack: boolean };

/**
 * - `good`: every address answers.
 * - `impaired`: somebody is there, and calls may fail nevertheless.
 * - `bad`: nobody is there.
 */
export interface PingVerdict {
  readonly kind: 'good' | 'impaired' | 'bad';
  readonly reasons: readonly TrunkHealthReason[];
  /** Of the fastest answer; null without one. */
  readonly rttMs: number | null;
  /** The longest that an address asks us to stay away. */
  readonly retryAfterSeconds: number | null;
}

/** A proxy's word that what is behind it does not answer: as good as no answer. */
const AS_SILENT: ReadonlySet<number> = new Set([408, 504]);
/** It is there, and takes no calls. */
const OUT_OF_SERVICE: ReadonlySet<number> = new Set([502, 503]);
/** More say nothing more to people. */
const MAX_REASONS = 5;

/**
 * Whatever else a carrier answers OPTIONS with, it is there: 404 (no such user), 405 and 501 (no such method), 401, 403 and
 * 407 say nothing about calls (RFC 3261 §11 leaves OPTIONS to be answered as an INVITE would be, and few do that).
 */
export function verdictOf(pings: readonly AddressPing[]): PingVerdict {
  const others = pings.filter((ping) => ping.kind !== 'unreachable' || !ping.ownLack);
  const counted = others.length > 0 ? others : pings;
  const troubles = counted.flatMap((ping) => troubleOf(ping) ?? []);
  const answers = counted.filter((ping) => ping.kind === 'answered');
  const there = answers.filter(({ status }) => !AS_SILENT.has(status));
  const waits = answers.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
  return {
    kind: there.length === 0 ? 'bad' : troubles.length === 0 ? 'good' : 'impaired',
    reasons: troubles.slice(0, MAX_REASONS),
    rttMs: answers.length === 0 ? null : Math.min(...answers.map(({ rttMs }) => rttMs)),
    retryAfterSeconds: waits.length === 0 ? null : Math.max(...waits),
  };
}

function troubleOf(ping: AddressPing): TrunkHealthReason | null {
  if (ping.kind === 'unreachable') return ping.reason;
  const { target } = ping;
  if (ping.kind === 'silent') return { code: 'no_answer', message: `${target}: no answer to OPTIONS` };
  const { status, retryAfterSeconds } = ping;
  if (AS_SILENT.has(status)) {
    return { code: 'no_answer', message: `${target}: ${status} ${reasonPhrase(status)}: nothing behind it answers` };
  }
  if (!OUT_OF_SERVICE.has(status)) return null;
  const wait = retryAfterSeconds === null ? '' : `, for ${retryAfterSeconds} s`;
  return { code: 'unavailable', message: `${target}: out of service (${status} ${reasonPhrase(status)})${wait}` };
}
