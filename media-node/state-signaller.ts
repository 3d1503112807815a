import type { CallEnding } from '../contract/endings';
import type { CallEvents, StateEvent } from '../contract/events';
import type { Logger } from '../ops/logger';
import type { CallStateSignal } from '../workflows/call/messages';
import type { SignalOutcome } from '../workflows/client/call-workflows';

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 1_000;
/** The record shall be complete when the workflow hears of the end; with PostgreSQL away it hears of it anyway. */
const FLUSH_LIMIT_MS = 1_000;
/** Signals under way at once: after an outage every call has one to send. */
const MAX_PARALLEL = 32;
const MAX_REASON_CHARS = 128;
/** Five digits or more, with what people write between them. */
const PHONE_NUMBER = /\+?\(?\d(?:[\s().-]*\d){4,}/g;

/** Rejects while Temporal is away. */
export type SignalCall = (callId: string, signal: CallStateSignal) => Promise<SignalOutcome>;

export interface StateSignallerOptions {
  readonly nodeId: string;
  readonly bootId: string;
  readonly signal: SignalCall;
  readonly flush: CallEvents['flush'];
  readonly onWorkflowLost: (callId: string) => void;
  readonly logger: Logger;
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * State events of each call to its workflow, in their order, each until it is acknowledged: also over an outage of
 * Temporal of any length. Only a workflow that does not exist any more ends it.
 */
export class StateSignaller {
  readonly #options: StateSignallerOptions;
  readonly #queues = new Map<string, StateEvent[]>();
  readonly #slots: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #running = 0;
  #closed = false;

  constructor(options: StateSignallerOptions) {
    this.#options = options;
  }

  /** Calls with events that are not acknowledged. */
  get pendingCalls(): number {
    return this.#queues.size;
  }

  enqueue(event: StateEvent): void {
    const queue = this.#queues.get(event.callId);
    if (queue !== undefined) {
      queue.push(event);
      return;
    }
    this.#queues.set(event.callId, [event]);
    void this.#drainCall(event.callId);
  }

  /** Resolves when everything is acknowledged, or after `timeoutMs`; nothing is repeated after that. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#queues.size > 0) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, timeoutMs);
        this.#idle.push(() => {
          clearTimeout(limit);
          resolve();
        });
      });
    }
    this.#closed = true;
  }

  async #drainCall(callId: string): Promise<void> {
    const queue = this.#queues.get(callId) ?? [];
    for (let event = queue[0]; event !== undefined && !this.#closed; event = queue[0]) {
      if (event.type === 'ended') await this.#options.flush(callId, FLUSH_LIMIT_MS);
      if ((await this.#deliver(event)) === 'gone') {
        queue.length = 0;
        this.#options.onWorkflowLost(callId);
      } else queue.shift();
    }
    this.#queues.delete(callId);
    if (this.#queues.size === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  async #deliver(event: StateEvent): Promise<SignalOutcome | 'closed'> {
    const signal = toSignal(event, this.#options);
    for (let retryMs = FIRST_RETRY_MS; !this.#closed; retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)) {
      await this.#acquire();
      try {
        return await this.#options.signal(event.callId, signal);
      } catch (error) {
        this.#options.logger.debug({ callId: event.callId, err: error }, 'state event is sent again');
      } finally {
        this.#release();
      }
      await (this.#options.sleep ?? sleep)(retryMs);
    }
    return 'closed';
  }

  async #acquire(): Promise<void> {
    if (this.#running >= MAX_PARALLEL) await new Promise<void>((resolve) => this.#slots.push(resolve));
    this.#running++;
  }

  #release(): void {
    this.#running--;
    this.#slots.shift()?.();
  }
}

function toSignal(event: StateEvent, node: { readonly nodeId: string; readonly bootId: string }): CallStateSignal {
  const { nodeId, bootId } = node;
  const base = { seq: event.seq, atMs: event.atMs, nodeId, bootId };
  if (event.type === 'answered') {
    return { ...base, type: 'answered', sipCallId: event.sipCallId, postDialDelayMs: event.postDialDelayMs };
  }
  return { ...base, type: 'ended', ending: withSafeReason(event.ending), metrics: event.metrics };
}

/** The reason phrase is the peer's own text (RFC 3261 §7.2); the event in the store keeps all of it. */
function withSafeReason(ending: CallEnding): CallEnding {
  const { sip } = ending;
  if (sip === null || sip.reason === null) return ending;
  const reason = sip.reason.slice(0, MAX_REASON_CHARS).replace(PHONE_NUMBER, '…');
  return { ...ending, sip: { ...sip, reason } };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
