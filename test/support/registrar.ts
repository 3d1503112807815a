/**
 * A carrier that PBXs register with: bindings by Contact, digest, intervals that are too brief, and OPTIONS. An independent
 * peer, as the test phone: nothing of the product is in it.
 */
import { response } from './phone/answering';
import type { Header } from './phone/options';
import { openTcpLink, openUdpLink } from './phone/sip-link';
import type { SipLink, Target } from './phone/sip-link';
import { branchOf, checkDigest, headerOf, parseSip, token, uriOf } from './phone/sip-text';
import type { Credentials, SipText } from './phone/sip-text';

export interface RegistrarAnswer {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: readonly Header[];
}

export interface RegistrarOptions {
  /** Default udp. */
  readonly transport?: 'udp' | 'tcp';
  readonly port?: number;
  /** Challenge every REGISTER and take only these. */
  readonly credentials?: Credentials;
  /** Of the challenge; default MD5. */
  readonly algorithm?: 'MD5' | 'SHA-256';
  /** Less is 423. */
  readonly minimumSeconds?: number;
  /** What is granted at most; default what is asked for. */
  readonly grantedSeconds?: number;
}

export interface SeenRequest {
  readonly method: string;
  readonly message: SipText;
  readonly from: Target;
  readonly atMs: number;
}

export class Registrar {
  /** Without repetitions. */
  readonly requests: SeenRequest[] = [];
  /** By the Contact's URI: seconds that were granted. */
  readonly bindings = new Map<string, number>();
  /** Everything else that came back to us: answers to what a test sent by `send`. */
  readonly answers: SipText[] = [];
  /** Instead of what a registrar would answer; `silent`: not a word. */
  answer: (request: SipText) => RegistrarAnswer | 'silent' | null = () => null;
  readonly #options: RegistrarOptions;
  readonly #seen = new Set<string>();
  #nonce = token();
  #link: SipLink | null = null;

  static async open(options: RegistrarOptions = {}): Promise<Registrar> {
    const registrar = new Registrar(options);
    const open = options.transport === 'tcp' ? openTcpLink : openUdpLink;
    registrar.#link = await open('127.0.0.1', options.port ?? 0, (text, from) => registrar.#receive(text, from));
    return registrar;
  }

  private constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#opened.port;
  }

  of(method: string): readonly SeenRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  /** The nonce is no good any more: whoever uses it is told that it is stale. */
  forgetNonce(): void {
    this.#nonce = token();
  }

  send(text: string, to: Target): void {
    this.#opened.send(text, to);
  }

  close(): void {
    this.#link?.close();
    this.#link = null;
  }

  get #opened(): SipLink {
    if (this.#link === null) throw new Error('the registrar is not open');
    return this.#link;
  }

  #receive(text: string, from: Target): void {
    const message = parseSip(text);
    const { method } = message;
    if (method === null) {
      this.answers.push(message);
      return;
    }
    const answer = this.answer(message) ?? (method === 'REGISTER' ? this.#register(message) : { status: 200 });
    if (!this.#seen.has(branchOf(message))) {
      this.#seen.add(branchOf(message));
      this.requests.push({ method, message, from, atMs: performance.now() });
    }
    if (answer === 'silent' || this.#link === null) return;
    const { status, reason = 'Test', headers = [] } = answer;
    this.#link.send(response(message, status, reason, token(), headers), from);
  }

  #register(request: SipText): RegistrarAnswer {
    const { credentials, algorithm = 'MD5', minimumSeconds = 0, grantedSeconds = Infinity } = this.#options;
    const authorization = headerOf(request, 'authorization');
    if (credentials !== undefined && !checkDigest(authorization, credentials, 'REGISTER', this.#nonce)) {
      const stale = authorization !== '' && !authorization.includes(this.#nonce) ? ', stale=true' : '';
      const challenge = `Digest realm="carrier.test", nonce="${this.#nonce}", algorithm=${algorithm}, qop="auth"${stale}`;
      return { status: 401, headers: [['WWW-Authenticate', challenge]] };
    }
    const contact = headerOf(request, 'contact');
    // A question: nothing changes (RFC 3261 §10.2.3).
    if (contact === '') return { status: 200, headers: this.#contacts };
    const asked = Number(/;expires=(\d+)\s*$/i.exec(contact)?.[1] ?? headerOf(request, 'expires'));
    if (asked > 0 && asked < minimumSeconds) return { status: 423, headers: [['Min-Expires', String(minimumSeconds)]] };
    if (asked === 0) this.bindings.delete(uriOf(contact));
    else this.bindings.set(uriOf(contact), Math.min(asked, grantedSeconds));
    return { status: 200, headers: this.#contacts };
  }

  get #contacts(): readonly Header[] {
    return [...this.bindings].map(([uri, seconds]) => ['Contact', `<${uri}>;expires=${seconds}`]);
  }
}
