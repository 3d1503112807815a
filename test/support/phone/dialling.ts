/** A test phone calls: INVITE, challenge, ringing, final answer, or CANCEL. */
import { PhoneCall } from './phone-call';
import { readSdp } from './sdp-text';
import { answerDigest, cseqOf, headerOf, headersOf, token, uriOf, writeSip } from './sip-text';

import type { PhoneStream } from './media';
import type { DialOptions, Header, PhoneContext } from './options';
import type { Target } from './sip-link';
import type { SipText } from './sip-text';

/** Final refusal of our INVITE; status 408 and no response when nothing came. */
export class CallRefused extends Error {
  readonly status: number;
  readonly response: SipText | null;

  constructor(status: number, response: SipText | null) {
    super(`INVITE ended with ${status}`);
    this.name = 'CallRefused';
    this.status = status;
    this.response = response;
  }
}

export class Dialling {
  readonly sipCallId = `${token()}@phone.test`;
  /** Resolves at the first 18x; never when there is none. */
  readonly ringing: Promise<number>;
  /** Rejects with CallRefused. */
  readonly answered: Promise<PhoneCall>;
  readonly #phone: PhoneContext;
  readonly #server: Target;
  readonly #options: DialOptions;
  readonly #stream: PhoneStream;
  readonly #uri: string;
  readonly #from: string;
  readonly #times = {
    invite: performance.now(),
    lastInvite: performance.now(),
    ringing: null as number | null,
    answered: null as number | null,
  };
  #branch = '';
  #cseq = 0;
  #final = false;
  #onRinging: (status: number) => void = () => undefined;
  #onAnswered: (call: PhoneCall) => void = () => undefined;
  #onRefused: (error: CallRefused) => void = () => undefined;

  constructor(phone: PhoneContext, server: Target, user: string, stream: PhoneStream, options: DialOptions) {
    this.#phone = phone;
    this.#server = server;
    this.#options = options;
    this.#stream = stream;
    this.#uri = `sip:${user === '' ? '' : `${user}@`}${server.address}:${server.port}`;
    this.#from = `<sip:${phone.options.user ?? 'phone'}@${phone.address}:${phone.port}>;tag=${token()}`;
    this.ringing = new Promise((resolve) => (this.#onRinging = resolve));
    this.answered = new Promise((resolve, reject) => {
      this.#onAnswered = resolve;
      this.#onRefused = reject;
    });
    // A test that only looks at `ringing` must not die of the refusal.
    this.answered.catch(() => undefined);
    this.#invite([]);
  }

  /** Gives up; `answered` rejects with 487 when the other side obeys. */
  cancel(): void {
    if (this.#final) return;
    const text = writeSip(`CANCEL ${this.#uri} SIP/2.0`, this.#headers('CANCEL', `<${this.#uri}>`, this.#cseq));
    const ignore = (): void => undefined;
    this.#phone.transactions.request(text, this.#branch, this.#server, { onResponse: ignore, onTimeout: ignore });
  }

  #invite(authorization: readonly Header[]): void {
    this.#branch = `z9hG4bK${token()}`;
    const headers: Header[] = [
      ...this.#headers('INVITE', `<${this.#uri}>`, ++this.#cseq),
      ['Contact', this.#phone.contact()],
      ...this.#phone.capabilities(),
      ...authorization,
      ...(this.#options.headers ?? []),
    ];
    const text = writeSip(`INVITE ${this.#uri} SIP/2.0`, headers, this.#phone.sdp(this.#stream));
    this.#times.lastInvite = performance.now();
    this.#phone.transactions.request(text, this.#branch, this.#server, {
      timeoutMs: this.#options.timeoutMs ?? 32_000,
      onTimeout: () => this.#refuse(408, null),
      onResponse: (response) => this.#receive(response),
    });
  }

  #receive(response: SipText): void {
    const { status } = response;
    if (status > 100 && status < 200) {
      this.#times.ringing ??= performance.now();
      this.#onRinging(status);
    }
    if (status < 200) return;
    if (status < 300) {
      this.#confirm(response);
      return;
    }
    const ack = this.#headers('ACK', headerOf(response, 'to'), cseqOf(response).number);
    this.#phone.link.send(writeSip(`ACK ${this.#uri} SIP/2.0`, ack), this.#server);
    const authorization = this.#authorization(response);
    if (authorization === null) this.#refuse(status, response);
    else this.#invite([authorization]);
  }

  #authorization(response: SipText): Header | null {
    const { credentials } = this.#phone.options;
    const challenged = response.status === 401 || response.status === 407;
    if (!challenged || this.#cseq > 1 || credentials === undefined) return null;
    const proxy = response.status === 407;
    const challenges = headersOf(response, proxy ? 'proxy-authenticate' : 'www-authenticate');
    const value = answerDigest(challenges, credentials, 'INVITE', this.#uri);
    return value === null ? null : [proxy ? 'Proxy-Authorization' : 'Authorization', value];
  }

  #confirm(response: SipText): void {
    this.#final = true;
    this.#times.answered = performance.now();
    const remote = readSdp(response.body);
    const call = new PhoneCall({
      phone: this.#phone,
      dialog: {
        callId: this.sipCallId,
        local: this.#from,
        remote: headerOf(response, 'to'),
        remoteTarget: uriOf(headerOf(response, 'contact')),
        routes: headersOf(response, 'record-route').toReversed(),
        target: this.#server,
      },
      cseq: this.#cseq,
      stream: this.#stream,
      remote,
      times: this.#times,
    });
    this.#phone.adopt(call);
    call.acknowledge();
    if (remote === null) {
      void call.hangup();
      this.#refuse(488, response);
      return;
    }
    this.#onAnswered(call);
  }

  #refuse(status: number, response: SipText | null): void {
    this.#final = true;
    this.#stream.close();
    this.#onRefused(new CallRefused(status, response));
  }

  #headers(method: string, to: string, cseq: number): Header[] {
    return [
      ['Via', this.#phone.via(this.#branch)],
      ['Max-Forwards', '70'],
      ['From', this.#from],
      ['To', to],
      ['Call-ID', this.sipCallId],
      ['CSeq', `${cseq} ${method}`],
    ];
  }
}
