import { targetName } from '../sip/edge/target-flow';
import { askOptions } from '../sip/options';
import { unresolved, verdictOf } from './ping-verdict';
import { isOwnLack, unreachableReason } from './unreachable-reason';

import type { OutboundTrunkProfile } from '../../contract/directory';
import type { ResolvedTarget } from '../sip/edge/resolver';
import type { OutOfDialog } from '../sip/out-of-dialog';
import type { AddressPing, PingVerdict } from './ping-verdict';

/** Five OPTIONS over UDP: with a fifth of all packets lost each way one ping of 170 goes without an answer. */
const TIMEOUT_MS = 8_000;
const MAX_TARGETS = 8;

/**
 * OPTIONS (RFC 3261 §11) to every address that a call over the trunk may go to, without credentials: a challenge is an
 * answer. @param watched see `flowToTarget`. Never rejects
 */
export async function pingTrunk(
  outOfDialog: OutOfDialog,
  trunk: OutboundTrunkProfile,
  { watched }: { readonly watched: boolean },
): Promise<PingVerdict> {
  let targets: readonly ResolvedTarget[];
  try {
    targets = await outOfDialog.resolve(trunk);
  } catch (error) {
    return unresolved(unreachableReason(error, null));
  }
  if (targets.length === 0) {
    return unresolved({ code: 'host_not_found', message: `${trunk.host}: the host has no address` });
  }
  const ping = (target: ResolvedTarget): Promise<AddressPing> => pingAddress(outOfDialog, trunk, target, watched);
  return verdictOf(await Promise.all(targets.slice(0, MAX_TARGETS).map(ping)));
}

async function pingAddress(
  outOfDialog: OutOfDialog,
  trunk: OutboundTrunkProfile,
  resolved: ResolvedTarget,
  watched: boolean,
): Promise<AddressPing> {
  const result = await askOptions(outOfDialog, {
    target: resolved,
    server: trunk,
    fromUser: trunk.username,
    credentials: null,
    timeoutMs: TIMEOUT_MS,
    watched,
  });
  const target = targetName(resolved);
  if (result.kind === 'silent') return { kind: 'silent', target };
  if (result.kind === 'unreachable') {
    const { error } = result;
    return { kind: 'unreachable', reason: unreachableReason(error, target), ownLack: isOwnLack(error) };
  }
  const { response, rttMs } = result;
  const retryAfter = /^\s*(\d{1,9})/.exec(response.first('retry-after') ?? '')?.[1];
  const retryAfterSeconds = retryAfter === undefined ? null : Number(retryAfter);
  return { kind: 'answered', target, status: response.status, rttMs: Math.round(rttMs), retryAfterSeconds };
}
