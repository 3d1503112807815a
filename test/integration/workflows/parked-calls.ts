import type { InboundCallInput } from '../../../workflows/call/input';
import { callStartOptions } from '../../../workflows/call/start-options';
import type { WorkflowEnvironment } from './environment';

/** No worker polls it: what is started there runs, is seen and takes signals. */
const PARKED_QUEUE = 'parked';
/** Its first task waits for as long, so that the server does not have to queue it: a quarter of what a start costs. */
const FIRST_TASK_AFTER = '1 hour';
const AT_ONCE = 50;

/** So many running calls of a boot. */
export async function parkCalls(
  env: WorkflowEnvironment,
  boot: { readonly nodeId: string; readonly bootId: string },
  count: number,
): Promise<readonly InboundCallInput[]> {
  const inputs = Array.from({ length: count }, () => env.inboundInput(boot));
  await inGroups(inputs, (input) =>
    env.client.workflow.start('callWorkflow', {
      ...callStartOptions(input),
      taskQueue: PARKED_QUEUE,
      startDelay: FIRST_TASK_AFTER,
    }),
  );
  return inputs;
}

/** Each of them, some at a time. */
export async function inGroups<T, R>(all: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE)
    done.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(work))));
  return done;
}
