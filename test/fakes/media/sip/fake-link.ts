import { transactionKey } from '../../../../media/sip/dialog-table';
import { SipRequest } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';
import { SipCore } from '../../../../media/sip/sip-core';
import { systemClock } from '../../../../media/clock';

import type { CoreEvents } from '../../../../media/sip/core-events';
import type { ReplyTransport, RequestTransport } from '../../../../media/sip/stack-transport';

/** What happens to the n-th message on the wire. */
export interface Fate {
  /** One entry per copy that arrives: its delay in ms. Empty: lost. */
  readonly arrivals: readonly number[];
}

export const ON_TIME: Fate = { arrivals: [1] };
export const LOST: Fate = { arrivals: [] };

/** One end of a FakeLink: a SipCore and all that it was told. */
export class LinkEnd {
  readonly events: string[] = [];
  readonly sent: string[] = [];
  /** The same messages, as they were given to the transport. */
  readonly sentBytes: Buffer[] = [];
  /** Method and way of the requests among them. */
  readonly ways: string[] = [];
  readonly core: SipCore;
  idle = false;
  readonly #replies: ReplyTransport;

  constructor(link: FakeLink, name: string, reliable: boolean, events: Partial<CoreEvents>) {
    const note = (event: string): number => this.events.push(event);
    const send = (bytes: Buffer): Promise<void> => {
      const text = bytes.toString('latin1');
      this.sentBytes.push(bytes);
      this.sent.push(text);
      link.carry(this, text);
      return Promise.resolve();
    };
    const requests: RequestTransport = {
      reliable,
      send: (request) => {
        this.ways.push(`${request.parts.method} ${request.way}`);
        return send(request.bytes(reliable ? 'tcp' : 'udp', true));
      },
    };
    this.#replies = { reliable, send: (response) => send(response.bytes) };
    this.core = new SipCore({
      clock: systemClock,
      localTag: `tag-${name}`,
      contact: `<sip:${name}@192.0.2.1:5060>`,
      sentBy: `${name}.example.com:5060`,
      product: 'Test',
      displayName: '',
      requests,
      onRetransmit: (method) => note(`repeat ${method}`),
      onIdle: () => {
        this.idle = true;
      },
      events: {
        onInvite: () => this.core.trying(),
        onCancel: () => {
          note('cancel');
          this.core.reject(487, undefined);
        },
        onAck: () => note('ack'),
        onAckTimeout: () => note('ack timeout'),
        onBye: () => note('bye'),
        onInfo: () => ({ status: 200 }),
        onRefresh: () => ({ status: 200, sdp: 'v=0\r\n' }),
        onProgress: (response) => note(`progress ${response.status}`),
        onAccept: () => note('accept'),
        onReject: (response) => note(`reject ${response.status}`),
        onTimeout: () => note('timeout'),
        onTransportError: (error) => note(`transport error ${error.message}`),
        ...events,
      },
    });
  }

  methods(): string[] {
    return this.sent.map((text) => {
      const cseq = /\r\nCSeq: \d+ (\S+)/.exec(text)?.[1] ?? '';
      return text.startsWith('SIP/2.0 ') ? `${text.slice(8, 11)} ${cseq}` : text.slice(0, text.indexOf(' '));
    });
  }

  receive(text: string): void {
    const message = parseMessage(Buffer.from(text, 'latin1'));
    if (message instanceof SipRequest) this.core.receiveRequest(message, transactionKey(message), this.#replies);
    else this.core.receiveResponse(message);
  }
}

/** Two cores of ours and a wire that can lose, delay, duplicate and reorder. Time is jest's. */
export class FakeLink {
  readonly caller: LinkEnd;
  readonly callee: LinkEnd;
  readonly #fate: (index: number, text: string) => Fate;
  #index = 0;

  constructor(
    fate: (index: number, text: string) => Fate = () => ON_TIME,
    options: { reliable?: boolean; caller?: Partial<CoreEvents>; callee?: Partial<CoreEvents> } = {},
  ) {
    this.#fate = fate;
    this.caller = new LinkEnd(this, 'caller', options.reliable ?? false, options.caller ?? {});
    this.callee = new LinkEnd(this, 'callee', options.reliable ?? false, options.callee ?? {});
  }

  invite(headers: readonly string[] = []): void {
    this.caller.core.invite({
      requestUri: 'sip:callee@192.0.2.2',
      fromUri: 'sip:caller@192.0.2.1',
      toUri: 'sip:callee@192.0.2.2',
      callId: 'link@example.com',
      cseq: 1,
      headers,
      sdp: 'v=0\r\n',
    });
  }

  carry(from: LinkEnd, text: string): void {
    const to = from === this.caller ? this.callee : this.caller;
    for (const delayMs of this.#fate(this.#index++, text).arrivals) setTimeout(() => to.receive(text), delayMs);
  }
}
