import { randomBytes } from 'node:crypto';

import { digestResponse } from '../../../../media/sip/auth/digest';
import { parseDigestHeader } from '../../../../media/sip/auth/digest';

import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';
import type { SipPeer } from './sip-peer';

export const OFFER =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n' +
  'a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n';

const random = (): string => randomBytes(8).toString('hex');

/** Builds the requests of one call by hand, as a PBX would. */
export class Caller {
  readonly peer: SipPeer;
  readonly target: string;
  readonly callId = `${random()}@caller`;
  readonly fromTag = random();
  toTag = '';
  cseq = 1;
  inviteBranch = '';
  /** Contact of the other side, once known. */
  remoteTarget: string;

  constructor(peer: SipPeer, targetPort: number, user = '+15551234567') {
    this.peer = peer;
    this.target = `sip:${user}@127.0.0.1:${targetPort}`;
    this.remoteTarget = this.target;
  }

  branch(): string {
    return `z9hG4bK${random()}`;
  }

  request(
    method: string,
    options: { branch?: string; cseq?: number; headers?: readonly string[]; body?: string; uri?: string } = {},
  ): string {
    const body = options.body ?? '';
    const lines = [
      `${method} ${options.uri ?? (this.toTag === '' ? this.target : this.remoteTarget)} SIP/2.0`,
      `Via: SIP/2.0/${this.peer.transport} 127.0.0.1:${this.peer.port};rport;branch=${options.branch ?? this.branch()}`,
      `From: "Caller" <sip:caller@127.0.0.1>;tag=${this.fromTag}`,
      `To: <${this.target}>${this.toTag === '' ? '' : `;tag=${this.toTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${options.cseq ?? this.cseq} ${method}`,
      `Contact: <sip:caller@127.0.0.1:${this.peer.port}${this.peer.transport === 'TCP' ? ';transport=tcp' : ''}>`,
      'Max-Forwards: 70',
      ...(options.headers ?? []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }

  invite(options: { headers?: readonly string[]; body?: string; branch?: string } = {}): string {
    this.inviteBranch = options.branch ?? this.branch();
    return this.request('INVITE', { ...options, branch: this.inviteBranch, body: options.body ?? OFFER });
  }

  /** ACK of a refusal, in the INVITE's transaction. */
  ackRefusal(response: SipResponse): string {
    const saved = this.toTag;
    this.toTag = response.toTag;
    const text = this.request('ACK', { branch: this.inviteBranch, uri: this.target });
    this.toTag = saved;
    return text;
  }

  /** Notes the dialog that a 2xx made. */
  establish(response: SipResponse): void {
    this.toTag = response.toTag;
    this.remoteTarget = /<([^>]+)>/.exec(response.first('contact') ?? '')?.[1] ?? this.target;
  }

  authorization(
    challenge: SipResponse,
    username: string,
    password: string,
    algorithm: 'MD5' | 'SHA-256' = 'MD5',
  ): string {
    const line = challenge.lines('www-authenticate').find((value) => value.includes(`algorithm=${algorithm}`));
    const params = parseDigestHeader(line ?? '');
    const nonce = params?.get('nonce') ?? '';
    const realm = params?.get('realm') ?? '';
    const cnonce = random();
    const response = digestResponse({
      algorithm,
      username,
      realm,
      password,
      method: 'INVITE',
      uri: this.target,
      nonce,
      qop: { nc: '00000001', cnonce },
    });
    return (
      `Authorization: Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${this.target}", ` +
      `response="${response}", algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="${cnonce}"`
    );
  }
}

/** Answer to a request as the other side builds it. */
export function answerTo(
  request: SipRequest,
  status: number,
  options: { toTag?: string; headers?: readonly string[]; body?: string; reason?: string } = {},
): string {
  const body = options.body ?? '';
  const tag = options.toTag === undefined || request.toTag !== '' ? '' : `;tag=${options.toTag}`;
  const lines = [
    `SIP/2.0 ${status} ${options.reason ?? 'Test'}`,
    ...request.lines('via').map((via) => `Via: ${via}`),
    `From: ${request.first('from')}`,
    `To: ${request.first('to')}${tag}`,
    `Call-ID: ${request.callId}`,
    `CSeq: ${request.first('cseq')}`,
    ...(options.headers ?? []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
