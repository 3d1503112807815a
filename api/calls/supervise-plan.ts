/** From a request to a leg that a supervisor may be called by. Every refusal of the request is here. */
import type { LegDial, LegTarget } from '../../contract/transfers';
import type { Call as CallRow } from '../../store/entities/call';
import { trunkFor } from '../../store/dialling/transfer-plan';
import type { TransferPlanDeps } from '../../store/dialling/transfer-plan';
import { transferTarget } from '../../store/dialling/transfer-target';
import { uuidV7 } from '../../store/ids';
import type { CallSuperviseRequest } from '../schemas/supervise';

const SIP = /^sips?:/i;

/** Throws `PlanRefusal`: whom a caller may not be handed over to may not listen in either. */
export async function planSupervisor(
  deps: TransferPlanDeps,
  call: CallRow,
  { destination, ring_timeout_seconds: ringTimeoutSeconds }: CallSuperviseRequest,
): Promise<LegDial> {
  const rules = { path: 'destination', mayReach: deps.mayReach };
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
