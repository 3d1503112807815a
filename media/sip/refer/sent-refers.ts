import { TimerSet } from '../../clock';
import { decodeWireText } from '../message/message';
import { parseEvent, parseSubscriptionState, REFER_EVENT } from './refer-event';
import { referHeaders } from './sent-refer';
import { parseSipfrag } from './sipfrag';

import type { Clock } from '../../clock';
import type { InDialogRequest, InDialogResult } from '../dialog-requests';
import type { SipRequest } from '../message/message';
import type { CoreAnswer } from '../core-events';
import type { ReferOutcome, ReferRequest } from './sent-refer';
import type { SipfragStatus } from './sipfrag';

export interface SentRefersOptions {
  readonly clock: Clock;
  readonly request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void;
  /** CSeq of our last request in the dialog. */
  readonly localSequence: () => number;
  /** Runs what is not ours, whose errors are its own. */
  readonly guard: (callback: () => void) => void;
}

/** After the peer has accepted. Whoever rings longer rings on, but nobody waits for it. */
const END_WAIT_MS = 30_000;
/** Those that are over are kept to answer what is still said of them. */
const MAX_KEPT = 8;

/**
 * asked → subscribed → settled
 *   └──────────────────↗         refused, timed out, the dialog is over
 *
 * `subscribed`: a 2xx or a NOTIFY came, whichever was first. `settled`: the outcome is told; the peer may still notify.
 */
type ReferState = 'asked' | 'subscribed' | 'settled';

interface SentRefer {
  state: ReferState;
  /** With which it was sent first; each challenge raised it. */
  readonly firstSequence: number;
  /** With which it was answered; null before. */
  lastSequence: number | null;
  readonly firstOfDialog: boolean;
  readonly onProgress: (status: number) => void;
  readonly settle: (outcome: ReferOutcome) => void;
  readonly timers: TimerSet<'end'>;
}

/** Our REFERs in one dialog, with the subscription that each one makes (RFC 3515 §2.4.4). */
export class SentRefers {
  readonly #options: SentRefersOptions;
  readonly #refers: SentRefer[] = [];
  #sent = 0;

  constructor(options: SentRefersOptions) {
    this.#options = options;
  }

  /** @throws RangeError when the request has no URI that can be called */
  async send(request: ReferRequest, onProgress: (status: number) => void): Promise<ReferOutcome> {
    const headers = referHeaders(request);
    return new Promise((settle) => {
      const refer: SentRefer = {
        state: 'asked',
        firstSequence: this.#options.localSequence() + 1,
        lastSequence: null,
        firstOfDialog: this.#sent++ === 0,
        onProgress,
        settle,
        timers: new TimerSet(this.#options.clock),
      };
      this.#refers.push(refer);
      while (this.#refers.length > MAX_KEPT && this.#refers[0]!.state === 'settled') this.#refers.shift();
      this.#options.request({ method: 'REFER', headers }, (result) => this.#answered(refer, result));
    });
  }

  /** A NOTIFY in the dialog: 489 when it is of another event, 481 when of no REFER of ours (RFC 6665 §4.1.3, §8.2.1). */
  receiveNotify(notify: SipRequest): CoreAnswer {
    const event = parseEvent(notify.first('event'));
    if (event === null || event.name !== REFER_EVENT) return { status: 489, headers: [`Allow-Events: ${REFER_EVENT}`] };
    const refer = this.#of(event.id);
    if (refer === undefined) return { status: 481 };
    const { over, reason } = parseSubscriptionState(notify.first('subscription-state'));
    const told = isSipfrag(notify) ? parseSipfrag(notify.body) : null;
    this.#subscribe(refer);
    if (told !== null && told.status < 200) this.#progressed(refer, told);
    if (told !== null && told.status >= 200) this.#settle(refer, { kind: 'accepted', final: told });
    else if (over) this.#settle(refer, { kind: 'terminated', reason });
    if (over) this.#forget(refer);
    return { status: 200 };
  }

  peerHungUp(): void {
    this.#end({ kind: 'bye' });
  }

  dialogOver(): void {
    this.#end({ kind: 'dialog_over' });
  }

  #answered(refer: SentRefer, result: InDialogResult): void {
    if (result === 'timeout' || result === 'transport_error') {
      // The answer was lost, but what it would have said is known.
      if (refer.state === 'subscribed') return;
      this.#settle(refer, { kind: result === 'timeout' ? 'timeout' : 'transport_error' });
      this.#forget(refer);
      return;
    }
    refer.lastSequence = result.cseq?.number ?? this.#options.localSequence();
    if (result.status >= 300) {
      this.#settle(refer, { kind: 'refused', status: result.status, reason: decodeWireText(result.reason) });
      this.#forget(refer);
      return;
    }
    // RFC 4488 §4: the peer makes no subscription.
    if (/^\s*false\b/i.test(result.first('refer-sub') ?? '')) this.#settle(refer, { kind: 'accepted', final: null });
    else this.#subscribe(refer);
  }

  #subscribe(refer: SentRefer): void {
    if (refer.state !== 'asked') return;
    refer.state = 'subscribed';
    refer.timers.arm('end', END_WAIT_MS, () => this.#settle(refer, { kind: 'expired' }));
  }

  #progressed(refer: SentRefer, { status }: SipfragStatus): void {
    if (refer.state === 'subscribed') this.#options.guard(() => refer.onProgress(status));
  }

  #settle(refer: SentRefer, outcome: ReferOutcome): void {
    if (refer.state === 'settled') return;
    refer.state = 'settled';
    refer.timers.clearAll();
    refer.settle(outcome);
  }

  #forget(refer: SentRefer): void {
    const index = this.#refers.indexOf(refer);
    if (index >= 0) this.#refers.splice(index, 1);
  }

  /** Of those that were accepted the outcome is `subscribed`, of all others that the dialog is over. */
  #end(subscribed: ReferOutcome): void {
    for (const refer of this.#refers.splice(0)) {
      this.#settle(refer, refer.state === 'subscribed' ? subscribed : { kind: 'dialog_over' });
    }
  }

  /**
   * By the CSeq of the REFER, whichever of its repetitions after a challenge the peer means. Without one it is the only
   * subscription there is; of several the first of the dialog may do without (RFC 3515 §2.4.6).
   */
  #of(id: number | null): SentRefer | undefined {
    if (id === null) {
      return this.#refers.length === 1 ? this.#refers[0] : this.#refers.find(({ firstOfDialog }) => firstOfDialog);
    }
    return this.#refers.findLast(
      ({ firstSequence, lastSequence }) => firstSequence <= id && id <= (lastSequence ?? this.#options.localSequence()),
    );
  }
}

/** Some gateways leave Content-Type out. */
function isSipfrag({ contentType }: SipRequest): boolean {
  return contentType === 'message/sipfrag' || contentType === '';
}
