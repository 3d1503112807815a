/** A confirmed call of a test phone, on either side: its in-dialog requests, its audio, and how it ended. */
import { branchOf, token, writeSip } from './sip-text';

import type { PhoneStream, Recording, StreamRemote } from './media';
import type { Header, PhoneContext } from './options';
import type { Target } from './sip-link';
import type { SipText } from './sip-text';

/** To what is offered, by a peer that holds us and by one that does not. */
const MIRRORED: Readonly<Record<string, string>> = { sendonly: 'recvonly', recvonly: 'sendonly' };
const HOLDING: Readonly<Record<string, string>> = { sendonly: 'inactive', sendrecv: 'sendonly', recvonly: 'sendonly' };

export interface Ended {
  readonly by: 'us' | 'them';
  /** Value of the Reason header of their BYE. */
  readonly reason: string | null;
  /** Final answer to our BYE, 408 when none came; null when they hung up. */
  readonly byeStatus: number | null;
  /** performance.now() */
  readonly atMs: number;
}

export interface DialogState {
  readonly callId: string;
  /** From of our requests, with tag. */
  readonly local: string;
  readonly remote: string;
  readonly remoteTarget: string;
  readonly routes: readonly string[];
  /** Where our requests go. */
  readonly target: Target;
}

export interface GapReport {
  readonly maxMs: number;
  /** Those longer than asked for: epoch ms of their end, and length. */
  readonly gaps: readonly { readonly atMs: number; readonly ms: number }[];
}

export interface CallTimes {
  /** performance.now(), null for steps this side did not see. */
  readonly invite: number | null;
  /** The INVITE that was answered: with credentials where they were asked for. */
  readonly lastInvite: number | null;
  readonly ringing: number | null;
  readonly answered: number | null;
}

export class PhoneCall {
  readonly dialog: DialogState;
  readonly stream: PhoneStream;
  readonly times: CallTimes;
  /** Resolves when either side has hung up. */
  readonly ended: Promise<Ended>;
  /** The SDP of their re-INVITEs. */
  readonly reoffers: string[] = [];
  /** How the next of them are answered; default: 200 at once. */
  answerReoffer: (sdp: string) => Promise<number> | number = () => 200;
  /** Their REFERs, without repetitions. */
  readonly refers: SipText[] = [];
  /** What they tell of ours. */
  readonly notifies: SipText[] = [];
  /** How the next of them are answered. */
  answerRefer: (refer: SipText) => Promise<number> | number = () => 405;
  /** Their INFO. */
  readonly infos: SipText[] = [];
  /** How the next of them are answered. */
  answerInfo = 200;
  readonly #phone: PhoneContext;
  readonly #referAnswers = new Map<string, Promise<number>>();
  #cseq: number;
  #inviteCseq: number;
  #remote: StreamRemote | null;
  #holds = false;
  #end: (ended: Ended) => void = () => undefined;
  #over = false;

  constructor(options: {
    readonly phone: PhoneContext;
    readonly dialog: DialogState;
    readonly cseq: number;
    readonly stream: PhoneStream;
    readonly remote: StreamRemote | null;
    readonly times: CallTimes;
  }) {
    this.#phone = options.phone;
    this.dialog = options.dialog;
    this.stream = options.stream;
    this.times = options.times;
    this.#cseq = options.cseq;
    this.#inviteCseq = options.cseq;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#remote = options.remote;
    if (this.#remote !== null) this.stream.setRemote(this.#remote);
  }

  get sipCallId(): string {
    return this.dialog.callId;
  }

  /** That the other side's SDP says first. */
  get codec(): StreamRemote['codec'] | null {
    return this.#remote?.codec ?? null;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Resolves when the last sample was sent. */
  play(pcm: Int16Array): Promise<void> {
    return this.stream.play(pcm);
  }

  sendDigits(digits: string): Promise<void> {
    return this.stream.sendDigits(digits);
  }

  recording(): Promise<Recording> {
    return this.stream.recording();
  }

  async gaps(longerThanMs: number): Promise<GapReport> {
    const { gapsMs, arrivalsMs } = await this.stream.recording();
    const gaps = [...gapsMs].flatMap((ms, i) => (ms > longerThanMs ? [{ atMs: arrivalsMs[i] ?? 0, ms }] : []));
    return { maxMs: gapsMs.reduce((a, b) => Math.max(a, b), 0), gaps };
  }

  /** Stops or resumes our packets without a word in SIP. */
  mute(muted: boolean): void {
    if (this.#remote === null) return;
    this.#remote = { ...this.#remote, send: !muted };
    this.stream.setRemote(this.#remote);
  }

  /** re-INVITE: hold (sendonly) or resume. Its final status, 408 when none came. */
  async hold(held: boolean): Promise<number> {
    const sdp = this.#phone.sdp(this.stream, held ? 'sendonly' : 'sendrecv', this.#cseq + 1);
    const response = await this.request('INVITE', sdp);
    if (response?.status === 200) this.#holds = held;
    return response?.status ?? 408;
  }

  /** Their re-INVITE: its final status, and our SDP, which mirrors theirs but for our own hold (RFC 3264 §6.1, §8.4). */
  async reoffered(
    sdp: string,
    remote: StreamRemote | null,
  ): Promise<{ readonly status: number; readonly sdp: string }> {
    this.reoffers.push(sdp);
    const status = await this.answerReoffer(sdp);
    if (status >= 300) return { status, sdp: '' };
    if (remote !== null) this.stream.setRemote((this.#remote = remote));
    const offered = /^a=(sendonly|recvonly|inactive)\s*$/m.exec(sdp)?.[1] ?? 'sendrecv';
    const answers = this.#holds ? HOLDING : MIRRORED;
    return { status, sdp: this.#phone.sdp(this.stream, answers[offered] ?? offered, this.reoffers.length + 1) };
  }

  /** Their REFER: its final status. */
  referred(refer: SipText): Promise<number> {
    // A repetition of one that is not answered yet gets its answer.
    const known = this.#referAnswers.get(branchOf(refer));
    if (known !== undefined) return known;
    this.refers.push(refer);
    const answer = Promise.resolve(this.answerRefer(refer));
    this.#referAnswers.set(branchOf(refer), answer);
    return answer;
  }

  /** Tells what became of their REFER (RFC 3515 §2.4.5). The final status of the NOTIFY. */
  async notifyReferred(status: number, reason: string, subscription: string): Promise<number> {
    const headers: Header[] = [
      ['Event', 'refer'],
      ['Subscription-State', subscription],
    ];
    const body = `SIP/2.0 ${status} ${reason}\r\n`;
    const response = await this.request('NOTIFY', body, 'message/sipfrag;version=2.0', headers);
    return response?.status ?? 408;
  }

  /** Asks them to call somebody else (RFC 3515): the final status of the REFER. */
  async refer(referTo: string, headers: readonly Header[] = []): Promise<number> {
    const response = await this.request('REFER', '', undefined, [['Refer-To', `<${referTo}>`], ...headers]);
    return response?.status ?? 408;
  }

  /** BYE. Resolves with its final status, 408 when none came. */
  async hangup(): Promise<number> {
    if (this.#over) return 200;
    this.#over = true;
    this.mute(true);
    const response = await this.request('BYE');
    const byeStatus = response?.status ?? 408;
    this.#end({ by: 'us', reason: null, byeStatus, atMs: performance.now() });
    return byeStatus;
  }

  /** Any request in this dialog; its final response, null when none came. */
  request(
    method: 'BYE' | 'INVITE' | 'UPDATE' | 'OPTIONS' | 'INFO' | 'NOTIFY' | 'REFER',
    body = '',
    contentType?: string,
    more: readonly Header[] = [],
  ): Promise<SipText | null> {
    const branch = `z9hG4bK${token()}`;
    const cseq = ++this.#cseq;
    if (method === 'INVITE') this.#inviteCseq = cseq;
    const text = this.#text(method, branch, cseq, body, contentType, more);
    return new Promise((resolve) => {
      this.#phone.transactions.request(text, branch, this.dialog.target, {
        onTimeout: () => resolve(null),
        onResponse: (response) => {
          if (response.status < 200) return;
          if (method === 'INVITE') this.acknowledge(response.status < 300 ? undefined : branch);
          resolve(response);
        },
      });
    });
  }

  /** ACK of the last INVITE of ours; for its repeated 2xx too. */
  acknowledge(branch = `z9hG4bK${token()}`): void {
    this.#phone.link.send(this.#text('ACK', branch, this.#inviteCseq, ''), this.dialog.target);
  }

  /** For the phone: their BYE came. */
  endedByThem(reason: string | null): void {
    if (this.#over) return;
    this.#over = true;
    this.mute(true);
    this.#end({ by: 'them', reason, byeStatus: null, atMs: performance.now() });
  }

  #text(
    method: string,
    branch: string,
    cseq: number,
    body: string,
    contentType?: string,
    more: readonly Header[] = [],
  ): string {
    const headers: Header[] = [
      ['Via', this.#phone.via(branch)],
      ['Max-Forwards', '70'],
      ...this.dialog.routes.map((route): Header => ['Route', route]),
      ['From', this.dialog.local],
      ['To', this.dialog.remote],
      ['Call-ID', this.dialog.callId],
      ['CSeq', `${cseq} ${method}`],
      ['Contact', this.#phone.contact()],
      ...more,
    ];
    return writeSip(`${method} ${this.dialog.remoteTarget} SIP/2.0`, headers, body, contentType);
  }
}
