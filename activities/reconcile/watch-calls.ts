import { Context } from '@temporalio/activity';
import type { NodeCalls } from '../../contract/nodes';
import type { CallWorkflows } from '../../workflows/client/call-workflows';
import type { Discrepancy } from '../../workflows/reconciler/activities';
import { confirmed } from '../../workflows/reconciler/confirmed';
import { listsOfNodes } from './node-lists';
import type { ReconcileActivityDeps } from './reconcile-activities';
import { remindTrunks } from './remind-trunks';
import { MIN_AGE_MS, survey } from './survey';

const EVERY_MS = 10_000;
/** Between two passes of which the first has found something: what was under way during it is done by the second. */
const AGAIN_MS = 4_000;
const HEARTBEAT_MS = 3_000;
/** What one answer holds, well below what one payload may; the passes after it find the rest. */
const MAX_FOUND = 1_000;
const PARALLEL_LOOKS = 10;
/** More than any node's `last_seen` can be old and still matter. */
const EVER_SEEN_MS = 7 * 24 * 3_600_000;

/** See `ReconcileActivities.watchCalls`. Rejects when the activity is cancelled, as by the end of its worker. */
export async function watchCalls(
  deps: ReconcileActivityDeps,
  workflows: CallWorkflows,
  untilMs: number,
): Promise<readonly Discrepancy[]> {
  const context = Context.current();
  const beating = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    for (let before: readonly Discrepancy[] = []; ;) {
      await remindTrunks(deps);
      const found = await compare(deps, workflows, await listsOfNodes(deps.lists));
      deps.passes.inc();
      await runSweeps(deps);
      const both = await withoutTheRunning(workflows, confirmed(before, found).slice(0, MAX_FOUND));
      if (both.length > 0 || (found.length === 0 && Date.now() >= untilMs)) return both;
      before = found;
      await context.sleep(found.length === 0 ? EVERY_MS : AGAIN_MS);
    }
  } finally {
    clearInterval(beating);
  }
}

/** One that fails is done again by the next pass, and keeps no other from being done. */
async function runSweeps({ sweeps, logger }: Pick<ReconcileActivityDeps, 'sweeps' | 'logger'>): Promise<void> {
  for (const sweep of sweeps) {
    try {
      await sweep();
    } catch (error) {
      logger.warn({ err: error }, 'a sweep is done again by the next pass');
    }
  }
}

/** One pass. */
export async function compare(
  deps: ReconcileActivityDeps,
  workflows: CallWorkflows,
  nodes: readonly NodeCalls[],
): Promise<Discrepancy[]> {
  const [rows, running, known] = await Promise.all([
    deps.calls.listOpen(MIN_AGE_MS),
    workflows.running(),
    deps.nodes.live(EVER_SEEN_MS),
  ]);
  const presence = new Map(
    known.map(({ nodeId, bootId, ageMs }) => [nodeId, { nodeId, bootId, silentMs: ageMs }] as const),
  );
  return survey({ nowMs: Date.now(), rows, running, nodes, presence });
}

/** Visibility lags: whether a workflow is really gone is asked of the workflow itself. */
export async function withoutTheRunning(
  workflows: CallWorkflows,
  found: readonly Discrepancy[],
): Promise<Discrepancy[]> {
  const kept: Discrepancy[] = [];
  for (let at = 0; at < found.length; at += PARALLEL_LOOKS) {
    const some = found.slice(at, at + PARALLEL_LOOKS);
    const run = await Promise.all(some.map((discrepancy) => hasWorkflow(workflows, discrepancy)));
    kept.push(...some.filter((_, index) => run[index] !== true));
  }
  return kept;
}

/** It says that there is none, and there is one. */
async function hasWorkflow(workflows: CallWorkflows, { cause, callId }: Discrepancy): Promise<boolean> {
  const claimsNone = cause === 'live_without_workflow' || cause === 'open_without_workflow';
  return claimsNone && (await workflows.describe(callId))?.running === true;
}
