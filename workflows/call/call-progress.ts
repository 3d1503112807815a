import { ApplicationFailure } from '@temporalio/common';
import type { CallStatus } from '../../contract/call';
import { wasAnswered } from '../../contract/endings';
import type { CallEnding, CallMetrics } from '../../contract/endings';
import type { CallInput } from './input';
import type { CallSnapshot, CallStateSignal } from './messages';

export interface CallNode {
  readonly nodeId: string;
  readonly bootId: string;
  readonly sipCallId: string | null;
}

export type SignalEffect = 'answered' | 'peer_referred' | 'command' | 'transfer_wanted' | 'ended' | 'ignored';

/** A conversation is one state to the workflow: who is on hold is its node's business. */
type FollowedStatus = Exclude<CallStatus, 'held' | 'transferring'>;

const MOVES: Readonly<Record<FollowedStatus, readonly FollowedStatus[]>> = {
  scheduled: ['queued', 'completed'],
  queued: ['dialing', 'completed'],
  dialing: ['queued', 'in_progress', 'completed'],
  ringing: ['in_progress', 'completed'],
  in_progress: ['completed'],
  completed: [],
};

/**
 * What a call's workflow knows. Pure: no timers, no activities.
 *
 *     outbound   scheduled → queued ⇄ dialing → in_progress → completed
 *     inbound    ringing ─────────→ in_progress → completed
 *
 * A state event counts once (by the node's seq) and only from the boot the call lives on; the first ending wins.
 */
export class CallProgress {
  readonly #callId: string;
  #status: FollowedStatus;
  #node: CallNode | null = null;
  #lastSeq = 0;
  #answeredAtMs: number | null = null;
  #endedAtMs: number | null = null;
  #ending: CallEnding | null = null;
  #metrics: CallMetrics | null = null;
  #truncated = false;
  readonly #lostBoots = new Set<string>();

  constructor(input: CallInput) {
    this.#callId = input.callId;
    this.#status =
      input.direction === 'inbound' ? 'ringing' : input.scheduledAtMs === undefined ? 'queued' : 'scheduled';
    if (input.direction === 'inbound') {
      this.#node = { nodeId: input.nodeId, bootId: input.bootId, sipCallId: input.sipCallId };
    }
  }

  get status(): CallStatus {
    return this.#status;
  }

  get node(): CallNode | null {
    return this.#node;
  }

  get answeredAtMs(): number | null {
    return this.#answeredAtMs;
  }

  get endedAtMs(): number | null {
    return this.#endedAtMs;
  }

  get ending(): CallEnding | null {
    return this.#ending;
  }

  get ended(): boolean {
    return this.#ending !== null;
  }

  get metrics(): CallMetrics | null {
    return this.#metrics;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Records of the node are missing and are not waited for. */
  get truncated(): boolean {
    return this.#truncated;
  }

  get state(): CallSnapshot {
    return {
      callId: this.#callId,
      status: this.#status,
      nodeId: this.#node?.nodeId ?? null,
      bootId: this.#node?.bootId ?? null,
      sipCallId: this.#node?.sipCallId ?? null,
      answeredAtMs: this.#answeredAtMs,
      ending: this.#ending,
    };
  }

  /** The time has come that it was scheduled for. */
  due(): void {
    if (this.#status === 'scheduled') this.#transition('queued');
  }

  dialing(): void {
    if (!this.ended && this.#status !== 'dialing') this.#transition('dialing');
  }

  /** Nothing was dialled: the call waits for its next attempt. */
  requeued(): void {
    if (this.#status === 'dialing' && this.#node === null) this.#transition('queued');
  }

  /** The node that has the call: the dial's answer, a state event, or a node that was asked. */
  placedOn(node: CallNode, nowMs: number): void {
    if (this.ended) return;
    this.#node = node;
    if (this.#lostBoots.has(node.bootId)) this.nodeLost(node.bootId, nowMs);
  }

  /** Answered, as far as its node says; the event with the exact time may still come. */
  adoptAnswer(nowMs: number): boolean {
    if (this.ended || this.#answeredAtMs !== null) return false;
    this.#answeredAtMs = nowMs;
    this.#transition('in_progress');
    return true;
  }

  stateEvent(signal: CallStateSignal): SignalEffect {
    if (this.ended || signal.seq <= this.#lastSeq) return 'ignored';
    if (this.#node === null) {
      if (this.#status !== 'dialing') return 'ignored';
      this.#node = { nodeId: signal.nodeId, bootId: signal.bootId, sipCallId: sipCallIdOf(signal) };
    } else if (this.#node.bootId !== signal.bootId) return 'ignored';
    this.#lastSeq = signal.seq;
    if (signal.type === 'ended') {
      this.#answeredAtMs = signal.answeredAtMs ?? this.#answeredAtMs;
      this.#metrics = signal.metrics;
      this.end(signal.ending, signal.atMs);
      return 'ended';
    }
    if (signal.type !== 'answered') return signal.type;
    this.#answeredAtMs = signal.atMs;
    this.#node = { ...this.#node, sipCallId: signal.sipCallId };
    if (this.#status !== 'in_progress') this.#transition('in_progress');
    return 'answered';
  }

  /** A call of another boot ignores it; a dial under way remembers it until the boot of its node is known. */
  nodeLost(bootId: string, nowMs: number, answeredAtMs?: number): boolean {
    if (this.ended) return false;
    if (this.#node?.bootId !== bootId) {
      this.#lostBoots.add(bootId);
      return false;
    }
    this.#answeredAtMs ??= answeredAtMs ?? null;
    this.end(
      {
        disposition: this.#answeredAtMs === null ? 'failed' : 'answered',
        endReason: 'media_node_lost',
        endedBy: 'system',
        sip: null,
      },
      nowMs,
      { truncated: true },
    );
    return true;
  }

  /** Of a call that ended without its node's word: its record says that it had been answered. */
  foundAnswered(atMs: number): void {
    if (this.#ending === null || this.#answeredAtMs !== null) return;
    this.#answeredAtMs = atMs;
    this.#ending = { ...this.#ending, disposition: 'answered' };
    this.#endedAtMs = Math.max(this.#endedAtMs ?? atMs, atMs);
  }

  end(ending: CallEnding, atMs: number, options: { truncated?: boolean } = {}): boolean {
    if (this.ended) return false;
    // An answered call keeps its disposition, whatever stopped it.
    const settled = this.#answeredAtMs === null || wasAnswered(ending);
    this.#ending = settled ? ending : { ...ending, disposition: 'answered' };
    this.#endedAtMs = Math.max(atMs, this.#answeredAtMs ?? atMs);
    this.#truncated = options.truncated ?? false;
    this.#transition('completed');
    return true;
  }

  #transition(next: FollowedStatus): void {
    if (!MOVES[this.#status].includes(next)) {
      throw ApplicationFailure.nonRetryable(`a call cannot go from ${this.#status} to ${next}`, 'invalid_transition');
    }
    this.#status = next;
  }
}

function sipCallIdOf(signal: CallStateSignal): string | null {
  if (signal.type === 'answered') return signal.sipCallId;
  return signal.type === 'ended' ? (signal.ending.sip?.sipCallId ?? null) : null;
}
