import { NameError } from '../sip/edge/name-error';
import { whyUnreachable } from '../sip/edge/resolver';

import type { TrunkHealthReason } from '../../contract/trunk-health';

type ReasonCode = TrunkHealthReason['code'];

const OF_NAMES: Readonly<Record<NameError['failure'], ReasonCode>> = {
  not_found: 'host_not_found',
  no_answer: 'name_server_silent',
  failed: 'name_server_failed',
};

const OF_ERRORS: Readonly<Record<string, ReasonCode>> = {
  ECONNREFUSED: 'connection_refused',
  ETIMEDOUT: 'connection_timed_out',
  EHOSTUNREACH: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  ConnectTimeout: 'connection_timed_out',
  PrivateTargetError: 'private_target',
};

/** Why a trunk, or one of its addresses, cannot be reached. @param target the address; null where it is the name itself */
export function unreachableReason(error: unknown, target: string | null): TrunkHealthReason {
  const words = whyUnreachable(error);
  const message = target === null ? words : `${target}: ${words}`;
  if (error instanceof NameError) return { code: OF_NAMES[error.failure], message };
  const { code = '', name = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return { code: OF_ERRORS[code] ?? OF_ERRORS[name] ?? 'transport_error', message };
}

/** The machine itself has no way there: of a host with IPv4 and IPv6 the other family may do. */
export function isOwnLack(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return /^(ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT)$/.test(code) || message.startsWith('no SIP listener');
}
