import { setMaxListeners } from 'node:events';
import type { CallEnding } from '../contract/endings';
import type { CallEvents, StateEvent } from '../contract/events';
import type { NodeBoot } from '../contract/nodes';
import { withDeadline } from '../ops/deadline';
import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import type { Sleep } from '../ops/retry';
import { Semaphore } from '../ops/semaphore';
import type { CallStateSignal } from '../workflows/call/messages';
import type { SignalOutcome } from '../workflows/client/call-workflows';
import { STUCK } from './node-load';

const RETRIES = { pauseMs: 100, maximumPauseMs: 1_000 };
/** For the record, before the workflow hears of it; with PostgreSQL away it hears of it anyway. */
const FLUSH_LIMIT_MS = 1_000;
/** For an answer, which is signalled only where PostgreSQL does not take it: one of the two must know of it soon. */
const ANSWER_LIMIT_MS = 300;
/** Signals under way at once: after an outage every call has one to send. */
const MAX_PARALLEL = 32;
const MAX_REASON_CHARS = 128;
/** Five digits or more, with what people write between them. */
const PHONE_NUMBER = /\+?\(?\d(?:[\s().-]*\d){4,}/g;

/** Rejects while Temporal is away. */
type SignalCall = (callId: string, signal: CallStateSignal) => Promise<SignalOutcome>;

export interface StateSignallerOptions {
  readonly nodeId: string;
  readonly bootId: string;
  readonly signal: SignalCall;
  readonly flush: CallEvents['flush'];
  /** The call's workflow does not know yet that this node has the call. */
  readonly isUnplaced: (callId: string) => boolean;
  readonly onWorkflowLost: (callId: string) => void;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: Sleep;
  readonly nowMs?: () => number;
}

interface Waiting {
  readonly event: StateEvent;
  readonly sinceMs: number;
}

/**
 * State events of each call to its workflow, in their order, each until it is acknowledged: also over an outage of
 * Temporal of any length. Only a workflow that does not exist any more ends it. An answer that is stored is not signalled:
 * nothing of a workflow waits for it, and its end tells when it was.
 */
export class StateSignaller {
  readonly #options: StateSignallerOptions;
  readonly #queues = new Map<string, Waiting[]>();
  /** When calls that have not ended were answered, epoch ms. */
  readonly #answers = new Map<string, number>();
  readonly #ends = new Map<string, (() => void)[]>();
  readonly #places = new Semaphore(MAX_PARALLEL);
  readonly #idle: (() => void)[] = [];
  readonly #closing = new AbortController();
  readonly #nowMs: () => number;

  constructor(options: StateSignallerOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
    setMaxListeners(0, this.#closing.signal); // each call that waits listens
  }

  /** Calls with events that are not acknowledged. */
  get pendingCalls(): number {
    return this.#queues.size;
  }

  /** Whether the call has events that are not acknowledged. */
  isPending(callId: string): boolean {
    return this.#queues.has(callId);
  }

  /** For how long the oldest event has waited for its acknowledgement, but for those of a few calls that may be stuck. */
  get behindMs(): number {
    if (this.#queues.size <= STUCK) return 0;
    const heads = [...this.#queues.values()].map(([head]) => head?.sinceMs ?? Infinity).sort((a, b) => a - b);
    return Math.max(0, this.#nowMs() - heads[STUCK]!);
  }

  enqueue(event: StateEvent): void {
    if (event.type === 'answered') this.#answers.set(event.callId, event.atMs);
    const waiting = { event, sinceMs: this.#nowMs() };
    const queue = this.#queues.get(event.callId);
    if (queue !== undefined) {
      queue.push(waiting);
      return;
    }
    this.#queues.set(event.callId, [waiting]);
    void this.#drainCall(event.callId);
  }

  /** Resolves when the workflow of the call knows its end, or after `timeoutMs`. */
  async toldEnd(callId: string, timeoutMs: number): Promise<void> {
    const told = new Promise<void>((resolve) => {
      const waiting = this.#ends.get(callId);
      if (waiting === undefined) this.#ends.set(callId, [resolve]);
      else waiting.push(resolve);
    });
    await withDeadline(told, timeoutMs).catch(() => this.#ends.delete(callId));
  }

  /** Resolves when everything is acknowledged, or after `timeoutMs`; nothing is repeated after that. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#queues.size > 0) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      await withDeadline(idle, timeoutMs).catch(() => undefined); // the rest stays pending
    }
    this.#closing.abort();
  }

  async #drainCall(callId: string): Promise<void> {
    const queue = this.#queues.get(callId) ?? [];
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      const { event } = head;
      if (this.#closing.signal.aborted) return;
      const outcome = (await this.#isStored(event)) ? 'delivered' : await this.#deliver(event);
      if (outcome === 'closed') return;
      if (event.type === 'ended') this.#ended(callId);
      if (outcome === 'gone') {
        queue.length = 0;
        this.#options.onWorkflowLost(callId);
      } else queue.shift();
    }
    this.#queues.delete(callId);
    if (this.#queues.size === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  #ended(callId: string): void {
    this.#answers.delete(callId);
    for (const told of this.#ends.get(callId) ?? []) told();
    this.#ends.delete(callId);
  }

  /** All that is to be done with it. */
  async #isStored(event: StateEvent): Promise<boolean> {
    const { callId } = event;
    const { flush, isUnplaced } = this.#options;
    if (event.type === 'answered') return (await flush(callId, ANSWER_LIMIT_MS)) && !isUnplaced(callId);
    if (showsInRecord(event)) await flush(callId, FLUSH_LIMIT_MS);
    return false;
  }

  async #deliver(event: StateEvent): Promise<SignalOutcome | 'closed'> {
    const { callId } = event;
    const { logger, sleep } = this.#options;
    const signal = toSignal(event, this.#options, this.#answers.get(callId));
    try {
      return await retry(() => this.#signal(callId, signal), {
        ...RETRIES,
        signal: this.#closing.signal,
        onFailure: (error) => logger.debug({ callId, err: error }, 'state event is sent again'),
        ...(sleep === undefined ? {} : { sleep }),
      });
    } catch {
      return 'closed'; // nothing else ends it
    }
  }

  async #signal(callId: string, signal: CallStateSignal): Promise<'delivered' | 'gone'> {
    await this.#places.acquire();
    try {
      return await this.#options.signal(callId, signal);
    } finally {
      this.#places.release();
    }
  }
}

/** The record is complete at the end of a call, and shows a hold as soon as somebody is told of it. */
function showsInRecord(event: StateEvent): boolean {
  return event.type === 'ended' || (event.type === 'command' && (event.verb === 'hold' || event.verb === 'unhold'));
}

function toSignal(event: StateEvent, node: NodeBoot, answeredAtMs: number | undefined): CallStateSignal {
  const { nodeId, bootId } = node;
  const base = { seq: event.seq, atMs: event.atMs, nodeId, bootId };
  if (event.type === 'answered') {
    return { ...base, type: 'answered', sipCallId: event.sipCallId, postDialDelayMs: event.postDialDelayMs };
  }
  if (event.type === 'peer_referred') {
    const { referId, outcome, sipStatus } = event;
    return { ...base, type: 'peer_referred', referId, outcome, sipStatus };
  }
  if (event.type === 'command') {
    const { commandId, verb, outcome, sipStatus, legOutcome, mayDial } = event;
    return {
      ...base,
      type: 'command',
      commandId,
      verb,
      outcome,
      ...(sipStatus === undefined ? {} : { sipStatus }),
      ...(legOutcome === undefined ? {} : { legOutcome }),
      ...(mayDial === undefined ? {} : { mayDial }),
    };
  }
  if (event.type === 'transfer_wanted') {
    const { transferId, by, destinationId } = event;
    return { ...base, type: 'transfer_wanted', transferId, by, destinationId };
  }
  const ending = withSafeReason(event.ending);
  return {
    ...base,
    type: 'ended',
    ending,
    metrics: event.metrics,
    ...(answeredAtMs === undefined ? {} : { answeredAtMs }),
  };
}

/** The reason phrase is the peer's own text (RFC 3261 §7.2); the event in the store keeps all of it. */
function withSafeReason(ending: CallEnding): CallEnding {
  const { sip } = ending;
  if (sip === null || sip.reason === null) return ending;
  const reason = sip.reason.slice(0, MAX_REASON_CHARS).replace(PHONE_NUMBER, '…');
  return { ...ending, sip: { ...sip, reason } };
}
