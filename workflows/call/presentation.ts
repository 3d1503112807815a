/** What an operator reads of a call in Temporal's UI. */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { CapacityReason } from '../../contract/capacity';
import { mediaNodeAttribute } from '../ids';
import type { CallProgress } from './call-progress';
import type { CallInput } from './input';
import { CALL_STATUS, DISPOSITION, keyword, LIVE, MEDIA_NODE_ID, SIP_CALL_ID } from './start-options';

export function showPlaced(progress: CallProgress): void {
  const { node } = progress;
  if (node === null) return;
  const attributes: SearchAttributeUpdatePair[] = [
    { key: CALL_STATUS, value: LIVE },
    { key: MEDIA_NODE_ID, value: mediaNodeAttribute(node.nodeId, node.bootId) },
  ];
  if (node.sipCallId !== null) attributes.push({ key: SIP_CALL_ID, value: keyword(node.sipCallId) });
  upsertSearchAttributes(attributes);
}

export function showDue(): void {
  upsertSearchAttributes([{ key: CALL_STATUS, value: 'queued' }]);
}

/** Of calls of an earlier revision. */
export function showAnswered(): void {
  upsertSearchAttributes([{ key: CALL_STATUS, value: 'in_progress' }]);
}

export function showEnded(progress: CallProgress): void {
  upsertSearchAttributes([
    { key: CALL_STATUS, value: 'completed' },
    { key: DISPOSITION, value: progress.ending?.disposition ?? null },
  ]);
}

/** @param reason what it waits for */
export function showWaiting(input: CallInput, progress: CallProgress, reason: CapacityReason): void {
  showDetails(input, progress, 0, [`- waits for room: ${reason.replaceAll('_', ' ')}`]);
}

export function showDetails(
  input: CallInput,
  progress: CallProgress,
  attempt: number,
  more: readonly string[] = [],
): void {
  const { node, ending, answeredAtMs, endedAtMs } = progress;
  const lines = [
    `**${input.direction} call**: ${node === null || ending !== null ? progress.status : LIVE}`,
    // Markdown wants an empty line before a list.
    '',
    `- ${input.agentId === null ? 'no agent' : `agent ${input.agentId}`}, trunk ${input.trunkId}`,
  ];
  if (input.direction === 'inbound') lines.push(`- routed by ${input.routingRule}`);
  else if (attempt > 0) lines.push(`- attempt ${attempt}`);
  lines.push(...more);
  if (node !== null) lines.push(`- media node ${node.nodeId}, boot ${node.bootId}`);
  if (answeredAtMs !== null) lines.push(`- answered ${new Date(answeredAtMs).toISOString()}`);
  if (ending !== null && endedAtMs !== null) {
    const reason = ending.endReason === null ? '' : `, ${ending.endReason}`;
    lines.push(`- ended ${new Date(endedAtMs).toISOString()}: ${ending.disposition}${reason} (by ${ending.endedBy})`);
    const unanswered = ending.sip?.finalStatus === null ? ending.sip.reason : null;
    if (unanswered !== null) lines.push(`- ${unanswered}`);
  }
  setCurrentDetails(lines.join('\n'));
}
