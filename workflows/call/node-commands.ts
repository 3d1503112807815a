import { ActivityFailure, getExternalWorkflowHandle, proxyActivities } from '@temporalio/workflow';
import type { CommandResult } from '../../contract/commands';
import type { HangupCause } from '../../contract/endings';
import { mediaNodeTaskQueue, mediaNodeWorkflowId } from '../ids';
import { suspectSignal } from '../node/messages';
import { changed } from '../revision';
import type { CallNodeActivities, CallStanding, SealedCommand } from './activities';
import type { CallNode } from './call-progress';

/**
 * `sent`: BYE or CANCEL left; `unknown`: this boot does not have the call; `silent`: no answer in time; `answered`: somebody
 * has answered, and it was not to end then.
 */
export type HangupAnswer = 'sent' | 'unknown' | 'silent' | 'answered';
export type StatusAnswer = CallStanding | 'silent';

/** `unanswered`: only as long as nobody has answered. */
export type HangupRequest = HangupCause & { readonly unanswered?: true };

/** Commands are answered on acceptance; a node that does not answer is suspected, not asked again and again. */
const onNode = (nodeId: string, summary: string): ReturnType<typeof proxyActivities<CallNodeActivities>> =>
  proxyActivities<CallNodeActivities>({
    taskQueue: mediaNodeTaskQueue(nodeId),
    scheduleToStartTimeout: '2s',
    startToCloseTimeout: '5s',
    retry: { maximumAttempts: 1 },
    summary,
  });

export async function hangup(
  { callId, orgId }: Pick<SealedCommand, 'callId' | 'orgId'>,
  { nodeId, bootId }: CallNode,
  { endReason, endedBy, unanswered }: HangupRequest,
): Promise<HangupAnswer> {
  try {
    const activities = onNode(nodeId, `hang up: ${endReason}`);
    // One hang-up per call: a repeat is the same command to the node.
    const commandId = unanswered === true ? `${callId}:give-up` : `${callId}:hangup`;
    const result = changed('a-hang-up-is-a-command')
      ? await activities.controlCall({
          callId,
          orgId,
          commandId,
          bootId,
          control: { type: 'hangup', endReason, endedBy, ...(unanswered === true ? { unanswered } : {}) },
        })
      : await activities.hangupCall({ callId, commandId, bootId, endReason, endedBy });
    if (result.ok) return 'sent';
    if (result.code === 'answered') return 'answered';
    return result.code === 'call_unknown' ? 'unknown' : 'sent';
  } catch (error) {
    return silentOrThrow(error);
  }
}

export async function control(
  node: CallNode,
  command: Omit<SealedCommand, 'bootId'>,
): Promise<CommandResult | 'silent'> {
  try {
    const { nodeId, bootId } = node;
    return await onNode(nodeId, `tell the call: ${command.control.type}`).controlCall({ ...command, bootId });
  } catch (error) {
    return silentOrThrow(error);
  }
}

export async function status(callId: string, nodeId: string): Promise<StatusAnswer> {
  try {
    return await onNode(nodeId, 'does the node have the call?').callStatus(callId);
  } catch (error) {
    return silentOrThrow(error);
  }
}

export async function tombstone(callId: string, nodeId: string): Promise<void> {
  try {
    await onNode(nodeId, 'no INVITE may leave any more').tombstoneCall(callId);
  } catch (error) {
    silentOrThrow(error);
  }
}

/** False when there is no workflow of the node that could answer. */
export async function suspect(callId: string, node: CallNode): Promise<boolean> {
  try {
    const handle = getExternalWorkflowHandle(mediaNodeWorkflowId(node.nodeId));
    await handle.signal(suspectSignal, { bootId: node.bootId, callId });
    return true;
  } catch {
    return false; // not running: the caller looks at the node's presence itself
  }
}

function silentOrThrow(error: unknown): 'silent' {
  if (error instanceof ActivityFailure) return 'silent';
  throw error;
}
