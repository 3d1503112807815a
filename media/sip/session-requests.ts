import { TimerSet } from '../clock';

import type { Clock } from '../clock';
import type { InDialogRequest, InDialogResult } from './dialog-requests';
import type { SipResponse } from './message/message';

/** `given_up`: it was not wanted any more, or the dialog ended before. */
export type SessionRequestResult = InDialogResult | 'given_up';

interface SessionRequest {
  /** Asked at each try: what was said a while ago may not hold any more. Null: it is not wanted any more. */
  readonly make: () => InDialogRequest | null;
  /** Whether a refusal is worth another try at once. */
  readonly again: (refusal: SipResponse) => boolean;
  /** Called once. */
  readonly done: (result: SessionRequestResult) => void;
}

interface SessionRequestsOptions {
  readonly clock: Clock;
  /** The INVITE that opened the dialog was ours. */
  readonly ownsCallId: boolean;
  readonly request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void;
}

/** A peer that always has an offer of its own open is not asked for ever. */
const MAX_BACK_OFFS = 5;
/** RFC 3261 §14.2: who asks for more does not mean the exchange that is open. */
const LONGEST_RETRY_AFTER_SECONDS = 10;

/**
 * re-INVITEs and UPDATEs of ours in one dialog, one after the other (RFC 3261 §14.1). One that meets an exchange of the
 * peer is tried again; those behind it wait as long.
 */
export class SessionRequests {
  readonly #options: SessionRequestsOptions;
  readonly #timers: TimerSet<'back_off'>;
  /** The first is under way, or waits until it may be. */
  readonly #queue: SessionRequest[] = [];
  #busy = false;
  #backOffs = 0;
  #stopped = false;

  constructor(options: SessionRequestsOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  send(request: SessionRequest): void {
    if (this.#stopped) {
      request.done('given_up');
      return;
    }
    this.#queue.push(request);
    this.#next();
  }

  /** The dialog ends: nothing more is sent. */
  stop(): void {
    this.#stopped = true;
    this.#timers.clearAll();
    for (const { done } of this.#queue.splice(0)) done('given_up');
  }

  #next(): void {
    const [first] = this.#queue;
    if (this.#busy || first === undefined) return;
    this.#busy = true;
    this.#backOffs = 0;
    this.#try(first);
  }

  #try(first: SessionRequest): void {
    const request = first.make();
    if (request === null) this.#end(first, 'given_up');
    else this.#options.request(request, (result) => this.#answered(first, result));
  }

  #answered(first: SessionRequest, result: InDialogResult): void {
    // It was given up meanwhile.
    if (this.#queue[0] !== first) return;
    const backOffMs = typeof result === 'object' ? this.#backOffMs(result) : null;
    if (backOffMs !== null && this.#backOffs < MAX_BACK_OFFS) {
      this.#backOffs += 1;
      this.#timers.arm('back_off', backOffMs, () => this.#try(first));
    } else if (typeof result === 'object' && result.status >= 300 && first.again(result)) this.#try(first);
    else this.#end(first, result);
  }

  #end(first: SessionRequest, result: SessionRequestResult): void {
    this.#queue.shift();
    first.done(result);
    this.#busy = false;
    this.#next();
  }

  /** Null: the peer has no exchange open that ours met. */
  #backOffMs(response: SipResponse): number | null {
    if (response.status === 491) return this.#glareMs();
    const seconds = /^\d{1,6}/.exec(response.first('retry-after') ?? '')?.[0];
    if (response.status !== 500 || seconds === undefined) return null;
    return Number(seconds) <= LONGEST_RETRY_AFTER_SECONDS ? Number(seconds) * 1_000 : null;
  }

  /** RFC 3261 §14.1: in units of 10 ms, and never both sides at the same time. */
  #glareMs(): number {
    const [from, to] = this.#options.ownsCallId ? [210, 400] : [0, 200];
    return 10 * (from + Math.floor(Math.random() * (to - from + 1)));
  }
}
