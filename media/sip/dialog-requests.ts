import { NonInviteClientTransaction, UserAgentClient } from 'sip.js/lib/core/index.js';

import { TimerSet } from '../clock';
import { contactUri } from './message/validation';
import { mayInvite } from './open-exchange';
import { failTransaction, refreshTarget } from './sipjs-internals';
import { CoreResponse, sessionBody } from './sipjs-messages';
import { REINVITE_WAIT_MS } from './timers';

import type { IncomingResponse, OutgoingInviteRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock } from '../clock';
import type { SipResponse } from './message/message';
import type { DialogUserAgentCore } from './sipjs-adapter';

/** A request of ours in a dialog that does not end it. */
export interface InDialogRequest {
  readonly method: 'INVITE' | 'UPDATE' | 'OPTIONS' | 'PRACK' | 'INFO' | 'REFER' | 'NOTIFY';
  /** Complete lines. */
  readonly headers: readonly string[];
  readonly sdp?: string;
  /** Another body than SDP. */
  readonly body?: { readonly contentType: string; readonly content: string };
}

/** Its final answer, or why there is none. */
export type InDialogResult = SipResponse | 'timeout' | 'transport_error';

type Done = (result: InDialogResult) => void;

interface DialogRequestsOptions {
  readonly core: DialogUserAgentCore;
  readonly clock: Clock;
  /** Value of Contact. */
  readonly contact: string;
  /** Value of Allow. */
  readonly allow: () => string;
}

/** Sends requests of ours in the dialogs of one call, all in one way. Challenges are answered below, as those of every request. */
export class DialogRequests {
  readonly #options: DialogRequestsOptions;
  readonly #timers: TimerSet<'reinvite'>;
  /** re-INVITEs whose time has not come. */
  #waiting: { readonly dialog: SessionDialog; readonly request: InDialogRequest; readonly done: Done }[] = [];

  constructor(options: DialogRequestsOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  /** `done` is called once, or never after `dispose`. */
  send(dialog: SessionDialog, request: InDialogRequest, done: Done): void {
    if (!this.#knows(dialog)) done('transport_error');
    else if (request.method !== 'INVITE') this.#other(dialog, request, done);
    else {
      this.#waiting.push({ dialog, request, done });
      this.sendWaiting();
    }
  }

  /** An INVITE of either side has ended, and one that waits may go (RFC 3261 §14.1). */
  sendWaiting(): void {
    const [first, ...rest] = this.#waiting;
    if (first === undefined) return;
    const known = this.#knows(first.dialog);
    if (known && !mayInvite(first.dialog, this.#options.core)) return;
    this.#waiting = rest;
    if (known) this.#reinvite(first.dialog, first.request, first.done);
    else first.done('transport_error');
  }

  dispose(): void {
    this.#timers.clearAll();
    this.#waiting = [];
  }

  #knows(dialog: SessionDialog): boolean {
    return this.#options.core.dialogs.has(dialog.id);
  }

  #other(dialog: SessionDialog, { method, headers, sdp, body }: InDialogRequest, answered: Done): void {
    const refreshes = method === 'UPDATE';
    // RFC 3515 §2.1 and RFC 6665 §8.1 ask for Contact.
    const introduces = refreshes || method === 'REFER' || method === 'NOTIFY';
    const message = dialog.createOutgoingRequestMessage(method, {
      extraHeaders: [...(introduces ? this.#refreshHeaders : []), ...headers],
      ...(sdp === undefined ? {} : { body: sessionBody(sdp) }),
      ...(body === undefined ? {} : { body: { contentDisposition: 'render', ...body } }),
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

  #reinvite(dialog: SessionDialog, { headers, sdp }: InDialogRequest, answered: Done): void {
    let late = false;
    const done = ({ message: response }: IncomingResponse): void => {
      this.#timers.clear('reinvite');
      answered(late ? 'timeout' : resultOf(response));
      this.sendWaiting();
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
    return [`Contact: ${this.#options.contact}`, `Allow: ${this.#options.allow()}`];
  }
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
