/**
 * How a conversation lets the caller go: to somebody else, or with a farewell. What was said before it is heard to its end
 * first, and what the caller says over that can keep it from happening.
 *
 *   none ──wait()──► pending ──the caller says nothing of use──► wished, or ended
 *                       └──objects, or (of a farewell) speaks at all──► none
 */
import type { TransferWish } from '../../../contract/transfers';
import { APOLOGY, FAILING_OVER, ONE_MOMENT } from './phrases';
import { wishOf } from './reply';
import type { Reply, ReplyEnd } from './reply';
import { SynthesisedSentence } from './synthesised-sentence';
import type { AgentDelegate } from '../agent-session';

/** Said over the words before a transfer, it is not wished any more. */
const OBJECTION = /\b(?:no|nope|wait|stop|cancel|never ?mind|do not|don't)\b/i;

/** Whose turn it is, as far as it matters here. */
interface Floor {
  readonly reply: () => Reply | null;
  readonly newReply: () => Reply;
  readonly cutOff: (reply: Reply) => void;
  readonly muted: () => boolean;
  /** Nobody is expected to say anything: the caller is listened to, and the silence is not counted. */
  readonly rest: () => void;
  /** The caller is expected to say something. */
  readonly wait: () => void;
  readonly end: (why: Exclude<ReplyEnd, TransferWish>) => void;
}

interface PartingOptions {
  readonly floor: Floor;
  readonly onTransfer: AgentDelegate['onTransfer'];
  /** There is somebody to go to when nothing works any more. */
  readonly failsOver: boolean;
  /** As audio, for when synthesis itself fails. */
  readonly apology: Int16Array | null;
}

export class Parting {
  readonly #options: PartingOptions;
  /** The words before it are over, but somebody has just begun to make a sound. */
  #pending: ReplyEnd | null = null;
  #failedOver = false;

  constructor(options: PartingOptions) {
    this.#options = options;
  }

  get pending(): ReplyEnd | null {
    return this.#pending;
  }

  /** The words before it are over. Null: nothing is to follow. */
  wait(end: ReplyEnd | null): void {
    this.#pending = end;
  }

  /** The caller goes on: a farewell that was said is none any more. */
  stay(): void {
    if (!wishOf(this.#pending)) this.#pending = null;
  }

  /** What it was waiting for comes to pass; false where there was nothing. */
  carryOut(): boolean {
    if (this.#pending === null) return false;
    this.end(this.#pending);
    return true;
  }

  /** The words before it were heard, and nothing was said over them. */
  end(end: ReplyEnd): void {
    if (typeof end !== 'string') return this.wish(end);
    this.#pending = null;
    this.#options.floor.end(end);
  }

  wish(wish: TransferWish): void {
    const { floor, onTransfer } = this.#options;
    this.#pending = null;
    floor.rest();
    if (onTransfer(wish)) return;
    if (wish.by === 'failover') this.apologise();
    else floor.wait();
  }

  /** The caller has said something; true when it is no more than words over a transfer, which need no answer. */
  said(text: string): boolean {
    const pending = wishOf(this.#pending);
    this.#pending = null;
    const reply = this.#options.floor.reply();
    const leads = wishOf(reply?.end);
    if (OBJECTION.test(text)) {
      if (leads) reply?.keepCall();
      return false;
    }
    if (pending) this.wish(pending);
    return pending !== null || leads !== null;
  }

  /** The agent may say nothing any more: a transfer that it was about to announce is wished without words. */
  silenced(): void {
    const { floor } = this.#options;
    const reply = floor.reply();
    const wish = wishOf(reply?.end) ?? wishOf(this.#pending);
    this.#pending = null;
    if (reply) floor.cutOff(reply);
    if (wish) this.wish(wish);
  }

  /** The caller has pressed the key of a destination, which decides it: nothing is asked. */
  keyPressed(destinationId: string): void {
    const { floor } = this.#options;
    const wish: TransferWish = { by: 'keypad', destinationId };
    if (floor.muted()) this.wish(wish);
    else if (!floor.reply()) floor.newReply().say([ONE_MOMENT], wish);
  }

  /** Nothing that the agent needs works any more. */
  giveUp(): void {
    const { sentence, end } = this.lastResort();
    this.#options.floor.newReply().say([sentence], end);
  }

  /** Nor does its voice. */
  voiceLost(reply: Reply): void {
    // Without words, then.
    if (reply.end === 'error' || wishOf(reply.end)) return this.end(reply.end ?? 'error');
    const { end } = this.lastResort();
    if (wishOf(end) || !this.#options.apology) this.end(end);
    else this.apologise();
  }

  /** Somebody else, once in a call: whoever comes back from there finds it no better. */
  lastResort(): { readonly sentence: string; readonly end: ReplyEnd } {
    if (!this.#options.failsOver || this.#failedOver) return { sentence: APOLOGY, end: 'error' };
    this.#failedOver = true;
    return { sentence: FAILING_OVER, end: { by: 'failover', destinationId: null } };
  }

  /** The last that the caller hears of the agent. */
  apologise(): void {
    const { floor, apology } = this.#options;
    const reply = floor.reply();
    if (reply) floor.cutOff(reply);
    if (apology) floor.newReply().sayPrepared([SynthesisedSentence.ready(APOLOGY, apology)], 'error');
    else floor.newReply().say([APOLOGY], 'error');
  }
}
