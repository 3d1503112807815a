/**
 * A SIP phone for tests, and with `answer` a callee or carrier: calls with digest, rings, answers, refuses, hangs up, and
 * sees the other side hang up. An independent peer: nothing of the product is in it. Any number of phones share one
 * `PhoneMedia`.
 */
import { AnsweringMachine, response } from './answering';
import { Dialling } from './dialling';
import { readSdp, writeSdp } from './sdp-text';
import { openTcpLink, openUdpLink } from './sip-link';
import { headerOf, parseSip, tagOf, cseqOf } from './sip-text';
import { Transactions } from './transactions';

import type { PhoneStream } from './media';
import type { DialOptions, Header, IncomingInvite, OptionsAnswer, PhoneContext, PhoneOptions } from './options';
import type { PhoneCall } from './phone-call';
import type { SipLink, Target } from './sip-link';
import type { SipText } from './sip-text';

export class Phone implements PhoneContext {
  readonly options: PhoneOptions;
  readonly transactions = new Transactions(() => this.link);
  /** Every call that came up, also those that are over, by Call-ID. */
  readonly calls = new Map<string, PhoneCall>();
  readonly #answering = new AnsweringMachine(this, (call) => this.#arrive(call));
  readonly #streams: PhoneStream[] = [];
  readonly #arrived: PhoneCall[] = [];
  readonly #waiting: ((call: PhoneCall) => void)[] = [];
  #link: SipLink | null = null;
  #closed = false;

  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    const openLink = options.transport === 'tcp' ? openTcpLink : openUdpLink;
    phone.#link = await openLink(phone.address, options.port ?? 0, (text, from) => phone.#receive(text, from));
    return phone;
  }

  private constructor(options: PhoneOptions) {
    this.options = options;
  }

  get address(): string {
    return this.options.address ?? '127.0.0.1';
  }

  get port(): number {
    return this.link.port;
  }

  get link(): SipLink {
    if (this.#link === null) throw new Error('the phone is not open');
    return this.#link;
  }

  /** Every INVITE outside a dialog that came, without repetitions; challenged ones too. */
  get invites(): readonly IncomingInvite[] {
    return this.#answering.invites;
  }

  /** Call-IDs of the INVITEs that were cancelled while we rang. */
  get cancelled(): readonly string[] {
    return this.#answering.cancelled;
  }

  /** Starts a call to `user` at the server. */
  async dial(user: string, options: DialOptions = {}): Promise<Dialling> {
    const { server = this.options.server } = options;
    if (server === undefined) throw new Error('this phone has no server to call');
    return new Dialling(this, server, user, await this.openStream(), options);
  }

  /** Calls and waits for the answer. @throws CallRefused */
  async call(user: string, options?: DialOptions): Promise<PhoneCall> {
    return (await this.dial(user, options)).answered;
  }

  /** The next call that we answered. */
  nextCall(): Promise<PhoneCall> {
    const call = this.#arrived.shift();
    return call === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(call);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.transactions.close();
    this.#answering.close();
    for (const stream of this.#streams) stream.close();
    this.#link?.close();
  }

  via(branch: string): string {
    return `SIP/2.0/${this.link.transport.toUpperCase()} ${this.address}:${this.port};branch=${branch};rport`;
  }

  contact(): string {
    const transport = this.link.transport === 'tcp' ? ';transport=tcp' : '';
    return `<sip:${this.options.user ?? 'phone'}@${this.address}:${this.port}${transport}>`;
  }

  capabilities(): readonly Header[] {
    const { takesRefer = false, supports = [] } = this.options;
    return [
      ['Allow', `INVITE, ACK, CANCEL, BYE, OPTIONS, INFO${takesRefer ? ', REFER, NOTIFY' : ''}`],
      ...(supports.length === 0 ? [] : [['Supported', supports.join(', ')] as const]),
    ];
  }

  async openStream(): Promise<PhoneStream> {
    const stream = await this.options.media.open(this.options.mediaAddress ?? this.address);
    this.#streams.push(stream);
    return stream;
  }

  sdp(stream: PhoneStream, direction = 'sendrecv', version = 1): string {
    const { codecs = ['PCMU', 'PCMA'], eventPayloadType = 101, sdpText = (sdp: string): string => sdp } = this.options;
    const { address } = this;
    return sdpText(writeSdp({ address, port: stream.port, codecs, eventPayloadType, direction, version }));
  }

  adopt(call: PhoneCall): void {
    this.calls.set(call.sipCallId, call);
  }

  #arrive(call: PhoneCall): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#arrived.push(call);
    else waiting(call);
  }

  #receive(text: string, from: Target): void {
    const message = parseSip(text);
    if (message.method === null) {
      const known = this.transactions.response(message, from);
      // A repeated 2xx: our ACK was lost.
      const again = !known && message.status >= 200 && message.status < 300 && cseqOf(message).method === 'INVITE';
      if (again) this.calls.get(headerOf(message, 'call-id'))?.acknowledge();
      return;
    }
    if (message.method === 'ACK') this.#answering.ack(message);
    else if (!this.transactions.repeated(message, from)) this.#request(message, from);
  }

  #request(request: SipText, from: Target): void {
    const inDialog = tagOf(headerOf(request, 'to')) !== '';
    const call = inDialog ? this.calls.get(headerOf(request, 'call-id')) : undefined;
    const respond = (status: number, reason: string, body = '', headers: readonly Header[] = []): void => {
      const text = response(request, status, reason, 'phone', [['Contact', this.contact()], ...headers], body);
      this.transactions.respond(request, text, from);
    };
    if (request.method === 'CANCEL') this.#answering.cancel(request, from);
    else if (request.method === 'INVITE' && !inDialog) this.#answering.invite(request, from);
    else if (request.method === 'OPTIONS' && !inDialog) {
      const { options = (): OptionsAnswer => ({ status: 200, reason: 'OK' }) } = this.options;
      const answer = options(request);
      if (answer !== null) respond(answer.status, answer.reason, answer.body, answer.headers);
    } else if (call === undefined || call.over) respond(481, 'Call/Transaction Does Not Exist');
    else if (request.method === 'INVITE') {
      respond(100, 'Trying');
      void call.reoffered(request.body, readSdp(request.body)).then(({ status, sdp }) => {
        if (!this.#closed) respond(status, status < 300 ? 'OK' : 'Refused', sdp);
      });
    } else if (request.method === 'REFER') {
      void call.referred(request).then((status) => {
        if (!this.#closed) respond(status, status < 300 ? 'Accepted' : 'Refused');
      });
    } else if (request.method === 'INFO') {
      call.infos.push(request);
      respond(call.answerInfo, call.answerInfo < 300 ? 'OK' : 'Refused');
    } else {
      respond(200, 'OK');
      if (request.method === 'NOTIFY') call.notifies.push(request);
      if (request.method === 'BYE') call.endedByThem(headerOf(request, 'reason') || null);
    }
  }
}
