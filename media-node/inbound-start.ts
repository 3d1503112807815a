import { Semaphore } from '../ops/semaphore';
import type { InboundCallInput } from '../workflows/call/input';
import type { CallWorkflows } from '../workflows/client/call-workflows';

/** For the start and the look at what was there before: the peer still waits for an answer, and may try another node. */
const START_LIMIT_MS = 2_000;
/**
 * Starts at once. What a server takes beside each other takes longer for each: of 20 calls that come at one instant the first
 * are answered sooner, and the last not later.
 */
const MAX_STARTS = 4;
/** For a place among them. Whoever has none by then is told so while nothing was started. */
const MAX_WAIT_MS = 1_000;

/** `foreign`: the call was started by another node or boot, or is over. `busy`: too many starts before it, nothing was done. */
export type InboundStart = 'started' | 'foreign' | 'unavailable' | 'busy';

export interface InboundStartsOptions {
  readonly workflows: Pick<CallWorkflows, 'start' | 'describe'>;
  readonly maxStarts?: number;
  readonly maxWaitMs?: number;
}

/** Starts the workflows of calls that come in, a few at a time. */
export class InboundStarts {
  readonly #options: InboundStartsOptions;
  readonly #places: Semaphore;

  constructor(options: InboundStartsOptions) {
    this.#options = options;
    this.#places = new Semaphore(options.maxStarts ?? MAX_STARTS);
  }

  /** A repeat by the same boot finds its own call. Never throws. */
  async start(input: InboundCallInput): Promise<InboundStart> {
    const deadlineMs = Date.now() + START_LIMIT_MS;
    if (!(await this.#places.acquire({ maxWaitMs: this.#options.maxWaitMs ?? MAX_WAIT_MS }))) return 'busy';
    try {
      return await this.#start(input, deadlineMs);
    } catch {
      return 'unavailable'; // whether it was started, or by whom, cannot be told now: the peer repeats
    } finally {
      this.#places.release();
    }
  }

  async #start(input: InboundCallInput, deadlineMs: number): Promise<Exclude<InboundStart, 'busy'>> {
    const { workflows } = this.#options;
    if ((await workflows.start(input, deadlineMs)) === 'started') return 'started';
    const existing = await workflows.describe(input.callId, deadlineMs);
    if (existing === null) return 'unavailable';
    const own = existing.memo.nodeId === input.nodeId && existing.memo.bootId === input.bootId;
    return own && existing.running ? 'started' : 'foreign';
  }
}
