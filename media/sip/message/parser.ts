import { bodyLength, findHeadEnd } from './framing';
import { canonicalHeaderName } from './header-names';
import { SipRequest, SipResponse } from './message';

import type { ParseIssue } from './message';

/**
 * Tolerant parser of RFC 3261 §7 messages: it refuses only what it cannot frame. What is wrong but answerable is noted
 * in `issues` and judged by validation, since one cannot answer a message that one refused to parse.
 */

/** A message with more header lines than this is not one that we want to hold in memory. */
const MAX_HEADER_LINES = 1_000;
/** Of start line and headers, over any transport: what a datagram can hold must be taken (RFC 3261 §18.1.1). */
export const MAX_HEADER_BYTES = 64 * 1024;
const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;

const REQUEST_LINE = /^([^\s]+) ([^\s]+) (SIP\/\d+\.\d+)$/i;
/** What a malformed request line begins and ends with; in two, since one pattern for it all takes quadratic time. */
const LOOSE_METHOD = /^\s*([^\s]+)\s+/;
const LOOSE_VERSION = /\s(SIP\/\d+\.\d+)$/i;
const STATUS_LINE = /^SIP\/\d+\.\d+[ \t]+(\d{3})(?!\d)(.*)$/is;
const STATUS_LINE_START = /^SIP\/\d+\.\d+\s/i;
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/**
 * @param bytes one datagram, or one message as framed from a stream
 * @throws RangeError when there is no message in it
 */
export function parseMessage(bytes: Buffer): SipRequest | SipResponse {
  let start = 0;
  // Leading CRLFs are ignored (RFC 3261 §7.5).
  while (start < bytes.length && (bytes[start] === CR || bytes[start] === LF)) start++;
  if (start === bytes.length) throw new RangeError('empty message');

  const issues: ParseIssue[] = [];
  const { end, bodyStart } = findHeadEnd(bytes, start) ?? { end: bytes.length, bodyStart: bytes.length };
  const text = bytes.toString('latin1', start, headWithin(bytes, start, end, issues));
  const lineEnd = endOfLine(text, 0);
  const startLine = text.slice(0, lineEnd.end);
  const headers = parseHeaders(text, lineEnd.next, issues);
  const body = frameBody(bytes, bodyStart, headers.get('content-length'), issues);

  const request = REQUEST_LINE.exec(startLine);
  if (request !== null && TOKEN.test(request[1]!)) {
    const parts = { method: request[1]!, requestUri: request[2]!, version: request[3]!.toUpperCase() };
    return new SipRequest(parts, headers, body, issues);
  }
  if (STATUS_LINE_START.test(startLine)) {
    const status = STATUS_LINE.exec(startLine);
    if (status === null) throw new RangeError('status line');
    return new SipResponse({ status: Number(status[1]), reason: status[2]!.trim() }, headers, body, issues);
  }
  const loose = looseRequestLine(startLine);
  if (loose === null || headers.size === 0) throw new RangeError('start line');
  issues.unshift('start_line');
  return new SipRequest(loose, headers, body, issues);
}

/** Of a head that is too large the beginning is read, which says who asks. */
function headWithin(bytes: Buffer, start: number, end: number, issues: ParseIssue[]): number {
  if (end - start <= MAX_HEADER_BYTES) return end;
  issues.push('too_large');
  const lastLine = bytes.lastIndexOf(LF, start + MAX_HEADER_BYTES);
  return lastLine < start ? start + MAX_HEADER_BYTES : lastLine;
}

function looseRequestLine(line: string): { method: string; requestUri: string; version: string } | null {
  const start = LOOSE_METHOD.exec(line);
  if (start === null || !TOKEN.test(start[1]!)) return null;
  const rest = line.slice(start[0].length).trimEnd();
  const version = LOOSE_VERSION.exec(rest);
  const requestUri = version === null ? rest : rest.slice(0, version.index).trimEnd();
  return { method: start[1]!, requestUri, version: (version?.[1] ?? '').toUpperCase() };
}

function parseHeaders(text: string, from: number, issues: ParseIssue[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  let position = from;
  let lines = 0;
  while (position < text.length) {
    if (++lines > MAX_HEADER_LINES) {
      issues.push('too_large');
      break;
    }
    const { end, next } = endOfLine(text, position);
    let line = text.slice(position, end);
    position = next;
    // A line that begins with white space continues the one before (RFC 3261 §7.3.1).
    while (position < text.length && isBlank(text.charCodeAt(position))) {
      const folded = endOfLine(text, position);
      line += ` ${text.slice(position, folded.end).trim()}`;
      position = folded.next;
      lines++;
    }
    if (line === '') continue;
    const colon = line.indexOf(':');
    let nameEnd = colon < 0 ? line.length : colon;
    while (isBlank(line.charCodeAt(nameEnd - 1))) nameEnd--;
    const name = line.slice(0, nameEnd);
    if (colon <= 0 || !TOKEN.test(name)) {
      if (!issues.includes('header_line')) issues.push('header_line');
      continue;
    }
    const canonical = canonicalHeaderName(name);
    const value = line.slice(colon + 1).trim();
    const values = headers.get(canonical);
    if (values === undefined) headers.set(canonical, [value]);
    else values.push(value);
  }
  return headers;
}

/** Cuts the body as Content-Length says; without one it runs to the end of the datagram (RFC 3261 §18.3). */
function frameBody(bytes: Buffer, start: number, lengths: string[] | undefined, issues: ParseIssue[]): Buffer {
  const rest = bytes.length - start;
  const length = bodyLength(lengths);
  if (length === null) return bytes.subarray(start);
  if (Number.isNaN(length)) {
    issues.push('content_length');
    return bytes.subarray(start);
  }
  if (length > rest) issues.push('body_truncated');
  return bytes.subarray(start, start + Math.min(length, rest));
}

function endOfLine(text: string, from: number): { readonly end: number; readonly next: number } {
  const lf = text.indexOf('\n', from);
  if (lf < 0) return { end: text.length, next: text.length };
  return { end: lf > from && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf, next: lf + 1 };
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
