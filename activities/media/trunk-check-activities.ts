import { Context } from '@temporalio/activity';
import type { MediaControl } from '../../contract/commands';
import type { CheckedCall } from '../../contract/trunk-check';
import { withDeadline } from '../../ops/deadline';
import type { Logger } from '../../ops/logger';
import { attemptIdOf } from '../../store/ids';
import type { CallRepository } from '../../store/repositories/call-repository';
import { openCheck, sealCheck } from '../../store/sealed-check';
import type { SealedCheckRequest } from '../../store/sealed-check';
import type { SecretBox } from '../../store/secrets';
import type { TrunkCheckActivities } from '../../workflows/trunk-check/activities';
import type { TrunkCheckInput } from '../../workflows/trunk-check/messages';

/** For the record of a test call; what is late is written all the same. */
const RECORD_WAIT_MS = 1_000;
const HEARTBEAT_MS = 1_000;

export interface TrunkCheckActivityDeps {
  readonly control: Pick<MediaControl, 'nodeId' | 'bootId' | 'checkOutboundTrunk' | 'checkInboundTrunk'>;
  readonly calls: Pick<CallRepository, 'insertCall' | 'finaliseCall'>;
  readonly secrets: SecretBox;
  readonly logger: Logger;
}

/** What a media node runs for the checks of trunks. Both tell what was found, sealed; neither ever shows a password. */
export function createTrunkCheckActivities(deps: TrunkCheckActivityDeps): TrunkCheckActivities {
  const { control, secrets } = deps;
  const { nodeId } = control;
  return {
    async checkOutboundTrunk(input) {
      // A node that stood still must not call somebody whom nobody asks for any more.
      if (Date.now() > input.beginByMs) return 'too_late';
      const request = requestOf(deps, input);
      if (request === null) return 'unreadable';
      const { orgId, trunkId, checkId } = input;
      const sipCallId = attemptIdOf(checkId, 1);
      const { testNumber, keptRegistration = null } = request;
      const check = { orgId, trunkId, testNumber, sipCallId, keptRegistration };
      const report = await beating(control.checkOutboundTrunk(check));
      if (report === null) return 'unknown_trunk';
      if (report.call !== null) await recorded(deps, input, report.call);
      return { nodeId, sealed: sealCheck(secrets, input, report) };
    },

    async checkInboundTrunk(input) {
      if (Date.now() > input.beginByMs) return 'too_late';
      const request = requestOf(deps, input);
      if (request === null) return 'unreadable';
      const { username, sipEndpoint } = request;
      const findings = await control.checkInboundTrunk({ trunkId: input.trunkId, username, sipEndpoint });
      return { nodeId, sealed: sealCheck(secrets, input, findings) };
    },
  };
}

/** As long as the node lives, its workflow hears of it. */
async function beating<T>(work: Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

function requestOf({ secrets, logger }: TrunkCheckActivityDeps, input: TrunkCheckInput): SealedCheckRequest | null {
  try {
    return openCheck<SealedCheckRequest>(secrets, input, input.sealed);
  } catch (error) {
    const { trunkId } = input;
    logger.error({ trunkId, reason: (error as Error).name }, 'a check of a trunk does not open with this SECRETS_KEY');
    return null;
  }
}

/** The test call among the organisation's calls: without an agent, and ended. That it was asked for is in the audit log. */
async function recorded(deps: TrunkCheckActivityDeps, input: TrunkCheckInput, call: CheckedCall): Promise<void> {
  const written = record(deps, input, call);
  written.catch((error: unknown) => {
    deps.logger.error({ err: error, callId: input.checkId }, 'test call of a trunk was not recorded');
  });
  await withDeadline(written, RECORD_WAIT_MS).catch(() => undefined);
}

async function record(
  { calls, control }: TrunkCheckActivityDeps,
  { checkId: callId, orgId, trunkId }: TrunkCheckInput,
  call: CheckedCall,
): Promise<void> {
  const { from, to, sipCallId, disposition, endReason, endedBy, finalStatus, reason, q850 } = call;
  await calls.insertCall({
    id: callId,
    orgId,
    agentId: null,
    trunkId,
    sessionId: callId,
    direction: 'outbound',
    from,
    to,
    status: 'dialing',
    createdAtMs: call.startedAtMs,
    nodeId: control.nodeId,
    bootId: control.bootId,
    sipCallId,
    metadata: { trunk_check: true },
  });
  await calls.finaliseCall({
    callId,
    ending: { disposition, endReason, endedBy, sip: { sipCallId, finalStatus, reason, q850 } },
    endedAtMs: call.endedAtMs,
    answeredAtMs: call.answeredAtMs,
    metrics: null,
    truncated: false,
  });
}
