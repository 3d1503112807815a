/**
 * Whether the threads that run workflows come to the end of what they run.
 *
 * The SDK bounds each step into a workflow's code by the `timeout` of `vm.Script`, for which Node starts a thread and joins it
 * again: dozens of times in a call, more than half of the CPU of its workflow (`docs/benchmarks.md`). Here the thread counts
 * instead, and one timer of the process looks at all of its threads.
 */
import { Script } from 'node:vm';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const KEY = 'trunkline.workflow-turns';
/** Of one process; those of workers that were started anew take the next. */
const PLACES = 64;
/** Of code that only decides, and waits for nothing, in milliseconds; the SDK gives it five seconds, but fails less for it. */
const LONGEST_TURN_MS = 15_000;
/** A process that was stopped for a while is not suspected for it: it takes as many looks. */
const LOOKS = 5;

/** In the process, before it has threads. `onHung`: once, when one of them does not come back from a workflow. */
export function watchTurns(onHung: () => void, longestMs = LONGEST_TURN_MS): { close(): void } {
  // The first counts the threads; each of the others is odd within a turn and even between two.
  const counts = new Int32Array(new SharedArrayBuffer(4 * (1 + PLACES)));
  setEnvironmentData(KEY, counts);
  const seen = new Int32Array(counts.length);
  const looks = new Int32Array(counts.length);
  const timer = setInterval(() => {
    for (let place = 1; place < counts.length; place++) {
      const count = Atomics.load(counts, place);
      looks[place] = count % 2 !== 0 && count === seen[place] ? looks[place]! + 1 : 0;
      seen[place] = count;
    }
    if (!looks.includes(LOOKS)) return;
    clearInterval(timer);
    onHung();
  }, longestMs / LOOKS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** In a thread. Does nothing where nobody watches. */
export function countTurns(): void {
  const counts = getEnvironmentData(KEY);
  if (!(counts instanceof Int32Array)) return;
  const place = 1 + (Atomics.add(counts, 0, 1) % PLACES);
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
