import { TimerSet } from '../../clock';
import { REFER_EVENT } from './refer-event';
import { formatSipfrag, SIPFRAG_TYPE } from './sipfrag';

import type { Clock } from '../../clock';
import type { InDialogRequest, InDialogResult } from '../dialog-requests';
import type { CoreAnswer } from '../core-events';
import type { ReferTarget } from './refer-to';
import type { SipfragStatus } from './sipfrag';

/** The peer asks us to call somebody else (RFC 3515). It is answered once, by `accept` or `refuse`. */
export interface IncomingRefer {
  readonly referTo: ReferTarget;
  /** URI of whoever refers, as it says (RFC 3892); nobody has proved it. */
  readonly referredBy: string | null;
  /** 202, and at once the first NOTIFY: 100. */
  accept(): void;
  /** @throws RangeError when the status is no refusal */
  refuse(status: number): void;
  /**
   * How far the new call has come; a final status ends it all. Resolves when the peer has heard, or will not: whoever
   * hangs up before that is taken to have failed.
   * @throws RangeError when the status is none of an answer
   */
  notify(status: number, reason?: string): Promise<void>;
}

export interface ReceivedReferOptions {
  readonly clock: Clock;
  readonly referTo: ReferTarget;
  readonly referredBy: string | null;
  /** CSeq of the REFER. */
  readonly sequence: number;
  /** The peer wants to hear what becomes of it; else RFC 4488. */
  readonly subscribed: boolean;
  readonly answer: (answer: CoreAnswer) => void;
  readonly request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void;
  /** Nothing is left of it. */
  readonly onOver: (refer: ReceivedRefer) => void;
}

/** Longer than any call rings. */
const SUBSCRIPTION_SECONDS = 180;
/** A peer gives up after 32 s (timer F); RFC 4320 §4: it must hear before that. */
const ANSWER_WAIT_MS = 20_000;
const NO_SUBSCRIPTION = ['Refer-Sub: false'];

/**
 * asked → accepted → over
 *   └────────────────↗     refused, or accepted without subscription
 */
type ReceivedReferState = 'asked' | 'accepted' | 'over';

/** Why a subscription ends (RFC 6665 §4.1.3). */
type EndReason = 'noresource' | 'timeout';

interface Notification {
  readonly said: SipfragStatus;
  /** Null while it goes on. */
  readonly end: EndReason | null;
}

/** A REFER of the peer's, and the subscription that it makes. */
export class ReceivedRefer implements IncomingRefer {
  readonly referTo: ReferTarget;
  readonly referredBy: string | null;
  readonly #options: ReceivedReferOptions;
  readonly #timers: TimerSet<'answer' | 'expiry'>;
  #state: ReceivedReferState = 'asked';
  #expiresAt = 0;
  #last: SipfragStatus = { status: 100, reason: '' };
  /** One is sent after the other: a peer refuses what overtakes it. Only the newest waits. */
  #waiting: Notification | null = null;
  #underWay = false;
  #heard: (() => void)[] = [];

  constructor(options: ReceivedReferOptions) {
    this.#options = options;
    this.referTo = options.referTo;
    this.referredBy = options.referredBy;
    this.#timers = new TimerSet(options.clock);
    this.#timers.arm('answer', ANSWER_WAIT_MS, () => this.refuse(603));
  }

  accept(): void {
    if (this.#state !== 'asked') return;
    const { answer, subscribed, clock } = this.#options;
    this.#timers.clearAll();
    this.#state = 'accepted';
    answer({ status: 202, headers: subscribed ? [] : NO_SUBSCRIPTION });
    if (!subscribed) {
      this.#over();
      return;
    }
    this.#expiresAt = clock.now() + SUBSCRIPTION_SECONDS * 1_000;
    this.#timers.arm('expiry', SUBSCRIPTION_SECONDS * 1_000, () => this.#end('timeout'));
    // RFC 3515 §2.4.4: at once, whatever there is to say.
    this.#tell({ said: this.#last, end: null });
  }

  refuse(status: number): void {
    if (!(status >= 400 && status <= 699)) throw new RangeError(`${status} is no refusal`);
    if (this.#state !== 'asked') return;
    this.#options.answer({ status });
    this.#over();
  }

  notify(status: number, reason = ''): Promise<void> {
    if (!(status >= 100 && status <= 699)) throw new RangeError(`${status} is no status`);
    if (this.#state !== 'accepted' || this.#ends) return Promise.resolve();
    this.#last = { status, reason };
    const heard = new Promise<void>((resolve) => this.#heard.push(resolve));
    if (status >= 200) this.#end('noresource');
    else this.#tell({ said: this.#last, end: null });
    return heard;
  }

  /** The dialog ends: the last chance to say so. */
  dialogOver(): void {
    if (this.#state === 'asked') this.refuse(487);
    if (this.#state !== 'accepted') return;
    this.#state = 'over';
    this.#send({ said: this.#last, end: 'noresource' }, () => undefined);
    this.#over();
  }

  dispose(): void {
    this.#over();
  }

  /** After that nothing is said. */
  get #ends(): boolean {
    return this.#waiting !== null && this.#waiting.end !== null;
  }

  #end(end: EndReason): void {
    this.#timers.clearAll();
    this.#tell({ said: this.#last, end });
  }

  #tell(notification: Notification): void {
    if (this.#ends) return;
    this.#waiting = notification;
    this.#sendNext();
  }

  #sendNext(): void {
    if (this.#underWay) return;
    const next = this.#waiting;
    if (next === null) {
      for (const resolve of this.#heard.splice(0)) resolve();
      return;
    }
    this.#waiting = null;
    this.#underWay = true;
    if (next.end !== null) this.#state = 'over';
    this.#send(next, (result) => {
      this.#underWay = false;
      if (next.end !== null || knowsNothingOfIt(result)) this.#over();
      else this.#sendNext();
    });
  }

  #send({ said, end }: Notification, done: (result: InDialogResult) => void): void {
    const { sequence, request, clock } = this.#options;
    const seconds = Math.max(0, Math.ceil((this.#expiresAt - clock.now()) / 1_000));
    const state = end === null ? `active;expires=${seconds}` : `terminated;reason=${end}`;
    const headers = [`Event: ${REFER_EVENT};id=${sequence}`, `Subscription-State: ${state}`];
    request({ method: 'NOTIFY', headers, body: { contentType: SIPFRAG_TYPE, content: formatSipfrag(said) } }, done);
  }

  #over(): void {
    this.#state = 'over';
    this.#waiting = null;
    this.#timers.clearAll();
    for (const resolve of this.#heard.splice(0)) resolve();
    this.#options.onOver(this);
  }
}

/** RFC 6665 §4.2.2: by no answer, or by 481, the peer has ended the subscription. */
function knowsNothingOfIt(result: InDialogResult): boolean {
  return typeof result !== 'object' || result.status === 408 || result.status === 481;
}
