/** A REFER of ours (RFC 3515): what it asks for, and what its outcome means for the caller. */
import type { LegDial } from '../../../contract/transfers';
import { parseUri, uriHost } from '../../sip/message/uri';
import type { ReferOutcome, ReferRequest } from '../../sip/refer/sent-refer';
import { dispositionOf } from '../disposition';
import type { Leg } from '../leg/leg';
import type { LegFailure } from './far-leg';
import { identityHeaders } from './leg-invite';

/** Whoever talks to somebody else hangs up on us; this long it may take. */
export const BYE_AFTER_MS = 2_000;

/** A number is one of the peer's own, to whom it is left how it gets there. Null where the peer cannot be named. */
export function referRequest(dial: LegDial, dialog: NonNullable<Leg['dialog']>): ReferRequest | null {
  const referTo = dial.target.type === 'sip' ? dial.target.uri : numberAt(dial.target.number, dialog.remoteTarget);
  if (referTo === null) return null;
  return { referTo, referredBy: dialog.localUri === '' ? null : dialog.localUri, headers: identityHeaders(dial) };
}

function numberAt(number: string, remoteTarget: string): string | null {
  const uri = parseUri(remoteTarget);
  if (uri === null || uri.host === '') return null;
  return `sip:${number}@${uriHost(uri.host)}${uri.port === null ? '' : `:${uri.port}`};user=phone`;
}

/**
 * `referred`: the two are talking, as far as the peer tells. `failed`: they are not; `mayTryAgain` where nobody has been
 * reached who has had a say. `over`: the call ended first.
 */
type Referral =
  | { readonly kind: 'referred'; readonly assumed: boolean }
  | { readonly kind: 'failed'; readonly failure: LegFailure; readonly mayTryAgain: boolean }
  | { readonly kind: 'over' };

/** Who has busied or declined out, everywhere: calling again would be for nothing. */
const FINAL_WORDS: readonly number[] = [486, 600, 603];

export function referralOf(outcome: ReferOutcome): Referral {
  switch (outcome.kind) {
    case 'bye':
      return { kind: 'referred', assumed: true };
    case 'dialog_over':
      return { kind: 'over' };
    case 'refused':
      return { kind: 'failed', failure: failureOf(outcome.status), mayTryAgain: true };
    case 'transport_error':
      return { kind: 'failed', failure: { outcome: 'trunk_unreachable', sipStatus: null }, mayTryAgain: true };
    case 'accepted':
      break;
    case 'terminated':
    case 'expired':
    case 'timeout':
      return UNKNOWN;
  }
  const { final } = outcome;
  if (final === null) return UNKNOWN;
  if (final.status < 300) return { kind: 'referred', assumed: false };
  return { kind: 'failed', failure: failureOf(final.status), mayTryAgain: !FINAL_WORDS.includes(final.status) };
}

/** Somebody may be ringing: nobody else is called, and the caller is not left alone. */
const UNKNOWN: Referral = {
  kind: 'failed',
  failure: { outcome: 'unknown', sipStatus: null },
  mayTryAgain: false,
};

function failureOf(status: number): LegFailure {
  const answer = {
    kind: 'status',
    status,
    reason: '',
    q850: null,
    provisional: null,
    retryAfterSeconds: null,
  } as const;
  return { outcome: dispositionOf(answer, null), sipStatus: status };
}
