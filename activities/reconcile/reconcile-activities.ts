import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Counter } from 'prom-client';
import type { CallRepository } from '../../store/repositories/call-repository';
import type { MediaNodeRepository } from '../../store/repositories/media-node-repository';
import type { NodeCallListRepository } from '../../store/repositories/node-call-list-repository';
import type { TransferRepository } from '../../store/repositories/transfer-repository';
import { CallWorkflows } from '../../workflows/client/call-workflows';
import type { NodeLossActivities, LostBoot } from '../../workflows/node/activities';
import type {
  Discrepancy,
  EarlierReconcileActivities,
  ReconcileActivities,
} from '../../workflows/reconciler/activities';
import type { TransferActivities } from '../../workflows/transfer/activities';
import type { TrunkReminderDeps } from './remind-trunks';
import { compare, watchCalls, withoutTheRunning } from './watch-calls';

const BETWEEN_PASSES_MS = 5_000;
const EMPTY_PASSES = 2;
const HEARTBEAT_MS = 1_000;
const PARALLEL_SIGNALS = 10;
const PARALLEL_SETTLEMENTS = 10;
const TEMPORAL_LIMIT_MS = 10_000;

export interface ReconcileActivityDeps extends TrunkReminderDeps {
  readonly client: Client;
  readonly calls: CallRepository;
  readonly nodes: MediaNodeRepository;
  readonly lists: NodeCallListRepository;
  readonly transfers: Pick<TransferRepository, 'underWay'>;
  readonly transferActivities: Pick<TransferActivities, 'transferFinished'>;
  /** Counts the comparisons. */
  readonly passes: Pick<Counter, 'inc'>;
  /** Counts what was settled, label `cause`. */
  readonly settled: Pick<Counter<'cause'>, 'inc'>;
  /** Of other things than calls: what is looked after in each pass too. */
  readonly sweeps: readonly (() => Promise<void>)[];
}

export function createReconcileActivities(
  deps: ReconcileActivityDeps,
): Pick<NodeLossActivities, 'sweepLostCalls' | 'tellVerdict'> &
  ReconcileActivities &
  Omit<EarlierReconcileActivities, 'liveNodes'> {
  const workflows = new CallWorkflows({ client: deps.client, limitMs: TEMPORAL_LIMIT_MS });
  return {
    async sweepLostCalls(lost) {
      const reached = new Set<string>();
      for (let empty = 0; empty < EMPTY_PASSES;) {
        Context.current().heartbeat();
        const open = await openCallsOf(deps, workflows, lost);
        const told = await tellNodeLost(deps, workflows, open.calls);
        for (const callId of told) reached.add(callId);
        // A pass that has not seen PostgreSQL proves nothing.
        empty = told.length === 0 && open.complete ? empty + 1 : 0;
        if (empty < EMPTY_PASSES) await pause(BETWEEN_PASSES_MS);
      }
      return reached.size;
    },

    async tellVerdict({ bootId, alive, callIds }) {
      if (!alive) {
        const calls = callIds.map((callId) => ({ callId, bootId }));
        await tellNodeLost(deps, workflows, calls);
      } else await inBatches(callIds, PARALLEL_SIGNALS, (callId) => workflows.signalNodeAlive(callId, bootId));
    },

    watchCalls: (untilMs) => watchCalls(deps, workflows, untilMs),

    surveyCalls: async (nodes) => await withoutTheRunning(workflows, await compare(deps, workflows, nodes)),

    async settleDiscrepancies(confirmed) {
      await inBatches(confirmed, PARALLEL_SETTLEMENTS, async (discrepancy) => {
        await settle(deps, workflows, discrepancy);
        deps.settled.inc({ cause: discrepancy.cause });
        const { cause, callId, nodeId } = discrepancy;
        deps.logger.warn({ cause, callId, nodeId }, 'reconciler settled a call');
      });
    },
  };
}

/** However many there are: some at a time, and a heartbeat before each. */
async function inBatches<T, R>(all: readonly T[], size: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let at = 0; at < all.length; at += size) {
    Context.current().heartbeat();
    done.push(...(await Promise.all(all.slice(at, at + size).map(work))));
  }
  return done;
}

interface PlacedCall {
  readonly callId: string;
  readonly bootId: string;
}

/** PostgreSQL ∪ visibility: each may lack what the other has. */
async function openCallsOf(
  deps: ReconcileActivityDeps,
  workflows: CallWorkflows,
  lost: LostBoot,
): Promise<{ readonly calls: readonly PlacedCall[]; readonly complete: boolean }> {
  const calls = new Map<string, PlacedCall>();
  const kept = new Set(lost.exceptBootId === null ? [] : [lost.exceptBootId]);
  const isLost = (bootId: string): boolean => (lost.bootId === null ? !kept.has(bootId) : bootId === lost.bootId);
  let complete = true;
  try {
    // A boot that has begun since then is not among the older ones.
    const present = lost.bootId === null ? await deps.nodes.find(lost.nodeId) : null;
    if (present !== null) kept.add(present.bootId);
    const boot = lost.bootId ?? { exceptBootId: lost.exceptBootId ?? '' };
    for (const { callId, bootId } of await deps.calls.listOpenOnNode(lost.nodeId, boot)) {
      if (bootId !== null && isLost(bootId)) calls.set(callId, { callId, bootId });
    }
  } catch (error) {
    deps.logger.warn({ err: error }, 'open calls of a lost boot are looked up without PostgreSQL');
    complete = false;
  }
  for (const { callId, node } of await workflows.running(lost.nodeId)) {
    if (node !== null && isLost(node.bootId)) calls.set(callId, { callId, bootId: node.bootId });
  }
  return { calls: [...calls.values()], complete };
}

async function tellNodeLost(
  deps: ReconcileActivityDeps,
  workflows: CallWorkflows,
  calls: readonly PlacedCall[],
): Promise<string[]> {
  const answers = await recordedAnswers(deps, calls);
  const reached = await inBatches(calls, PARALLEL_SIGNALS, ({ callId, bootId }) => {
    const answeredAtMs = answers.get(callId);
    return workflows.signalNodeLost(callId, answeredAtMs === undefined ? { bootId } : { bootId, answeredAtMs });
  });
  return calls.filter((_, index) => reached[index] === 'delivered').map(({ callId }) => callId);
}

/** A node that died while Temporal was away may have told PostgreSQL alone that a call was answered. */
async function recordedAnswers(
  deps: ReconcileActivityDeps,
  calls: readonly PlacedCall[],
): Promise<ReadonlyMap<string, number>> {
  try {
    return await deps.calls.recordedAnswers(calls.map(({ callId }) => callId));
  } catch (error) {
    deps.logger.warn({ err: error }, 'answers of lost calls are not looked up without PostgreSQL');
    return new Map();
  }
}

async function settle(deps: ReconcileActivityDeps, workflows: CallWorkflows, found: Discrepancy): Promise<void> {
  const { cause, callId, nodeId, bootId, answered } = found;
  switch (cause) {
    case 'live_without_workflow':
      return; // its node ends it: that is the workflow's part
    case 'open_without_workflow':
      await endTransfer(deps, callId);
      await deps.calls.finaliseCall({
        callId,
        ending: {
          disposition: answered ? 'answered' : 'failed',
          endReason: 'workflow_lost',
          endedBy: 'system',
          sip: null,
        },
        endedAtMs: Date.now(),
        answeredAtMs: null,
        metrics: null,
        truncated: true,
      });
      return;
    case 'forgotten_by_node':
      if (bootId !== null) await workflows.signalVerify(callId, bootId);
      return;
    case 'node_gone':
      if (nodeId === null || bootId === null || !(await deps.nodes.declareLost({ nodeId, bootId }))) return;
      await tellNodeLost(deps, workflows, [{ callId, bootId }]);
      return;
  }
}

/** With its call's workflow that of the transfer is gone too: the record would say for ever that it is under way. */
async function endTransfer({ transfers, transferActivities }: ReconcileActivityDeps, callId: string): Promise<void> {
  const left = await transfers.underWay(callId);
  if (left === null) return;
  const { transferId, mode, requestedAtMs } = left;
  const atMs = Date.now();
  const durationMs = Math.max(0, atMs - (requestedAtMs ?? atMs));
  const failedStep = mode === 'refer' ? 'refer' : 'dial';
  const result = { mode, outcome: 'call_ended', sipStatus: null, durationMs, failedStep } as const;
  await transferActivities.transferFinished({ callId, transferId, result, atMs });
}

/** Throws when the sweep is cancelled, which its heartbeats tell it. */
async function pause(ms: number): Promise<void> {
  const context = Context.current();
  for (const untilMs = Date.now() + ms; Date.now() < untilMs;) {
    context.heartbeat();
    await context.sleep(Math.min(HEARTBEAT_MS, ms));
  }
}
