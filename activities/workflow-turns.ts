/**
 * Whether the threads that run workflows come to the end of what they run.
 *
 * The SDK bounds each step into a workflow's code by the `timeout` of `vm.Script`, for which Node starts a thread and joins it
 * again: dozens of times in a call, more than half of the CPU of its workflow (`docs/benchmarks.md`). Here the thread counts
 * instead, and one timer of the process looks at all of its threads.
 */
import { Script } from 'node:vm';
import { getEnvironmentData, setEnvironmentData, threadId } from 'node:worker_threads';
import type { Worker } from 'node:worker_threads';

const KEY = 'trunkline.workflow-turns';
/** By the threads' ids, which grow by one. */
const PLACES = 64;
/** Of code that only decides, and waits for nothing, in milliseconds; the SDK gives it five seconds, but fails less for it. */
const LONGEST_TURN_MS = 15_000;
/** A process that was stopped for a while is not suspected for it: it takes as many looks. */
const LOOKS = 5;

interface TurnWatchOptions {
  readonly longestMs?: number;
  /** Tells of its threads; a test's own `process` does not. */
  readonly threads?: Pick<NodeJS.Process, 'on' | 'off'>;
}

/** In the process, before it has threads. `onHung`: once, when one of them does not come back from a workflow. */
export function watchTurns(onHung: () => void, options: TurnWatchOptions = {}): { close(): void } {
  const { longestMs = LONGEST_TURN_MS, threads = process } = options;
  // Of each thread: odd within a turn, even between two.
  const counts = new Int32Array(new SharedArrayBuffer(4 * PLACES));
  setEnvironmentData(KEY, counts);
  // One that is ended in the middle of a turn, with its worker, does not hang.
  const onThread = (thread: Worker): void => {
    const place = thread.threadId % PLACES;
    thread.once('exit', () => Atomics.store(counts, place, 0));
  };
  threads.on('worker', onThread);
  const seen = new Int32Array(counts.length);
  const looks = new Int32Array(counts.length);
  const timer = setInterval(() => {
    for (let place = 0; place < counts.length; place++) {
      const count = Atomics.load(counts, place);
      looks[place] = count % 2 !== 0 && count === seen[place] ? looks[place]! + 1 : 0;
      seen[place] = count;
    }
    if (!looks.includes(LOOKS)) return;
    clearInterval(timer);
    onHung();
  }, longestMs / LOOKS);
  timer.unref();
  return {
    close: () => {
      clearInterval(timer);
      threads.off('worker', onThread);
    },
  };
}

/** In a thread. Does nothing where nobody watches. */
export function countTurns(): void {
  const counts = getEnvironmentData(KEY);
  if (!(counts instanceof Int32Array)) return;
  const place = threadId % PLACES;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the script that it was called on
  const run = Script.prototype.runInContext;
  const untimed = { displayErrors: true };
  Script.prototype.runInContext = function (context, options) {
    // What has no limit was the loading of the bundle.
    if (typeof options !== 'object' || options.timeout === undefined) return run.call(this, context, options);
    Atomics.add(counts, place, 1);
    try {
      return run.call(this, context, untimed) as unknown;
    } finally {
      Atomics.add(counts, place, 1);
    }
  };
}
