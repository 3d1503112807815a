import { randomBytes } from 'node:crypto';

import type { BindingStore, RegisteredTrunk, SipBinding } from '../../../../contract/registration';
import { digestResponse, parseDigestHeader } from '../../../../media/sip/auth/digest';
import { SipRequest } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';

import type { SipResponse } from '../../../../media/sip/message/message';
import type { SipPeer } from './sip-peer';

const random = (): string => randomBytes(8).toString('hex');

export const BINDING: SipBinding = {
  id: 'b-1',
  contact: 'sip:pbx@192.0.2.10:5060',
  instanceId: null,
  regId: null,
  q: 1,
  path: [],
  sipCallId: 'register-1',
  cseq: 1,
  userAgent: null,
  source: { transport: 'udp', address: '192.0.2.10', port: 5060 },
  behindNat: false,
  nodeId: 'node-1',
  registeredAtMs: 0,
  refreshedAtMs: 0,
  expiresAtMs: 3_600_000,
};

/** A REGISTER as it was parsed. @param lines of the header, beyond what each has */
export function registerRequest(...lines: readonly string[]): SipRequest {
  const head = [
    'REGISTER sip:trunkline.example SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKregister',
    'From: <sip:alice@trunkline.example>;tag=1',
    'To: <sip:alice@trunkline.example>',
    'Max-Forwards: 70',
    ...(lines.some((line) => line.startsWith('Call-ID')) ? [] : ['Call-ID: register-1']),
    ...(lines.some((line) => line.startsWith('CSeq')) ? [] : ['CSeq: 1 REGISTER']),
  ];
  const message = parseMessage(Buffer.from(`${[...head, ...lines].join('\r\n')}\r\n\r\n`, 'latin1'));
  if (!(message instanceof SipRequest)) throw new Error('not a request');
  return message;
}

/** Bindings in memory; it may be away, or know no trunk. */
export class MemoryBindings implements BindingStore {
  readonly nodeId = 'node-1';
  readonly trunks = new Map<string, readonly SipBinding[]>();
  state: 'there' | 'away' | 'silent' | 'trunkless' = 'there';
  updates = 0;

  async update(
    { trunkId }: RegisteredTrunk,
    change: (held: readonly SipBinding[]) => readonly SipBinding[] | null,
  ): Promise<boolean> {
    this.updates += 1;
    await Promise.resolve();
    if (this.state === 'away') throw new Error('connection refused');
    if (this.state === 'silent') return new Promise(() => undefined);
    if (this.state === 'trunkless') return false;
    const kept = change(this.trunks.get(trunkId) ?? []);
    if (kept !== null) this.trunks.set(trunkId, kept);
    return true;
  }
}

export interface RegisterOptions {
  readonly contacts?: readonly string[];
  readonly expires?: number;
  readonly headers?: readonly string[];
  readonly cseq?: number;
  readonly branch?: string;
  readonly toUser?: string;
  readonly password?: string;
  readonly username?: string;
}

/** A phone system that registers as alice with what is written by hand. */
export class Registrant {
  readonly callId = `${random()}@registrant`;
  readonly #peer: SipPeer;
  readonly #domain: string;
  cseq = 0;
  lastRequest = '';

  constructor(peer: SipPeer, port: number) {
    this.#peer = peer;
    this.#domain = `127.0.0.1:${port}`;
  }

  /** `<sip:alice@127.0.0.1:port>` of the peer itself. */
  get contact(): string {
    return `<sip:alice@127.0.0.1:${this.#peer.port}${this.#peer.transport === 'TCP' ? ';transport=tcp' : ''}>`;
  }

  request(options: RegisterOptions, authorization?: string): string {
    const { contacts = [], expires, headers = [], branch = `z9hG4bK${random()}`, toUser = 'alice' } = options;
    const lines = [
      `REGISTER sip:${this.#domain} SIP/2.0`,
      `Via: SIP/2.0/${this.#peer.transport} 127.0.0.1:${this.#peer.port};rport;branch=${branch}`,
      `From: <sip:alice@${this.#domain}>;tag=registrant`,
      `To: <sip:${toUser}@${this.#domain}>`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${options.cseq ?? ++this.cseq} REGISTER`,
      'Max-Forwards: 70',
      ...contacts.map((contact) => `Contact: ${contact}`),
      ...(expires === undefined ? [] : [`Expires: ${expires}`]),
      ...headers,
      ...(authorization === undefined ? [] : [authorization]),
      'Content-Length: 0',
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  /** Through the challenge, to the final answer. */
  async register(options: RegisterOptions = {}): Promise<SipResponse> {
    this.#peer.send(this.request(options));
    const challenge = await this.#answer();
    if (challenge.status !== 401) return challenge;
    this.lastRequest = this.request(options, this.#authorization(challenge, options));
    this.#peer.send(this.lastRequest);
    return this.#answer();
  }

  async #answer(): Promise<SipResponse> {
    const answer = await this.#peer.take<SipResponse>((message) => message.cseq?.method === 'REGISTER');
    if (answer === undefined) throw new Error('no answer to REGISTER');
    return answer;
  }

  #authorization(challenge: SipResponse, { username = 'alice', password = 'secret' }: RegisterOptions): string {
    const params = parseDigestHeader(challenge.lines('www-authenticate')[0] ?? '');
    const [nonce, realm, cnonce] = [params?.get('nonce') ?? '', params?.get('realm') ?? '', random()];
    const uri = `sip:${this.#domain}`;
    const response = digestResponse({
      algorithm: 'MD5',
      username,
      realm,
      password,
      method: 'REGISTER',
      uri,
      nonce,
      qop: { nc: '00000001', cnonce },
    });
    return (
      `Authorization: Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
      `response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="${cnonce}"`
    );
  }
}
