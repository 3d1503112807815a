/**
 * Retransmission for a test phone: requests go out again until they are answered (RFC 3261 §17.1), responses are kept
 * and repeated when the request comes again.
 */
import { branchOf, cseqOf, headerOf } from './sip-text';

import type { SipLink, Target } from './sip-link';
import type { SipText } from './sip-text';

const T1_MS = 500;
const T2_MS = 4000;
const TIMEOUT_MS = 32_000;

interface Pending {
  readonly onResponse: (response: SipText, from: Target) => void;
  readonly onTimeout: () => void;
  readonly invite: boolean;
  timer: NodeJS.Timeout | null;
  readonly deadline: NodeJS.Timeout;
}

export class Transactions {
  readonly #link: () => SipLink;
  readonly #pending = new Map<string, Pending>();
  readonly #answered = new Map<string, string>();

  constructor(link: () => SipLink) {
    this.#link = link;
  }

  /** Sends `text` until a response comes; `branch` is that of its Via. */
  request(
    text: string,
    branch: string,
    to: Target,
    handlers: Pick<Pending, 'onResponse' | 'onTimeout'> & { readonly timeoutMs?: number },
  ): void {
    const method = text.slice(0, text.indexOf(' '));
    const key = `${branch} ${method}`;
    const pending: Pending = {
      ...handlers,
      invite: method === 'INVITE',
      timer: null,
      deadline: setTimeout(() => {
        this.#end(key);
        handlers.onTimeout();
      }, handlers.timeoutMs ?? TIMEOUT_MS),
    };
    this.#pending.set(key, pending);
    const send = (intervalMs: number): void => {
      const link = this.#link();
      link.send(text, to);
      if (link.transport === 'udp') {
        pending.timer = setTimeout(
          () => send(pending.invite ? intervalMs * 2 : Math.min(T2_MS, intervalMs * 2)),
          intervalMs,
        );
      }
    };
    send(T1_MS);
  }

  /** True when the response belonged to one of our requests. */
  response(message: SipText, from: Target): boolean {
    const key = `${branchOf(message)} ${cseqOf(message).method}`;
    const pending = this.#pending.get(key);
    if (pending === undefined) return false;
    if (pending.invite || message.status >= 200) {
      if (pending.timer !== null) clearTimeout(pending.timer);
      pending.timer = null;
    }
    if (message.status >= 200) this.#end(key);
    pending.onResponse(message, from);
    return true;
  }

  /** Answers a request, now and whenever it is repeated. */
  respond(request: SipText, response: string, to: Target): void {
    this.#answered.set(requestKey(request), response);
    this.#link().send(response, to);
  }

  /** True when the request is a repetition; its answer was sent again. */
  repeated(request: SipText, from: Target): boolean {
    const response = this.#answered.get(requestKey(request));
    if (response === undefined) return false;
    this.#link().send(response, from);
    return true;
  }

  close(): void {
    for (const key of this.#pending.keys()) this.#end(key);
  }

  #end(key: string): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    if (pending.timer !== null) clearTimeout(pending.timer);
    clearTimeout(pending.deadline);
    this.#pending.delete(key);
  }
}

function requestKey(request: SipText): string {
  return `${headerOf(request, 'via')} ${cseqOf(request).number} ${request.method ?? ''}`;
}
