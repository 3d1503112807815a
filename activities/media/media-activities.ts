import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { CapacityWait } from '../../contract/capacity';
import type { DialResult, MediaControl } from '../../contract/commands';
import type { NodeBoot } from '../../contract/nodes';
import { DeadlineError, withDeadline } from '../../ops/deadline';
import type { Logger } from '../../ops/logger';
import { retry } from '../../ops/retry';
import type { Sleep } from '../../ops/retry';
import { openControl } from '../../store/call-control';
import { openDetails } from '../../store/call-details';
import type { SealedCallDetails } from '../../store/call-details';
import { StoreError } from '../../store/errors';
import { attemptIdOf } from '../../store/ids';
import { numberCode } from '../../store/number-code';
import type { AttemptRepository } from '../../store/repositories/attempt-repository';
import type { CallRepository } from '../../store/repositories/call-repository';
import type { CampaignAdmission, IntendedAttempt } from '../../store/repositories/capacity-repository';
import type { DialFactsRepository } from '../../store/repositories/dial-facts-repository';
import type { SecretBox } from '../../store/secrets';
import type { WatchTask } from '../../workflows/client/node-workflows';
import type { CallNodeActivities, DialInput, DialReport } from '../../workflows/call/activities';
import type { OutboundCallInput } from '../../workflows/call/input';
import type { WatchedNodeActivities } from '../../workflows/node/activities';
import type { ListedNodeActivities } from '../../workflows/reconciler/activities';
import { newCall } from '../new-call';
import { checkCampaignCall, ofCampaign, refusedByStore, refusedMeanwhile } from './campaign-dial';
import type { CampaignCheck } from './campaign-dial';
import { codeAnnouncement } from './code-announcement';

/** No INVITE leaves later than this after its activity began (the workflow gives it up after 5 s). */
const SEND_WITHIN_MS = 3_000;
const HEARTBEAT_MS = 1_000;
/** Over a PostgreSQL that restarts, or moves to another machine; the end of the call notes it again. */
const MARK_RETRIES = { pauseMs: 200, maximumPauseMs: 2_000, limitMs: 60_000 };
const MARK_WAIT_MS = 1_000;
/** Before an INVITE to another gateway; nobody's phone rings meanwhile. */
const FAILOVER_ASK_MS = 2_000;
/** For the end of a call that was hung up, and then for its workflow to close. */
const END_WAIT_MS = 400;
const CLOSE_WAIT_MS = 300;
/** A dial that is admitted later, having waited for a name server or others on its trunk, stores the call's row before: its client waits for that. */
const ROW_WITHIN_MS = 1_000;

export interface MediaActivityDeps {
  readonly control: MediaControl;
  readonly attempts: Pick<AttemptRepository, 'sent' | 'notSent'>;
  /** Resolves at the turn of the dial, with null, the attempt stored; or else with what its workflow has to wait for. */
  readonly capacity: {
    readonly admitCall: (
      attempt: IntendedAttempt,
      trunkId: string,
      campaign?: CampaignAdmission,
    ) => Promise<CapacityWait | { readonly refusal: string } | null>;
    /** Why a campaign's call that was admitted is not wanted any more; null: it is. */
    readonly campaignRefusal: (callId: string, campaign: CampaignAdmission) => Promise<string | null>;
  };
  /** Of campaigns' calls. */
  readonly dialFacts: Pick<DialFactsRepository, 'facts' | 'refused'>;
  readonly calls: Pick<CallRepository, 'insertCall' | 'markStatus'>;
  readonly secrets: SecretBox;
  /** `watched` is told at each heartbeat, `unwatched` that none is wanted; `stopped`: the node stops in order. */
  readonly lifetime: {
    readonly stopped: Promise<'stopped'>;
    readonly steady: boolean;
    watched(task: WatchTask): void;
    unwatched(): void;
  };
  /** Whether something that happened on a call is not acknowledged by its workflow. */
  readonly untold: (callId: string) => boolean;
  /** Resolves when the call's workflow knows its end, or after `timeoutMs`. */
  readonly toldEnd: (callId: string, timeoutMs: number) => Promise<void>;
  /** Calls whose dial is under way: their workflows do not know yet that this node has them. */
  readonly unplaced: Pick<Set<string>, 'add' | 'delete'>;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: Sleep;
}

/** What a media node's workers run. All of it may be repeated; only `dialCall` may not, and refuses a second time. */
export function createMediaActivities(
  deps: MediaActivityDeps,
): CallNodeActivities & WatchedNodeActivities & ListedNodeActivities {
  const { control, lifetime } = deps;
  const boot: NodeBoot = { nodeId: control.nodeId, bootId: control.bootId };
  return {
    async dialCall(input) {
      const { callId } = input.call;
      deps.unplaced.add(callId);
      try {
        return await dialCall(deps, input);
      } finally {
        deps.unplaced.delete(callId);
      }
    },

    async hangupCall({ callId, commandId, bootId, ...cause }) {
      if (bootId !== control.bootId) return { ok: false, code: 'call_unknown' };
      return await control.control({ callId, commandId, bootId, control: { type: 'hangup', ...cause } });
    },

    async controlCall({ callId, orgId, commandId, bootId, control: sealed }) {
      if (bootId !== control.bootId) return { ok: false, code: 'call_unknown' };
      const result = await control.control({
        callId,
        commandId,
        bootId,
        control: openControl(deps.secrets, { callId, orgId }, sealed),
      });
      if (result.ok && sealed.type === 'hangup') await overtaken(deps, callId);
      return result;
    },

    callStatus(callId) {
      return Promise.resolve({ ...boot, status: control.status(callId), untold: deps.untold(callId) });
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

    endOrphanedCalls({ bootId, callIds }) {
      if (bootId === control.bootId) for (const callId of callIds) control.workflowLost(callId);
      return Promise.resolve();
    },

    endOrphanedCall({ callId, bootId }) {
      if (bootId === control.bootId) control.workflowLost(callId);
      return Promise.resolve();
    },

    async runNode({ bootId }) {
      if (bootId !== control.bootId) return 'other_boot';
      const context = Context.current();
      const { activityId, workflowExecution } = context.info;
      if (workflowExecution === undefined) throw new Error('a node is watched by a workflow alone');
      const task = { activityId, ...workflowExecution };
      const over = Promise.race([lifetime.stopped, context.cancelled]);
      over.catch(() => lifetime.unwatched());
      for (;;) {
        context.heartbeat();
        lifetime.watched(task);
        const nextBeat = sleep(HEARTBEAT_MS, undefined, { ref: false });
        if ((await Promise.race([over, nextBeat])) === 'stopped') return 'stopped';
      }
    },
  };
}

/**
 * That a call was hung up its end says too, a moment later: where that comes first, the workflow is over before this answer
 * is, and has been woken once.
 */
async function overtaken({ toldEnd, sleep: pause = sleep }: MediaActivityDeps, callId: string): Promise<void> {
  await toldEnd(callId, END_WAIT_MS);
  await pause(CLOSE_WAIT_MS, undefined, {});
}

/**
 * Local checks → a slot and a turn on the trunk, the call's row and the attempt, `intended`, in one statement → INVITE at
 * the socket → attempt `sent`. Without room there is no attempt, and the call is queued. `sent: false` is
 * said only when nothing left; what cannot be said fails, and the workflow asks the nodes.
 */
async function dialCall(deps: MediaActivityDeps, input: DialInput): Promise<DialReport> {
  const { control, attempts, calls } = deps;
  const deadlineMs = Date.now() + SEND_WITHIN_MS;
  const { nodeId, bootId } = control;
  const { call, n, askedInVain = [] } = input;
  const { callId, orgId } = call;
  if (!deps.lifetime.steady) {
    deps.logger.info({ callId }, 'dial refused: it may have been given up while this node stood still');
    return { sent: false, code: 'too_late' };
  }
  const attemptId = attemptIdOf(callId, n);
  const sipCallId = attemptId;
  let details: SealedCallDetails;
  try {
    details = openDetails(deps.secrets, call);
  } catch (error) {
    deps.logger.error({ callId, reason: (error as Error).name }, 'details of a call do not open with this SECRETS_KEY');
    return { sent: false, code: 'unreadable' };
  }
  let refused: unknown = null;
  let wait = null as CapacityWait | null;
  const row = newCall(call, details);
  const unrecorded = setTimeout(() => void mark(deps, () => calls.insertCall(row), callId), ROW_WITHIN_MS);
  let begun = false;
  let unwanted = null as (CampaignCheck & { ok: false }) | null;
  let checked: (CampaignCheck & { ok: true }) | undefined;

  const admit = async (): Promise<CapacityWait | null> => {
    const attempt = { attemptId, call: row, n, sipCallId, nodeId, bootId };
    if (ofCampaign(call)) {
      const check = await checkCampaignCall(deps.dialFacts, call, details.to, Date.now());
      if (check.ok) checked = check;
      else unwanted = check;
    }
    if (unwanted !== null) return null;
    // Nobody would give its slot back any more.
    if (Date.now() >= deadlineMs) throw new DeadlineError('too late to be admitted');
    begun = true;
    const answer = await deps.capacity.admitCall(attempt, call.trunkId, checked?.admission);
    clearTimeout(unrecorded);
    if (answer === null || !('refusal' in answer)) return answer;
    if (checked !== undefined) unwanted = refusedByStore(answer.refusal, checked.admission);
    return null;
  };

  const beforeSend = async (): Promise<boolean> => {
    try {
      // A PostgreSQL that stands still must not use up the activity's time: it is known now that nothing leaves.
      wait = await withDeadline(admit(), deadlineMs - Date.now());
      return wait === null && unwanted === null;
    } catch (error) {
      refused = error;
      throw error;
    }
  };

  let outcome: DialReport;
  try {
    const result = await control.dial(
      {
        callId,
        orgId,
        attemptId,
        sipCallId,
        agentId: call.agentId,
        ...(call.codeOf === undefined ? {} : { announcement: codeAnnouncement(numberCode(deps.secrets, call.codeOf)) }),
        trunkId: call.trunkId,
        askedInVain,
        to: details.to,
        callerNumber: details.from,
        firstMessage: details.firstMessage,
        ...(details.script === undefined ? {} : { script: details.script }),
        ringTimeoutSeconds: call.ringTimeoutSeconds,
        maxDurationSeconds: call.maxDurationSeconds,
      },
      {
        deadlineMs,
        beforeSend,
        beforeFailover: () => (checked === undefined ? Promise.resolve(null) : askAgain(deps, call, checked)),
      },
    );
    outcome = 'detail' in result ? notSent(deps, callId, result) : result;
  } catch (error) {
    if (refused === null) throw unknownOutcome('the node failed while it dialled', error);
    outcome = { sent: false, code: 'store_unavailable' };
  } finally {
    clearTimeout(unrecorded);
  }
  if (refused instanceof StoreError && refused.code === 'attempt_exists') {
    throw unknownOutcome('the attempt was begun before', refused);
  }
  // A node's own words for a refused attempt do not matter: the cause is ours.
  if (refused !== null && !outcome.sent) {
    outcome = { sent: false, code: 'store_unavailable' };
  }
  if (wait !== null) return { sent: false, code: 'no_capacity', reason: wait.reason, retryInMs: wait.retryInMs };
  if (unwanted !== null) {
    await refuse(deps, call, unwanted);
    return { sent: false, code: 'campaign_refused', why: unwanted.refusal };
  }
  if (outcome.sent) {
    const placed = { nodeId, bootId, sipCallId };
    void mark(deps, () => Promise.all([attempts.sent(attemptId), calls.markStatus(callId, 'dialing', placed)]), callId);
  } else if (begun) {
    // The end of the activity does not wait for it.
    const marked = mark(deps, () => attempts.notSent(attemptId), callId);
    await withDeadline(marked, MARK_WAIT_MS).catch(() => undefined);
  }
  return outcome;
}

/** Of an attempt whose gateway could not take the call: null where the next one may be asked. */
async function askAgain(
  deps: MediaActivityDeps,
  call: OutboundCallInput,
  checked: CampaignCheck & { ok: true },
): Promise<string | null> {
  const { callId } = call;
  try {
    const refused = await withDeadline(refusedMeanwhile(deps.capacity, callId, checked, Date.now()), FAILOVER_ASK_MS);
    if (refused !== null) await refuse(deps, call, refused);
    return refused?.refusal ?? null;
  } catch (error) {
    deps.logger.warn({ callId, err: error }, 'whether a call is still wanted is not known: no other gateway is tried');
    return 'store_unavailable';
  }
}

/** Why it was not called is kept; that it was not, the end of its call says in any case. An attempt of which nothing has left is unmade then. */
async function refuse(
  deps: MediaActivityDeps,
  call: OutboundCallInput,
  { refusal: reason, detail, checks }: CampaignCheck & { ok: false },
): Promise<void> {
  if (!ofCampaign(call)) return;
  const { callId, orgId, campaign } = call;
  const noted = deps.dialFacts.refused({ ...campaign, orgId, callId }, { reason, detail, checks }, Date.now());
  try {
    await withDeadline(noted, MARK_WAIT_MS);
  } catch (error) {
    deps.logger.warn({ callId, reason, err: error }, 'why a contact was not called could not be noted');
  }
}

/** A history holds the code alone. */
function notSent(
  deps: MediaActivityDeps,
  callId: string,
  refusal: Extract<DialResult, { detail: string }>,
): DialReport {
  const { code, detail } = refusal;
  deps.logger.info({ callId, code, detail }, 'dial not sent');
  return { sent: false, code };
}

function unknownOutcome(message: string, cause: unknown): ApplicationFailure {
  // The cause stays in the log: histories hold no text of the network.
  return ApplicationFailure.create({ message, type: 'dial_unknown', nonRetryable: true, ...errorName(cause) });
}

function errorName(cause: unknown): { details: [string] } | object {
  return cause instanceof Error ? { details: [cause.name] } : {};
}

async function mark(deps: MediaActivityDeps, write: () => Promise<unknown>, callId: string): Promise<void> {
  const { sleep } = deps;
  try {
    await retry(write, { ...MARK_RETRIES, ...(sleep === undefined ? {} : { sleep }) });
  } catch (error) {
    deps.logger.warn({ callId, err: error }, 'a dial could not be noted');
  }
}
