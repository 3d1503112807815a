import type { InboundCallInput } from '../workflows/call/input';
import type { CallWorkflows } from '../workflows/client/call-workflows';

/** For the start and the look at what was there before: the peer still waits for an answer, and may try another node. */
const START_LIMIT_MS = 2_000;

/** `foreign`: the call was started by another node or boot, or is over. */
export type InboundStart = 'started' | 'foreign' | 'unavailable';

/** Starts the workflow of a call that has come in. A repeat by the same boot finds its own call. Never throws. */
export async function startInbound(
  workflows: Pick<CallWorkflows, 'start' | 'describe'>,
  input: InboundCallInput,
): Promise<InboundStart> {
  const deadlineMs = Date.now() + START_LIMIT_MS;
  try {
    if ((await workflows.start(input, deadlineMs)) === 'started') return 'started';
    const existing = await workflows.describe(input.callId, deadlineMs);
    if (existing === null) return 'unavailable';
    const own = existing.memo.nodeId === input.nodeId && existing.memo.bootId === input.bootId;
    return own && existing.running ? 'started' : 'foreign';
  } catch {
    return 'unavailable'; // whether it was started, or by whom, cannot be told now: the peer repeats
  }
}
