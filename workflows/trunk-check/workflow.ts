import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { CallStoreActivities } from '../call/activities';
import { MEDIA_TASK_QUEUE, mediaNodeTaskQueue } from '../ids';
import type { NodeCheckRefusal, SealedNodeReport, TrunkCheckActivities } from './activities';
import { trunkCheckUpdate } from './messages';
import type { TrunkCheckInput, TrunkCheckOutcome } from './messages';

/** Nobody reads the words of more. */
const MAX_NODES = 20;
/** A node took the check, and did not say which one it was. */
const UNKNOWN_NODE = 'unknown';
const NOBODY: TrunkCheckOutcome = { reports: [], silent: [], refusals: [] };

const store = proxyLocalActivities<Pick<CallStoreActivities, 'liveNodes'>>({
  startToCloseTimeout: '2s',
  retry: { maximumAttempts: 2, initialInterval: '100ms' },
});

/**
 * One look at a trunk, of one media node for an outbound trunk and of every live one for the inbound trunk. It ends by
 * itself within 30 s whether or not somebody still waits for it; while it runs there is no second one of its trunk.
 */
export async function trunkCheckWorkflow(input: TrunkCheckInput): Promise<TrunkCheckOutcome> {
  let outcome: TrunkCheckOutcome | null = null;
  setHandler(
    trunkCheckUpdate,
    async () => {
      await condition(() => outcome !== null);
      return outcome ?? NOBODY;
    },
    { description: 'Waits until the trunk was looked at' },
  );
  setCurrentDetails(`**check of ${input.kind} trunk ${input.trunkId}**: under way`);
  outcome = input.kind === 'outbound' ? await checkOutbound(input) : await checkInbound(input);
  setCurrentDetails(detailsOf(input, outcome));
  await condition(allHandlersFinished);
  return outcome;
}

async function checkOutbound(input: TrunkCheckInput): Promise<TrunkCheckOutcome> {
  const media = proxyActivities<TrunkCheckActivities>({
    taskQueue: MEDIA_TASK_QUEUE,
    scheduleToStartTimeout: '3s',
    startToCloseTimeout: '25s',
    // A node that dies keeps nobody waiting for the rest of the time.
    heartbeatTimeout: '5s',
    // It may place a call.
    retry: { maximumAttempts: 1 },
    summary: `looks at outbound trunk ${input.trunkId}`,
  });
  try {
    return outcomeOf([await media.checkOutboundTrunk(input)]);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const neverBegun = error.cause instanceof TimeoutFailure && error.cause.timeoutType === 'SCHEDULE_TO_START';
    return neverBegun ? NOBODY : { ...NOBODY, silent: [UNKNOWN_NODE] };
  }
}

async function checkInbound(input: TrunkCheckInput): Promise<TrunkCheckOutcome> {
  const nodeIds = await liveNodeIds();
  const answers = await Promise.all(nodeIds.map((nodeId) => askNode(nodeId, input)));
  const silent = nodeIds.filter((_, at) => answers[at] === null);
  return { ...outcomeOf(answers.filter((answer) => answer !== null)), silent };
}

async function liveNodeIds(): Promise<readonly string[]> {
  try {
    return (await store.liveNodes()).slice(0, MAX_NODES).map(({ nodeId }) => nodeId);
  } catch (error) {
    if (error instanceof ActivityFailure) return []; // PostgreSQL is away
    throw error;
  }
}

async function askNode(nodeId: string, input: TrunkCheckInput): Promise<SealedNodeReport | NodeCheckRefusal | null> {
  const node = proxyActivities<TrunkCheckActivities>({
    taskQueue: mediaNodeTaskQueue(nodeId),
    scheduleToStartTimeout: '2s',
    startToCloseTimeout: '8s',
    retry: { maximumAttempts: 1 },
    summary: `what node ${nodeId} knows of the inbound trunk`,
  });
  try {
    return await node.checkInboundTrunk(input);
  } catch (error) {
    if (error instanceof ActivityFailure) return null;
    throw error;
  }
}

function outcomeOf(answers: readonly (SealedNodeReport | NodeCheckRefusal)[]): TrunkCheckOutcome {
  const reports = answers.filter((answer) => typeof answer === 'object');
  const refusals = answers.filter((answer) => typeof answer === 'string');
  return { reports, silent: [], refusals };
}

function detailsOf({ kind, trunkId }: TrunkCheckInput, { reports, silent, refusals }: TrunkCheckOutcome): string {
  return [
    `**check of ${kind} trunk ${trunkId}**: done`,
    '',
    ...reports.map(({ nodeId }) => `- looked at by media node ${nodeId}`),
    ...silent.map((nodeId) => `- no answer of media node ${nodeId}`),
    ...refusals.map((refusal) => `- ${refusal}`),
  ].join('\n');
}
