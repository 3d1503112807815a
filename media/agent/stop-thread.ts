/**
 * Ends a thread that runs onnxruntime. `Worker.terminate()` during a run aborts the whole process (the binding's
 * exception finds no handler), so the thread is asked, and leaves between two runs.
 */
import type { Worker } from 'node:worker_threads';

const PATIENCE_MS = 3_000;

export interface StopRequest {
  readonly type: 'stop';
}

/** Resolves when it has ended, or is not waited for any longer. */
export async function stopThread(worker: Worker): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.postMessage({ type: 'stop' } satisfies StopRequest);
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([exited, patience]);
  clearTimeout(timer);
  worker.unref();
}
