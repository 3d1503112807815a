import { parseUri } from '../message/uri';

import type { SipIdentity } from '../auth/identity';
import type { SipRequest } from '../message/message';

/** A Contact that we have registered somewhere. */
export interface RegisteredLine {
  /** Parameter of the Contact's URI, which no other has and nobody guesses. */
  readonly line: string;
  readonly identity: SipIdentity;
  /** Of the registrar. */
  readonly addresses: ReadonlySet<string>;
}

/**
 * Who may call without credentials of ours: a carrier that we have registered with sends its calls to the Contact that it
 * was given (RFC 3261 §10.3), and has nothing to answer a challenge with. It is known by the `line` of that Contact, which
 * it alone was told, and by its address. A registrar that drops the parameters of a Contact, or calls from elsewhere, is
 * challenged as everybody is.
 */
export class RegisteredLines {
  readonly #lines = new Map<string, RegisteredLine>();

  set(line: RegisteredLine): void {
    this.#lines.set(line.line, line);
  }

  delete(line: string): void {
    this.#lines.delete(line);
  }

  find(request: SipRequest, source: string): RegisteredLine | undefined {
    const line = parseUri(request.requestUri)?.params.get('line') ?? '';
    const registered = this.#lines.get(line);
    return registered?.addresses.has(source) === true ? registered : undefined;
  }
}
