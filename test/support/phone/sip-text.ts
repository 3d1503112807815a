/**
 * SIP as text, as small as a test phone needs it. Deliberately not the product's own parser: the phone is an independent
 * peer, which would not notice a mistake that both sides share.
 */
import { createHash, randomBytes } from 'node:crypto';

export interface SipText {
  readonly startLine: string;
  /** null for a response. */
  readonly method: string | null;
  /** 0 for a request. */
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const COMPACT: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
};

export function parseSip(text: string): SipText {
  const split = text.indexOf('\r\n\r\n');
  const [startLine = '', ...lines] = text.slice(0, split < 0 ? text.length : split).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return [COMPACT[name] ?? name, line.slice(colon + 1).trim()] as const;
  });
  const response = /^SIP\/2\.0 (\d{3})/.exec(startLine);
  return {
    startLine,
    method: response ? null : (startLine.split(' ')[0] ?? ''),
    status: Number(response?.[1] ?? 0),
    headers,
    body: split < 0 ? '' : text.slice(split + 4),
  };
}

export function headerOf(message: SipText, name: string): string {
  return message.headers.find(([key]) => key === name)?.[1] ?? '';
}

export function headersOf(message: SipText, name: string): string[] {
  return message.headers.filter(([key]) => key === name).map(([, value]) => value);
}

export function tagOf(nameAddr: string): string {
  return /;\s*tag=([^;>\s]+)/i.exec(nameAddr)?.[1] ?? '';
}

export function uriOf(nameAddr: string): string {
  return /<([^>]*)>/.exec(nameAddr)?.[1] ?? nameAddr.split(';')[0]?.trim() ?? '';
}

export function userOf(nameAddr: string): string {
  return decodeURIComponent(/^sips?:([^@;]*)@/.exec(uriOf(nameAddr))?.[1] ?? '');
}

export function branchOf(message: SipText): string {
  return /;\s*branch=([^;,\s]+)/.exec(headerOf(message, 'via'))?.[1] ?? '';
}

export function cseqOf(message: SipText): { readonly number: number; readonly method: string } {
  const [number = '0', method = ''] = headerOf(message, 'cseq').split(/\s+/);
  return { number: Number(number), method };
}

export function token(): string {
  return randomBytes(8).toString('hex');
}

export function writeSip(
  startLine: string,
  headers: readonly (readonly [string, string])[],
  body = '',
  contentType = 'application/sdp',
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (body !== '') lines.push(`Content-Type: ${contentType}`);
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${startLine}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function parameters(header: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of header.matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/gi)) {
    found.set(name.toLowerCase(), quoted ?? plain ?? '');
  }
  return found;
}

/** Answer to the first MD5 challenge among `challenges` (RFC 7616), null when there is none. */
export function answerDigest(
  challenges: readonly string[],
  credentials: Credentials,
  method: string,
  uri: string,
): string | null {
  for (const challenge of challenges) {
    const given = parameters(challenge);
    if ((given.get('algorithm') ?? 'MD5').toUpperCase() !== 'MD5') continue;
    const realm = given.get('realm') ?? '';
    const nonce = given.get('nonce') ?? '';
    const ha1 = md5(`${credentials.username}:${realm}:${credentials.password}`);
    const ha2 = md5(`${method}:${uri}`);
    const cnonce = token();
    const qop = (given.get('qop') ?? '').split(',').some((value) => value.trim() === 'auth');
    const response = qop ? md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`) : md5(`${ha1}:${nonce}:${ha2}`);
    const opaque = given.get('opaque');
    return [
      `Digest username="${credentials.username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`,
      'algorithm=MD5',
      ...(qop ? [`qop=auth, nc=00000001, cnonce="${cnonce}"`] : []),
      ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ].join(', ');
  }
  return null;
}

/** Whether `authorization` answers our challenge `nonce` with the right password. */
export function checkDigest(authorization: string, credentials: Credentials, method: string, nonce: string): boolean {
  const given = parameters(authorization);
  if (given.get('nonce') !== nonce || given.get('username') !== credentials.username) return false;
  const hash = given.get('algorithm') === 'SHA-256' ? sha256 : md5;
  const ha1 = hash(`${credentials.username}:${given.get('realm') ?? ''}:${credentials.password}`);
  const ha2 = hash(`${method}:${given.get('uri') ?? ''}`);
  const expected =
    given.get('qop') === 'auth'
      ? hash(`${ha1}:${nonce}:${given.get('nc') ?? ''}:${given.get('cnonce') ?? ''}:auth:${ha2}`)
      : hash(`${ha1}:${nonce}:${ha2}`);
  return given.get('response') === expected;
}
