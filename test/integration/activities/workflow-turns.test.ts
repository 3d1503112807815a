/** A workflow that never comes to an end of its turn, in a thread like the SDK's. */
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { runInThisContext } from 'node:vm';
import { Worker } from 'node:worker_threads';

import { watchTurns } from '../../../activities/workflow-turns';
import { PROJECT_ROOT } from '../../../scripts/project-root';

/** Not the one that jest makes for a test. */
const realProcess = runInThisContext('process') as NodeJS.Process;
const LONGEST_MS = 500;
/** Of what the SDK gives it. */
const SDK_LIMIT_MS = 20;

/** Runs `code` as the SDK runs a turn, once it is told to, and says when it is back from it. */
function thread(code: string): Worker {
  const modules = (path: string): string => JSON.stringify(join(PROJECT_ROOT, path));
  return new Worker(
    `require(${JSON.stringify(require.resolve('tsx/cjs'))}); require(${modules('activities/preload.ts')});
     const { createContext, Script } = require('node:vm');
     const { parentPort } = require('node:worker_threads');
     const turn = new Script(${JSON.stringify(code)});
     const context = createContext({});
     parentPort.on('message', () => {
       try { parentPort.postMessage(turn.runInContext(context, { timeout: ${SDK_LIMIT_MS}, displayErrors: true })); }
       catch (error) { parentPort.postMessage(String(error)); }
     });
     parentPort.postMessage('ready');`,
    { eval: true },
  );
}

async function said(worker: Worker): Promise<unknown> {
  return new Promise((resolve) => worker.once('message', resolve));
}

describe('turns of workflows', () => {
  let worker: Worker;
  let watch: { close(): void };
  let hung: number;

  beforeEach(() => {
    hung = 0;
    watch = watchTurns(() => hung++, { longestMs: LONGEST_MS, threads: realProcess });
  });
  afterEach(async () => {
    watch.close();
    await worker.terminate();
  });

  it('that ends late for the SDK, and by its own, is none that hangs', async () => {
    worker = thread(`{ const untilMs = Date.now() + ${5 * SDK_LIMIT_MS}; while (Date.now() < untilMs); } 'over'`);
    expect(await said(worker)).toBe('ready');
    for (let turn = 0; turn < 3; turn++) {
      worker.postMessage('go');
      expect(await said(worker)).toBe('over');
    }
    await after(2 * LONGEST_MS);
    expect(hung).toBe(0);
  });

  it('that throws has come to its end', async () => {
    worker = thread(`throw new Error('of the workflow')`);
    expect(await said(worker)).toBe('ready');
    worker.postMessage('go');
    expect(await said(worker)).toBe('Error: of the workflow');
    await after(2 * LONGEST_MS);
    expect(hung).toBe(0);
  });

  it('that was ended with its thread does not hang', async () => {
    worker = thread('for (;;);');
    expect(await said(worker)).toBe('ready');
    worker.postMessage('go');
    await after(LONGEST_MS / 2);
    await worker.terminate();
    await after(2 * LONGEST_MS);
    expect(hung).toBe(0);
  });

  it('that never ends is told, once', async () => {
    worker = thread('for (;;);');
    expect(await said(worker)).toBe('ready');
    worker.postMessage('go');
    await after(LONGEST_MS / 2);
    expect(hung).toBe(0);
    await after(3 * LONGEST_MS);
    expect(hung).toBe(1);
  });
});
