import { NonInviteClientTransaction, SignalingState, UserAgentClient } from 'sip.js/lib/core/index.js';

import { TimerSet } from '../clock';
import { ALLOW } from './message/methods';
import { contactUri } from './message/validation';
import { failTransaction, refreshTarget } from './sipjs-adapter';
import { CoreResponse, sessionBody } from './sipjs-messages';
import { REINVITE_WAIT_MS } from './timers';

import type { IncomingResponse, OutgoingInviteRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock } from '../clock';
import type { SipResponse } from './message/message';
import type { DialogUserAgentCore } from './sipjs-adapter';

/** A request of ours in a dialog that does not end it. */
export interface InDialogRequest {
  readonly method: 'INVITE' | 'UPDATE' | 'OPTIONS' | 'PRACK';
  /** Complete lines. */
  readonly headers: readonly string[];
  readonly sdp?: string;
}

/** Its final answer, or why there is none. `glare`: an offer of either side is still open, so nothing was sent. */
export type InDialogResult = SipResponse | 'timeout' | 'transport_error' | 'glare';

interface DialogRequestsOptions {
  readonly core: DialogUserAgentCore;
  readonly clock: Clock;
  /** Value of Contact. */
  readonly contact: string;
}

/** Sends requests of ours in the dialogs of one call, all in one way. Challenges are answered below, as those of every request. */
export class DialogRequests {
  readonly #options: DialogRequestsOptions;
  readonly #timers: TimerSet<'reinvite'>;

  constructor(options: DialogRequestsOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  /** `done` is called once, or never after `dispose`. */
  send(dialog: SessionDialog, request: InDialogRequest, done: (result: InDialogResult) => void): void {
    if (!this.#knows(dialog)) done('transport_error');
    else if (request.method === 'INVITE' && !isStable(dialog)) done('glare');
    else if (request.method === 'INVITE') this.#reinvite(dialog, request, done);
    else this.#other(dialog, request, done);
  }

  dispose(): void {
    this.#timers.clearAll();
  }

  #knows(dialog: SessionDialog): boolean {
    return this.#options.core.dialogs.has(dialog.id);
  }

  #other(
    dialog: SessionDialog,
    { method, headers, sdp }: InDialogRequest,
    answered: (result: InDialogResult) => void,
  ): void {
    const refreshes = method === 'UPDATE';
    const message = dialog.createOutgoingRequestMessage(method, {
      extraHeaders: [...(refreshes ? this.#refreshHeaders : []), ...headers],
      ...(sdp === undefined ? {} : { body: sessionBody(sdp) }),
    });
    const done = ({ message: response }: IncomingResponse): void => answered(resultOf(response));
    new UserAgentClient(NonInviteClientTransaction, this.#options.core, message, {
      onAccept: (response) => {
        if (refreshes) takeTarget(dialog, response);
        done(response);
      },
      onRedirect: done,
      onReject: done,
    });
  }

  #reinvite(
    dialog: SessionDialog,
    { headers, sdp }: InDialogRequest,
    answered: (result: InDialogResult) => void,
  ): void {
    let late = false;
    const done = ({ message: response }: IncomingResponse): void => {
      this.#timers.clear('reinvite');
      answered(late ? 'timeout' : resultOf(response));
    };
    const client: OutgoingInviteRequest = dialog.invite(
      {
        onAccept: (accepted) => {
          takeTarget(dialog, accepted);
          accepted.ack();
          // A 2xx without an answer, or one after the BYE.
          dialog.signalingStateRollback();
          done(accepted);
        },
        onRedirect: done,
        onReject: done,
      },
      {
        extraHeaders: [...this.#refreshHeaders, ...headers],
        ...(sdp === undefined ? {} : { body: sessionBody(sdp) }),
      },
    );
    // Once a provisional came sip.js would wait for ever; a re-INVITE needs no person and so no time.
    this.#timers.arm('reinvite', REINVITE_WAIT_MS, () => {
      late = true;
      failTransaction((client as unknown as UserAgentClient).transaction, new Error('re-INVITE was not answered'));
    });
  }

  /** Of what refreshes the remote target, and with it the peer's idea of us (RFC 3261 §12.2.1.1). */
  get #refreshHeaders(): readonly string[] {
    return [`Contact: ${this.#options.contact}`, `Allow: ${ALLOW}`];
  }
}

/** Neither side has an offer open, nor waits for the ACK of one (RFC 3261 §14.1). */
function isStable(dialog: SessionDialog): boolean {
  return (
    dialog.sessionState === 'Confirmed' &&
    dialog.signalingState === SignalingState.Stable &&
    dialog.reinviteUserAgentClient === undefined &&
    dialog.reinviteUserAgentServer === undefined
  );
}

function takeTarget(dialog: SessionDialog, { message }: IncomingResponse): void {
  const target = message instanceof CoreResponse ? contactUri(message.source) : null;
  if (target !== null) refreshTarget(dialog, target);
}

/** sip.js answers in the peer's place when nothing comes. */
function resultOf(message: IncomingResponse['message']): SipResponse | 'timeout' | 'transport_error' {
  if (message instanceof CoreResponse) return message.source;
  return message.statusCode === 408 ? 'timeout' : 'transport_error';
}
