import { ApplicationFailure } from '@temporalio/common';
import { allHandlersFinished, CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { hasFailed } from '../../contract/endings';
import type { CallEnding } from '../../contract/endings';
import { changed } from '../revision';
import type { FinalRecord } from './activities';
import { CallRun } from './call-run';
import { dial } from './dialling';
import type { DialEnd } from './dialling';
import { EXPIRED, OPERATOR_HANGUP } from './endings';
import type { CallInput } from './input';
import {
  acceptUpdate,
  callEventSignal,
  capacitySignal,
  callStatusQuery,
  controlUpdate,
  hangupUpdate,
  nodeAliveSignal,
  nodeLostSignal,
  rescheduleUpdate,
  transferUpdate,
  verifySignal,
} from './messages';
import { showDetails, showDue, showEnded } from './presentation';

interface CallResult {
  readonly disposition: CallEnding['disposition'];
  readonly endReason: CallEnding['endReason'];
}

/**
 * One call, from INVITE or POST to its record. It owns what happens once: the dial, the ending, the terminal row. Its
 * node runs the call; this follows the node's state events and steps in where the node says nothing.
 *
 * Closes when the terminal row is committed: as failed when the call has, so that lists of workflows tell. Cancelling it is a hang-up; terminating it leaves the call to its node
 * and the reconciler.
 */
export async function callWorkflow(input: CallInput): Promise<CallResult> {
  const run = new CallRun(input);
  const { progress, projection } = run;
  const outbound = input.direction === 'outbound' ? input : null;
  if (outbound !== null && Date.now() > outbound.acceptByMs) progress.end(EXPIRED, Date.now());
  const expired = progress.ended;

  setHandler(callStatusQuery, () => progress.state, { description: 'Where the call stands' });
  setHandler(callEventSignal, (signal) => run.onStateEvent(signal), {
    description: 'The node says that the call was answered, or has ended and how',
  });
  setHandler(nodeLostSignal, ({ bootId, answeredAtMs }) => run.onNodeLost(bootId, answeredAtMs), {
    description: 'The media node of the call is lost, and the call with it',
  });
  setHandler(nodeAliveSignal, ({ bootId }) => run.onNodeAlive(bootId), {
    description: 'The media node that was suspected lives',
  });
  setHandler(verifySignal, ({ bootId }) => run.onVerify(bootId), {
    description: 'The media node does not list the call: it is to be asked for it',
  });
  setHandler(capacitySignal, () => run.onCapacity(), {
    description: 'There may be room for the call, which waits',
  });
  setHandler(
    acceptUpdate,
    async () => {
      await condition(() => projection.recorded);
      return { callId: input.callId, accepted: !expired };
    },
    { description: 'Waits until the row of the call is stored' },
  );
  setHandler(
    hangupUpdate,
    async (request) => {
      const { outcome } = await run.hangUp(request);
      return { outcome: outcome === 'ended' ? 'already_ended' : 'effective' };
    },
    { description: 'As an earlier release asked for a hang-up' },
  );
  setHandler(rescheduleUpdate, (request) => run.reschedule(request), {
    description: 'Other times for a call that waits; answered when they are stored',
  });
  setHandler(controlUpdate, (request) => run.control(request), {
    description: 'Tells the call something, or hangs it up; answered when it took effect',
  });
  setHandler(transferUpdate, (request) => run.beginTransfer(request), {
    description: 'Hands the peer over to somebody else; answered when that has begun',
  });
  CancellationScope.current().cancelRequested.catch(() => run.requestHangup(OPERATOR_HANGUP));

  return await CancellationScope.nonCancellable(async () => {
    showDetails(input, progress, 0);
    if (progress.status === 'scheduled') await untilDue(run, input);
    const dialled = outbound === null ? null : await dial(run, outbound);
    // Else it is made where something is to be written into it.
    if (!run.nodeKeepsRow) projection.recordCall(input);
    showDetails(input, progress, run.attempt);
    if (!progress.ended) await run.untilEnded();
    await run.transfer.end(progress.endedAtMs ?? Date.now());
    await finalise(run, dialled);
    await condition(allHandlersFinished);
    const result: CallResult = {
      disposition: progress.ending?.disposition ?? 'failed',
      endReason: progress.ending?.endReason ?? null,
    };
    // Its record is closed like any other's; this is what the lists of Temporal's UI show of it.
    if (hasFailed(result) && changed('failed-calls-fail')) {
      const reason = result.endReason === null ? '' : `, ${result.endReason}`;
      throw ApplicationFailure.nonRetryable(`${result.disposition}${reason}`, result.disposition, result);
    }
    return result;
  });
}

/** It is accepted when its row is stored, and due at its time, or at once after an outage over that; or it is too late for it. */
async function untilDue(run: CallRun, input: CallInput): Promise<void> {
  const { projection, schedule, progress } = run;
  projection.recordCall(input);
  await schedule.untilDue(() => progress.ended || run.hangupRequest !== null);
  if (progress.ended || run.hangupRequest !== null) return;
  if (Date.now() >= schedule.expiresAtMs) {
    progress.end(EXPIRED, Date.now());
    return;
  }
  progress.due();
  showDue();
  showDetails(input, progress, 0);
}

async function finalise(run: CallRun, dialled: DialEnd): Promise<void> {
  const { input, progress } = run;
  if (run.nodeKeepsRecord && progress.truncated && progress.answeredAtMs === null) {
    const answeredAtMs = await run.projection.recordedAnswer(input.callId);
    if (answeredAtMs !== null) progress.foundAnswered(answeredAtMs);
  }
  const { ending, node } = progress;
  if (ending === null) return;
  const record: FinalRecord = {
    callId: input.callId,
    endedAtMs: progress.endedAtMs ?? Date.now(),
    answeredAtMs: progress.answeredAtMs,
    sipCallId: node?.sipCallId ?? ending.sip?.sipCallId ?? null,
    ending,
    metrics: progress.metrics,
    attempt: dialled === null ? null : { n: dialled.attempt, state: dialled.certain ? 'finished' : 'uncertain' },
    lastSeq: progress.truncated || progress.lastSeq === 0 ? null : progress.lastSeq,
    truncated: progress.truncated,
    ...(run.nodeKeepsRow ? { begun: input } : {}),
  };
  showEnded(progress);
  showDetails(input, progress, run.attempt);
  await run.projection.finalise(record, Date.now());
}
