/**
 * Ends a thread that runs onnxruntime. `Worker.terminate()` during a run aborts the whole process (the binding's
 * exception finds no handler), so the thread is asked, and leaves between two runs.
 */
import type { Worker } from 'node:worker_threads';
import { withDeadline } from '../../ops/deadline';

const PATIENCE_MS = 3_000;

export interface StopRequest {
  readonly type: 'stop';
}

/** Resolves when it has ended, or is not waited for any longer. */
export async function stopThread(worker: Worker): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.postMessage({ type: 'stop' } satisfies StopRequest);
  await withDeadline(exited, PATIENCE_MS).catch(() => undefined);
  worker.unref();
}
