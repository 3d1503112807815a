import { targetName } from '../sip/edge/target-flow';
import { askOptions } from '../sip/options';
import { verdictOf } from './ping-verdict';
import { isOwnLack, unreachableReason } from './unreachable-reason';

import type { OutboundTrunkProfile } from '../../contract/directory';
import type { ResolvedTarget } from '../sip/edge/resolver';
import type { OutOfDialog, TargetOfTrunk } from '../sip/out-of-dialog';
import type { AddressPing, PingVerdict } from './ping-verdict';

/** Five OPTIONS over UDP: with a fifth of all packets lost each way one ping of 170 goes without an answer. */
const TIMEOUT_MS = 8_000;
/** Of one host. */
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
  const { gateways = [] } = trunk;
  const hosts = gateways.length === 0 ? [trunk] : gateways;
  const ping = (host: TargetOfTrunk): Promise<readonly AddressPing[]> => pingHost(outOfDialog, trunk, host, watched);
  return verdictOf((await Promise.all(hosts.map(ping))).flat());
}

async function pingHost(
  outOfDialog: OutOfDialog,
  trunk: OutboundTrunkProfile,
  host: TargetOfTrunk,
  watched: boolean,
): Promise<readonly AddressPing[]> {
  let targets: readonly ResolvedTarget[];
  try {
    targets = await outOfDialog.resolve(host);
  } catch (error) {
    return [{ kind: 'unreachable', reason: unreachableReason(error, null), ownLack: false }];
  }
  if (targets.length === 0) {
    const reason = { code: 'host_not_found', message: `${host.host}: the host has no address` } as const;
    return [{ kind: 'unreachable', reason, ownLack: false }];
  }
  const ping = (target: ResolvedTarget): Promise<AddressPing> => pingAddress(outOfDialog, trunk, host, target, watched);
  return Promise.all(targets.slice(0, MAX_TARGETS).map(ping));
}

async function pingAddress(
  outOfDialog: OutOfDialog,
  trunk: OutboundTrunkProfile,
  host: TargetOfTrunk,
  resolved: ResolvedTarget,
  watched: boolean,
): Promise<AddressPing> {
  const result = await askOptions(outOfDialog, {
    target: resolved,
    server: host,
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
