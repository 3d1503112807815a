/**
 * Which revision of the workflow code ran a workflow task. Its worker's build id stands in each task of a history, so a
 * workflow can ask for it at no cost, where `patched` costs every run a marker, and an upsert of search attributes beside it.
 */
import { patched, workflowInfo } from '@temporalio/workflow';

const PREFIX = 'trunkline-workflows-';
/**
 * Raised by a release that changes the order of a workflow's commands.
 *
 *     1  0.1.0 and whatever came before build ids; what changed meanwhile is marked in its histories (`patched`)
 *     2  a call's workflow hears of what it waits for, and writes down what nobody else does
 *     3  of a call that has come in, its node stores the row
 */
const REVISION = 3;

export const WORKFLOW_BUILD_ID = `${PREFIX}${REVISION}`;

/** Of the present workflow task: who runs it first decides, and every replay says the same. */
export function revision(): number {
  const { currentBuildId = '' } = workflowInfo();
  return currentBuildId.startsWith(PREFIX) ? Number(currentBuildId.slice(PREFIX.length)) : 1;
}

/** As `patched`, of a change that revision 2 has in any case. */
export function changed(change: string): boolean {
  return revision() >= 2 || patched(change);
}
