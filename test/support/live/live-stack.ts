/** A stack with phones that can call, and a view of what else must stay undisturbed while something of it dies. */
import { freePort } from '../free-ports';
import { Stack, waitFor } from '../stack';
import type { StackOptions } from '../stack';
import { LiveCalls } from './live-calls';
import { TemporalView } from './temporal-view';
import type { NodeState } from './temporal-view';

const NODE_ID = 'node-under-test';

export class LiveStack {
  readonly stack: Stack;
  readonly calls: LiveCalls;
  readonly #workerPort: number;
  /** The server may have another port after a start of the whole stack. */
  #temporal: TemporalView;

  static async start(options: StackOptions = {}): Promise<LiveStack> {
    const workerPort = await freePort();
    const env = { MEDIA_NODE_ID: NODE_ID, WORKER_HTTP_PORT: String(workerPort), ...options.env };
    const stack = await Stack.start({ ...options, env });
    try {
      return new LiveStack(stack, await LiveCalls.create(stack), workerPort);
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  private constructor(stack: Stack, calls: LiveCalls, workerPort: number) {
    this.stack = stack;
    this.calls = calls;
    this.#workerPort = workerPort;
    this.#temporal = new TemporalView(stack.temporalAddress);
  }

  get temporal(): TemporalView {
    return this.#temporal;
  }

  async startAgain(): Promise<void> {
    await this.#temporal.close();
    await this.stack.startAgain();
    this.#temporal = new TemporalView(this.stack.temporalAddress);
  }

  /** The media node as its workflow knows it; waits while that cannot be asked. */
  nodeState(limitMs = 20_000): Promise<NodeState> {
    return waitFor('the state of the media node', limitMs, () =>
      this.#temporal.nodeState(NODE_ID).catch(() => undefined),
    );
  }

  /** Calls that the reconciler had to settle since the worker began. */
  async reconciled(): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#workerPort}/metrics`)).text();
    const values = [...text.matchAll(/^trunkline_reconciled_calls_total(?:\{[^}]*\})? (\S+)$/gm)];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.calls.close(), this.#temporal.close()]);
    await this.stack.stop();
  }
}
