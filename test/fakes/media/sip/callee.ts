import { parseAddress } from '../../../../media/sip/message/address';
import { answerTo } from './caller';
import { ANSWER } from './test-endpoint';

import type { SipRequest } from '../../../../media/sip/message/message';
import type { SipPeer } from './sip-peer';

/** The other side of a call of ours, from its INVITE on, by hand. */
export class Callee {
  readonly peer: SipPeer;
  readonly invite: SipRequest;
  readonly tag = 'callee';
  #cseq = 100;

  constructor(peer: SipPeer, invite: SipRequest) {
    this.peer = peer;
    this.invite = invite;
  }

  answer(request: SipRequest, status: number, headers: readonly string[] = [], body = ''): void {
    const contact = `Contact: <sip:callee@127.0.0.1:${this.peer.port}>`;
    this.peer.send(answerTo(request, status, { toTag: this.tag, headers: [contact, ...headers], body }));
  }

  accept(headers: readonly string[] = []): void {
    this.answer(this.invite, 200, headers, ANSWER);
  }

  send(method: string, headers: readonly string[] = [], body = ''): void {
    this.#cseq += 1;
    const lines = [
      `${method} ${parseAddress(this.invite.first('contact') ?? '')?.uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.peer.port};rport;branch=z9hG4bKcallee${this.#cseq}`,
      `From: ${this.invite.first('to')};tag=${this.tag}`,
      `To: ${this.invite.first('from')}`,
      `Call-ID: ${this.invite.callId}`,
      `CSeq: ${this.#cseq} ${method}`,
      'Max-Forwards: 70',
      ...headers,
      `Content-Length: ${body.length}`,
    ];
    this.peer.send(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  notify(statusLine: string, state = 'active;expires=60', event = 'refer'): void {
    const type = 'Content-Type: message/sipfrag;version=2.0';
    this.send('NOTIFY', [`Event: ${event}`, `Subscription-State: ${state}`, type], statusLine);
  }
}
