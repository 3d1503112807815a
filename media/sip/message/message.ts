import { parseAddress } from './address';
import { splitOutsideQuotes } from './parameters';
import { parseVia } from './via';

import type { SipAddress } from './address';
import type { Via } from './via';

/** What the parser found wrong but could still frame; validation says what that is worth. */
export type ParseIssue = 'start_line' | 'header_line' | 'content_length' | 'body_truncated' | 'too_large';

const NONE: readonly string[] = [];
/** A tag or branch within a value that is otherwise unreadable. */
const LOOSE_TAG = /;\s*tag\s*=\s*([^\s;,<>"]+)/i;
const LOOSE_CSEQ = /^(\d{1,10})\s*([A-Za-z]+)/;
const LOOSE_BRANCH = /;\s*branch\s*=\s*([^\s;,<>"]+)/i;

/**
 * A SIP message as it stood on the wire. Header names are lower case and full, values are trimmed and unfolded, bytes
 * above 127 are kept one per character (latin1) so that they can be echoed unchanged.
 */
export class SipMessage {
  readonly headers: Map<string, string[]>;
  readonly body: Buffer;
  readonly issues: readonly ParseIssue[];
  #from: SipAddress | null | undefined;
  #to: SipAddress | null | undefined;
  #via: Via | null | undefined;
  #cseq: { readonly number: number; readonly method: string } | null | undefined;

  constructor(headers: Map<string, string[]>, body: Buffer, issues: readonly ParseIssue[]) {
    this.headers = headers;
    this.body = body;
    this.issues = issues;
  }

  first(name: string): string | undefined {
    return this.headers.get(name)?.[0];
  }

  lines(name: string): readonly string[] {
    return this.headers.get(name) ?? NONE;
  }

  /** Values of a comma-separated header, over all its lines, in order. */
  list(name: string): readonly string[] {
    const lines = this.headers.get(name);
    if (lines === undefined) return NONE;
    if (lines.length === 1 && !lines[0]!.includes(',')) return lines[0] === '' ? NONE : lines;
    return lines.flatMap((line) => splitOutsideQuotes(line, ',')).filter((value) => value !== '');
  }

  /** Lower-case option tags of Require, Supported and the like. */
  optionTags(name: string): readonly string[] {
    return this.list(name).map((tag) => tag.toLowerCase());
  }

  get callId(): string {
    return this.first('call-id') ?? '';
  }

  get from(): SipAddress | null {
    this.#from ??= parseAddress(this.first('from') ?? '');
    return this.#from;
  }

  get to(): SipAddress | null {
    this.#to ??= parseAddress(this.first('to') ?? '');
    return this.#to;
  }

  get fromTag(): string {
    return tagOf(this.from, this.first('from'));
  }

  get toTag(): string {
    return tagOf(this.to, this.first('to'));
  }

  get cseq(): { readonly number: number; readonly method: string } | null {
    if (this.#cseq === undefined) {
      const match = /^(\d{1,10})\s+(\S+)$/.exec(this.first('cseq') ?? '');
      const number = Number(match?.[1]);
      // The sequence number is below 2**31 (RFC 3261 §8.1.1.5).
      this.#cseq = match === null || number >= 2 ** 31 ? null : { number, method: match[2]! };
    }
    return this.#cseq;
  }

  get topVia(): Via | null {
    if (this.#via === undefined) this.#via = parseVia(this.list('via')[0] ?? '');
    return this.#via;
  }

  /** Of the topmost Via, however that is spelled; empty without. */
  get branch(): string {
    return this.topVia?.params.get('branch') ?? LOOSE_BRANCH.exec(this.first('via') ?? '')?.[1] ?? '';
  }

  /** Media type of the body in lower case, without parameters; empty without a Content-Type. */
  get contentType(): string {
    const value = this.first('content-type') ?? '';
    const semicolon = value.indexOf(';');
    const type = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
    // White space is allowed around the slash (RFC 3261 §25.1 SLASH).
    return / \/|\/ /.test(type) ? type.replace(/\s*\/\s*/, '/') : type;
  }

  /** Replaces the topmost Via (RFC 3261 §18.2.1). */
  replaceTopVia(value: string): void {
    const lines = this.headers.get('via');
    if (lines === undefined) return;
    const first = splitOutsideQuotes(lines[0] ?? '', ',');
    first[0] = value;
    lines[0] = first.join(', ');
  }
}

export class SipRequest extends SipMessage {
  readonly method: string;
  readonly requestUri: string;
  /** `SIP/2.0` normally. */
  readonly version: string;

  constructor(
    start: { readonly method: string; readonly requestUri: string; readonly version: string },
    headers: Map<string, string[]>,
    body: Buffer,
    issues: readonly ParseIssue[],
  ) {
    super(headers, body, issues);
    this.method = start.method;
    this.requestUri = start.requestUri;
    this.version = start.version;
  }
}

export class SipResponse extends SipMessage {
  readonly status: number;
  readonly reason: string;

  constructor(
    start: { readonly status: number; readonly reason: string },
    headers: Map<string, string[]>,
    body: Buffer,
    issues: readonly ParseIssue[],
  ) {
    super(headers, body, issues);
    this.status = start.status;
    this.reason = start.reason;
  }

  /** Our own given back: whatever was done to its spelling, the method tells an INVITE from its CANCEL. */
  override get cseq(): { readonly number: number; readonly method: string } | null {
    const strict = super.cseq;
    if (strict !== null && !/[a-z]/.test(strict.method)) return strict;
    const loose = LOOSE_CSEQ.exec(this.first('cseq') ?? '');
    return loose === null ? null : { number: Number(loose[1]), method: loose[2]!.toUpperCase() };
  }
}

/** In a dialog the tags count; a display name that cannot be read must not hide them. */
function tagOf(address: SipAddress | null, value: string | undefined): string {
  if (address !== null) return address.params.get('tag') ?? '';
  return value === undefined ? '' : (LOOSE_TAG.exec(value)?.[1] ?? '');
}

/** Latin1 text of the wire as UTF-8, where it is that. */
export function decodeWireText(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return Buffer.from(text, 'latin1').toString('utf8');
  }
  return text;
}

/** A copy of a text of the wire that does not keep the message alive of which it, or a part of it, was cut. */
export function detached(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** The other way round: text of ours to one character per byte. */
export function encodeWireText(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}
