import { readRefer } from './refer-demand';
import { ReceivedRefer } from './received-refer';
import { SentRefers } from './sent-refers';

import type { SipRequest } from '../message/message';
import type { CoreAnswer } from '../core-events';
import type { IncomingRefer } from './received-refer';
import type { ReferOutcome, ReferRequest } from './sent-refer';
import type { SentRefersOptions } from './sent-refers';

interface DialogRefersOptions extends SentRefersOptions {
  /** The call stands. */
  readonly established: () => boolean;
  /** Hands a REFER of the peer's on; false when nobody took it. */
  readonly onRefer: (refer: IncomingRefer) => boolean;
}

/** More at a time nobody means. */
const MAX_RECEIVED = 4;

/** The REFERs of a dialog, ours and the peer's. */
export class DialogRefers {
  readonly #options: DialogRefersOptions;
  readonly #sent: SentRefers;
  readonly #received = new Set<ReceivedRefer>();

  constructor(options: DialogRefersOptions) {
    this.#options = options;
    this.#sent = new SentRefers(options);
  }

  async refer(request: ReferRequest, onProgress: (status: number) => void): Promise<ReferOutcome> {
    if (!this.#options.established()) return { kind: 'dialog_over' };
    return this.#sent.send(request, onProgress);
  }

  /** A REFER or NOTIFY in the dialog; it may be answered later. */
  receive(request: SipRequest, answer: (answer: CoreAnswer) => void): void {
    if (request.method === 'REFER') this.#receiveRefer(request, answer);
    else answer(this.#sent.receiveNotify(request));
  }

  /** Before the dialog is forgotten, so that its end can still be told. */
  peerHungUp(): void {
    this.#sent.peerHungUp();
    this.#endReceived();
  }

  dialogOver(): void {
    this.#sent.dialogOver();
    this.#endReceived();
  }

  /** Without a word on the wire. */
  dispose(): void {
    this.#sent.dialogOver();
    for (const refer of this.#received) refer.dispose();
  }

  #receiveRefer(request: SipRequest, answer: (answer: CoreAnswer) => void): void {
    const demand = readRefer(request);
    if ('status' in demand) {
      answer(demand);
      return;
    }
    if (!this.#options.established()) {
      answer({ status: 603 });
      return;
    }
    if (this.#received.size >= MAX_RECEIVED) {
      answer({ status: 491 });
      return;
    }
    const { clock, request: send, onRefer } = this.#options;
    const refer = new ReceivedRefer({
      ...demand,
      clock,
      answer,
      request: send,
      onOver: (over) => this.#received.delete(over),
    });
    this.#received.add(refer);
    if (!onRefer(refer)) refer.refuse(603);
  }

  #endReceived(): void {
    for (const refer of this.#received) refer.dialogOver();
  }
}
