/** From a request to a leg that a supervisor may be called by. Every refusal of the request is here. */
import type { LegDial, LegTarget } from '../../contract/transfers';
import type { Call as CallRow } from '../../store/entities/call';
import { uuidV7 } from '../../store/ids';
import type { CallSuperviseRequest } from '../schemas/supervise';
import { transferTarget } from '../transfer-target';
import { trunkFor } from './transfer-plan';
import type { TransferPlanDeps } from './transfer-plan';

const SIP = /^sips?:/i;

/** Throws `ApiError`: whom a caller may not be handed over to may not listen in either. */
export async function planSupervisor(
  deps: TransferPlanDeps,
  call: CallRow,
  { destination, ring_timeout_seconds: ringTimeoutSeconds }: CallSuperviseRequest,
): Promise<LegDial> {
  const rules = { path: 'destination', allowPrivateTargets: deps.allowPrivateTargets };
  const target: LegTarget = SIP.test(destination)
    ? { type: 'sip', uri: transferTarget('sip', destination, rules) }
    : { type: 'phone', number: transferTarget('phone', destination, rules) };
  const { sessionId, agentId, contactId } = call;
  return {
    legId: uuidV7(),
    target,
    name: null,
    trunkId: await trunkFor(deps, call, target, ['bridge']),
    ringTimeoutSeconds,
    sessionId,
    agentId,
    contactId,
  };
}
