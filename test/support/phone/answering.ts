/** A test phone is called, as a callee or as a carrier that challenges: rings, answers, refuses, or says nothing. */
import { PhoneCall } from './phone-call';
import { readSdp } from './sdp-text';
import { branchOf, checkDigest, cseqOf, headerOf, headersOf, tagOf, token, uriOf, userOf, writeSip } from './sip-text';

import type { Answering, Header, IncomingInvite, PhoneContext } from './options';
import type { Target } from './sip-link';
import type { SipText } from './sip-text';

const T1_MS = 500;
const ACK_TIMEOUT_MS = 32_000;

interface Ringing {
  readonly invite: SipText;
  readonly from: Target;
  readonly localTag: string;
  timer: NodeJS.Timeout | null;
}

export class AnsweringMachine {
  /** Every INVITE outside a dialog, without repetitions; challenged ones too. */
  readonly invites: IncomingInvite[] = [];
  readonly cancelled: string[] = [];
  readonly #phone: PhoneContext;
  readonly #onCall: (call: PhoneCall) => void;
  readonly #nonce = token();
  readonly #seen = new Set<string>();
  /** Last provisional answer, by Call-ID. */
  readonly #provisional = new Map<string, string>();
  readonly #ringing = new Map<string, Ringing>();
  /** 2xx that wait for their ACK, by Call-ID. */
  readonly #unacknowledged = new Map<string, NodeJS.Timeout>();

  constructor(phone: PhoneContext, onCall: (call: PhoneCall) => void) {
    this.#phone = phone;
    this.#onCall = onCall;
  }

  invite(invite: SipText, from: Target): void {
    if (this.#seen.has(branchOf(invite))) {
      const provisional = this.#provisional.get(headerOf(invite, 'call-id'));
      if (provisional !== undefined) this.#phone.link.send(provisional, from);
      return;
    }
    this.#seen.add(branchOf(invite));
    const { challenge, answer, unknownUserStatus, supports = [] } = this.#phone.options;
    const authorization = headerOf(invite, 'proxy-authorization');
    const authenticated =
      challenge !== undefined && authorization !== '' && checkDigest(authorization, challenge, 'INVITE', this.#nonce);
    const described: IncomingInvite = {
      sipCallId: headerOf(invite, 'call-id'),
      user: userOf(invite.startLine.split(' ')[1] ?? ''),
      fromUser: userOf(headerOf(invite, 'from')),
      message: invite,
      authenticated,
    };
    this.invites.push(described);
    const stranger = authorization !== '' && !authorization.includes(`username="${challenge?.username}"`);
    if (challenge !== undefined && stranger && unknownUserStatus !== undefined) {
      this.#respond(invite, from, unknownUserStatus, 'Unknown User', token());
      return;
    }
    if (challenge !== undefined && !authenticated) {
      const header = `Digest realm="carrier.test", nonce="${this.#nonce}", algorithm=MD5, qop="auth"`;
      this.#respond(invite, from, 407, 'Proxy Authentication Required', token(), [['Proxy-Authenticate', header]]);
      return;
    }
    const replaces = headerOf(invite, 'replaces');
    if (replaces !== '' && supports.includes('replaces')) this.#replace(invite, from, replaces);
    else this.#treat(invite, from, answer?.(described) ?? { status: 486, reason: 'Busy Here' });
  }

  cancel(cancel: SipText, from: Target): void {
    const ringing = this.#ringing.get(headerOf(cancel, 'call-id'));
    if (ringing === undefined || branchOf(ringing.invite) !== branchOf(cancel)) {
      this.#respond(cancel, from, 481, 'Call/Transaction Does Not Exist', token());
      return;
    }
    this.#respond(cancel, from, 200, 'OK', ringing.localTag);
    this.cancelled.push(headerOf(cancel, 'call-id'));
    this.#phone.options.onCancel?.(headerOf(cancel, 'call-id'));
    if (ringing.timer !== null) clearTimeout(ringing.timer);
    this.#ringing.delete(headerOf(cancel, 'call-id'));
    this.#respond(ringing.invite, ringing.from, 487, 'Request Terminated', ringing.localTag);
  }

  ack(ack: SipText): void {
    this.#stopRepeating(headerOf(ack, 'call-id'));
  }

  close(): void {
    for (const sipCallId of this.#unacknowledged.keys()) this.#stopRepeating(sipCallId);
    for (const { timer } of this.#ringing.values()) if (timer !== null) clearTimeout(timer);
    this.#ringing.clear();
  }

  #treat(invite: SipText, from: Target, answering: Answering): void {
    if ('silent' in answering) return;
    const localTag = token();
    const ringing: Ringing = { invite, from, localTag, timer: null };
    const sipCallId = headerOf(invite, 'call-id');
    const rings = 'ring' in answering || answering.ringMs !== undefined || answering.ringUntil !== undefined;
    const provisional = rings
      ? response(invite, 180, 'Ringing', localTag, [['Contact', this.#phone.contact()]])
      : response(invite, 100, 'Trying', null, []);
    this.#provisional.set(sipCallId, provisional);
    this.#phone.link.send(provisional, from);
    this.#ringing.set(sipCallId, ringing);
    if ('ring' in answering) return;
    const { status, reason = status === 200 ? 'OK' : 'Refused', headers = [], ringUntil } = answering;
    const answer = (): void => {
      if (this.#ringing.get(sipCallId) !== ringing) return; // cancelled
      this.#ringing.delete(sipCallId);
      if (status >= 300) this.#respond(invite, from, status, reason, localTag, headers);
      else void this.#accept(invite, from, localTag);
    };
    if (ringUntil === undefined) ringing.timer = setTimeout(answer, answering.ringMs ?? 0);
    else void ringUntil.then(answer);
  }

  /** RFC 3891 §3: answered without ringing, and the dialog before gets a BYE. Which one our own tag says, in To-tag. */
  #replace(invite: SipText, from: Target, replaces: string): void {
    const [callId = '', ...parameters] = replaces.split(';').map((part) => part.trim());
    const call = this.#phone.calls.get(callId);
    const named = [`to-tag=${tagOf(call?.dialog.local ?? '')}`, `from-tag=${tagOf(call?.dialog.remote ?? '')}`];
    if (call === undefined || !named.every((tag) => parameters.includes(tag))) {
      this.#respond(invite, from, 481, 'Call/Transaction Does Not Exist', token());
    } else if (call.over) this.#respond(invite, from, 603, 'Declined', token());
    else void this.#accept(invite, from, token()).then(() => call.hangup());
  }

  async #accept(invite: SipText, from: Target, localTag: string): Promise<void> {
    const stream = await this.#phone.openStream();
    const remote = readSdp(invite.body);
    const { sendsAudio = true } = this.#phone.options;
    const headers: Header[] = [
      ['Contact', this.#phone.contact()],
      ...this.#phone.capabilities(),
      ...headersOf(invite, 'record-route').map((route): Header => ['Record-Route', route]),
    ];
    const text = response(invite, 200, 'OK', localTag, headers, this.#phone.sdp(stream));
    const call = new PhoneCall({
      phone: this.#phone,
      dialog: {
        callId: headerOf(invite, 'call-id'),
        local: `${headerOf(invite, 'to')};tag=${localTag}`,
        remote: headerOf(invite, 'from'),
        remoteTarget: uriOf(headerOf(invite, 'contact')),
        routes: headersOf(invite, 'record-route'),
        target: from,
      },
      cseq: 0,
      stream,
      remote: remote === null ? null : { ...remote, send: remote.send && sendsAudio },
      times: { invite: null, lastInvite: null, ringing: null, answered: performance.now() },
    });
    this.#phone.adopt(call);
    this.#repeatUntilAcknowledged(invite, text, from);
    this.#onCall(call);
  }

  /** RFC 3261 §13.3.1.4: the 2xx goes out again until its ACK. */
  #repeatUntilAcknowledged(invite: SipText, text: string, to: Target): void {
    const sipCallId = headerOf(invite, 'call-id');
    const startMs = performance.now();
    const send = (intervalMs: number): void => {
      this.#phone.transactions.respond(invite, text, to);
      if (performance.now() - startMs > ACK_TIMEOUT_MS) return;
      this.#unacknowledged.set(
        sipCallId,
        setTimeout(() => send(Math.min(4000, intervalMs * 2)), intervalMs),
      );
    };
    send(T1_MS);
  }

  #stopRepeating(sipCallId: string): void {
    const timer = this.#unacknowledged.get(sipCallId);
    if (timer !== undefined) clearTimeout(timer);
    this.#unacknowledged.delete(sipCallId);
  }

  #respond(
    request: SipText,
    to: Target,
    status: number,
    reason: string,
    tag: string,
    headers: readonly Header[] = [],
  ): void {
    this.#phone.transactions.respond(request, response(request, status, reason, tag, headers), to);
  }
}

/** A response to `request`; `tag` is added to a To without one. */
export function response(
  request: SipText,
  status: number,
  reason: string,
  tag: string | null,
  headers: readonly Header[],
  body = '',
): string {
  const to = headerOf(request, 'to');
  const copied: Header[] = [
    ...headersOf(request, 'via').map((via): Header => ['Via', via]),
    ['From', headerOf(request, 'from')],
    ['To', tag === null || /;\s*tag=/i.test(to) ? to : `${to};tag=${tag}`],
    ['Call-ID', headerOf(request, 'call-id')],
    ['CSeq', `${cseqOf(request).number} ${cseqOf(request).method}`],
  ];
  return writeSip(`SIP/2.0 ${status} ${reason}`, [...copied, ...headers], body);
}
