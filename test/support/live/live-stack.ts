/** A stack with phones that can call, and a view of what else must stay undisturbed while something of it dies. */
import { freePort } from '../free-ports';
import { scrapedByLabel, scrapedMetric } from '../scraped-metric';
import { Stack } from '../stack';
import type { StackOptions } from '../stack';
import { waitFor } from '../wait-for';
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

  /**
   * Every call has its end: no open record, no workflow that runs, nothing on the node.
   * @param dropStrays A call whose placing had failed may still be dialled for a minute, and is hung up then.
   */
  async untilNothingIsOpen(limitMs = 30_000, dropStrays = false): Promise<void> {
    let left: unknown;
    try {
      await waitFor('the end of all calls', limitMs, async () => {
        if (dropStrays) await this.calls.dropStrays();
        const [open, running, active] = await Promise.all([
          this.calls.open(),
          this.#temporal.runningCalls(),
          this.activeCalls(),
        ]);
        left = { open, running, active };
        if (open.length + active > 0) return undefined;
        return running === 0 || (await this.#temporal.stillRunning()).count === 0 ? true : undefined;
      });
    } catch (error) {
      const running = await this.#temporal.stillRunning().catch(String);
      throw new Error(`still open: ${JSON.stringify({ left, running })}`, { cause: error });
    }
  }

  /** Calls that the reconciler had to settle since the worker began, by cause. */
  async reconciled(): Promise<Readonly<Record<string, number>>> {
    return scrapedByLabel(`http://127.0.0.1:${this.#workerPort}`, 'trunkline_reconciled_calls_total');
  }

  /** Comparisons it has made since then. */
  async reconcilerPasses(): Promise<number> {
    return scrapedMetric(`http://127.0.0.1:${this.#workerPort}`, 'trunkline_reconciler_passes_total');
  }

  runningTransfers(): Promise<number> {
    return this.#temporal.runningTransfers();
  }

  /** On the media node, whatever their state. */
  activeCalls(): Promise<number> {
    return scrapedMetric(this.stack.mediaUrl, 'trunkline_calls_active');
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.calls.close(), this.#temporal.close()]);
    await this.stack.stop();
  }
}
