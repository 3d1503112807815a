import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { MediaControl } from '../../media/control/contract';
import type { Logger } from '../../ops/logger';
import { StoreError } from '../../store/errors';
import { attemptIdOf } from '../../store/ids';
import type { AttemptRepository } from '../../store/repositories/attempt-repository';
import type { CallRepository } from '../../store/repositories/call-repository';
import type { SecretBox } from '../../store/secrets';
import { openDetails } from '../sealed-details';
import type { DialInput, DialOutcome, MediaActivities, NodeBoot } from './activity-types';
import type { NodeLifetime } from './node-lifetime';

/** No INVITE leaves later than this after its activity began (the workflow gives it up after 5 s). */
const SEND_WITHIN_MS = 3_000;
const HEARTBEAT_MS = 1_000;
/** How often a node tries to note that an INVITE was sent; the end of the call notes it again. */
const MARK_TRIES = 3;

export interface MediaActivityDeps {
  readonly control: MediaControl;
  readonly attempts: Pick<AttemptRepository, 'intended' | 'sent' | 'notSent'>;
  readonly calls: Pick<CallRepository, 'markStatus'>;
  readonly secrets: SecretBox;
  readonly lifetime: NodeLifetime;
  readonly logger: Logger;
}

/** What a media node's workers run. All of it may be repeated; only `dialCall` may not, and refuses a second time. */
export function createMediaActivities(deps: MediaActivityDeps): MediaActivities {
  const { control, lifetime } = deps;
  const boot: NodeBoot = { nodeId: control.nodeId, bootId: control.bootId };
  return {
    dialCall: (input) => dialCall(deps, input),

    async hangupCall(command) {
      if (command.bootId !== control.bootId) return { ok: false, code: 'call_unknown' };
      return await control.hangup(command);
    },

    callStatus(callId) {
      return Promise.resolve({ ...boot, status: control.status(callId) });
    },

    tombstoneCall(callId) {
      control.tombstone(callId);
      return Promise.resolve();
    },

    pingNode() {
      return Promise.resolve(boot);
    },

    listCalls() {
      return Promise.resolve({ ...boot, calls: control.listCalls() });
    },

    endOrphanedCall({ callId, bootId }) {
      if (bootId === control.bootId) control.workflowLost(callId);
      return Promise.resolve();
    },

    async runNode({ bootId }) {
      if (bootId !== control.bootId) return 'other_boot';
      const context = Context.current();
      const over = Promise.race([lifetime.stopped, context.cancelled]);
      over.catch(() => undefined); // cancelled between two beats: the next race throws it
      for (;;) {
        context.heartbeat();
        lifetime.watched();
        if ((await Promise.race([over, nextBeat()])) === 'stopped') return 'stopped';
      }
    },
  };
}

/**
 * Local checks → attempt `intended` → INVITE at the socket → attempt `sent`. `sent: false` is said only when nothing
 * left; what cannot be said fails, and the workflow asks the nodes.
 */
async function dialCall(deps: MediaActivityDeps, input: DialInput): Promise<DialOutcome> {
  const { control, attempts, calls } = deps;
  const deadlineMs = Date.now() + SEND_WITHIN_MS;
  const { nodeId, bootId } = control;
  const { callId, orgId, n } = input;
  const attemptId = attemptIdOf(callId, n);
  const sipCallId = attemptId;
  const details = openDetails(deps.secrets, input);
  let refused: unknown = null;
  let begun = false;

  const beforeSend = async (): Promise<void> => {
    begun = true;
    try {
      await Promise.all([
        attempts.intended({ attemptId, callId, orgId, n, sipCallId, nodeId, bootId }),
        calls.markStatus(callId, 'dialing', { nodeId, bootId, sipCallId }),
      ]);
    } catch (error) {
      refused = error;
      throw error;
    }
  };

  let outcome: DialOutcome;
  try {
    outcome = await control.dial(
      {
        callId,
        orgId,
        attemptId,
        sipCallId,
        agentId: input.agentId,
        trunkId: input.trunkId,
        to: details.to,
        callerNumber: details.from,
        firstMessage: details.firstMessage,
        ringTimeoutSeconds: input.ringTimeoutSeconds,
        maxDurationSeconds: input.maxDurationSeconds,
      },
      { deadlineMs, beforeSend },
    );
  } catch (error) {
    if (refused === null) throw unknownOutcome('the node failed while it dialled', error);
    outcome = { sent: false, code: 'store_unavailable', detail: 'the attempt could not be recorded' };
  }
  if (refused instanceof StoreError && refused.code === 'attempt_exists') {
    throw unknownOutcome('the attempt was begun before', refused);
  }
  // A node's own words for a refused attempt do not matter: the cause is ours.
  if (refused !== null && !outcome.sent) {
    outcome = { sent: false, code: 'store_unavailable', detail: 'the attempt could not be recorded' };
  }
  if (outcome.sent) void mark(deps, () => attempts.sent(attemptId), callId);
  else if (begun) await mark(deps, () => attempts.notSent(attemptId), callId);
  return outcome;
}

function unknownOutcome(message: string, cause: unknown): ApplicationFailure {
  // The cause stays in the log: histories hold no text of the network.
  return ApplicationFailure.create({ message, type: 'dial_unknown', nonRetryable: true, ...errorName(cause) });
}

function errorName(cause: unknown): { details: [string] } | object {
  return cause instanceof Error ? { details: [cause.name] } : {};
}

async function mark(deps: MediaActivityDeps, write: () => Promise<unknown>, callId: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await write();
      return;
    } catch (error) {
      if (tries < MARK_TRIES) continue;
      deps.logger.warn({ callId, err: error }, 'attempt could not be marked');
      return;
    }
  }
}

function nextBeat(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, HEARTBEAT_MS).unref();
  });
}
