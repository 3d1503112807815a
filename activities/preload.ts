/**
 * Loaded before the worker's own code, in the process and in the thread that runs the workflows
 * (`node --require …/preload.js …/main.js`).
 *
 * The SDK keeps a stack trace of every promise in every workflow, mapped to its sources, for the UI's stack trace tab:
 * half the CPU of a call's workflow (`docs/benchmarks.md`). It does without them where the runtime has no promise hooks,
 * and says so in that tab; what a call waits for stands in its details.
 */
import { promiseHooks } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { countTurns } from './workflow-turns';

if (!isMainThread) countTurns();

const createHook = promiseHooks.createHook.bind(promiseHooks);

promiseHooks.createHook = (callbacks) => {
  // Node's own hooks (AsyncLocalStorage) never ask for both: they stay.
  if (callbacks.init !== undefined && callbacks.settled !== undefined && callbacks.before === undefined) {
    throw new Error('stack traces of workflows are switched off');
  }
  return createHook(callbacks);
};
