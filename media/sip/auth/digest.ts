import { createHash } from 'node:crypto';

import { splitOutsideQuotes, unquote } from '../message/parameters';

/** Digest access authentication (RFC 7616, RFC 8760 for SIP). */
export type DigestAlgorithm = 'MD5' | 'SHA-256';

interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** `-sess`: the client's nonce that goes with the server's for as long as that is used (RFC 7616 §3.4.2). */
  readonly sessionCnonce?: string;
  /** With qop: `nc` as its eight hex digits, the client's nonce, and with `auth-int` the body. */
  readonly qop?: { readonly nc: string; readonly cnonce: string; readonly body?: string };
}

/**
 * Hex response of RFC 7616 §3.4.1, without qop as in RFC 2617 §3.2.2.1. All texts hold one character per byte (latin1),
 * so that what is hashed are the bytes of the wire, in whatever encoding they are.
 */
export function digestResponse(input: DigestInput): string {
  const { nonce, sessionCnonce, qop } = input;
  const hash = (text: string): string =>
    createHash(input.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text, 'latin1')
      .digest('hex');
  const secret = hash(`${input.username}:${input.realm}:${input.password}`);
  const ha1 = sessionCnonce === undefined ? secret : hash(`${secret}:${nonce}:${sessionCnonce}`);
  const target = `${input.method}:${input.uri}`;
  const ha2 = hash(qop?.body === undefined ? target : `${target}:${hash(qop.body)}`);
  if (qop === undefined) return hash(`${ha1}:${nonce}:${ha2}`);
  return hash(`${ha1}:${nonce}:${qop.nc}:${qop.cnonce}:${qop.body === undefined ? 'auth' : 'auth-int'}:${ha2}`);
}

/** Parameters of `Digest a=b, c="d"` by lower-case name; null for another scheme. */
export function parseDigestHeader(value: string): Map<string, string> | null {
  const match = /^\s*Digest\s+(.*)$/is.exec(value);
  if (match === null) return null;
  const params = new Map<string, string>();
  for (const part of splitOutsideQuotes(match[1]!, ',')) {
    const equals = part.indexOf('=');
    if (equals <= 0) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    if (!params.has(name)) params.set(name, unquote(part.slice(equals + 1).trim()));
  }
  return params;
}

/** Null for an algorithm that we do not compute; without the parameter it is MD5 (RFC 7616 §3.3). */
export function parseAlgorithm(value: string | undefined): DigestAlgorithm | null {
  switch (value?.toUpperCase()) {
    case undefined:
    case 'MD5':
      return 'MD5';
    case 'SHA-256':
      return 'SHA-256';
    default:
      return null;
  }
}
