import { randomInt } from 'node:crypto';

import { TimerSet } from '../clock';
import { T1_MS } from './timers';

import type { Clock } from '../clock';
import type { SipMessage, SipRequest, SipResponse } from './message/message';

/** Must arrive, and is acknowledged by PRACK (RFC 3262). */
const RELIABLE = '100rel';

const TIMEOUT_MS = 64 * T1_MS;

/** Value of RAck for a provisional answer to an INVITE of ours; null when it asks for none. */
export function rackFor(response: SipResponse): string | null {
  const { status, cseq } = response;
  // RFC 3262 §4: a 100 never is reliable.
  if (status <= 100 || status >= 200 || cseq === null || !response.optionTags('require').includes(RELIABLE))
    return null;
  const rseq = /^\d{1,10}$/.exec(response.first('rseq') ?? '')?.[0];
  return rseq === undefined ? null : `${Number(rseq)} ${cseq.number} ${cseq.method}`;
}

export function demandsReliable(invite: SipMessage): boolean {
  return invite.optionTags('require').includes(RELIABLE);
}

interface ReliableProvisionalOptions {
  readonly clock: Clock;
  /** Of the INVITE that is answered. */
  readonly cseq: number;
  readonly repeat: () => void;
  readonly onTimeout: () => void;
}

/** A provisional answer of ours that is repeated, over any transport, until its PRACK (RFC 3262 §3). */
export class ReliableProvisional {
  /** RFC 3262 §3: the first one is chosen at random. */
  readonly rseq = randomInt(1, 2 ** 31);
  readonly #options: ReliableProvisionalOptions;
  readonly #timers: TimerSet<'repeat' | 'timeout'>;
  #acknowledged = false;

  constructor(options: ReliableProvisionalOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  get headers(): readonly string[] {
    return [`Require: ${RELIABLE}`, `RSeq: ${this.rseq}`];
  }

  get acknowledged(): boolean {
    return this.#acknowledged;
  }

  /** It was sent for the first time. */
  sent(): void {
    this.#repeatAfter(T1_MS);
    this.#timers.arm('timeout', TIMEOUT_MS, () => {
      this.stop();
      this.#options.onTimeout();
    });
  }

  /** Whether a PRACK is for this answer and the first of its kind; a later one acknowledges nothing (RFC 3262 §3). */
  acknowledgedBy(prack: SipRequest): boolean {
    const [rseq, cseq, method, ...rest] = (prack.first('rack') ?? '').trim().split(/\s+/);
    const ours = Number(rseq) === this.rseq && Number(cseq) === this.#options.cseq && method === 'INVITE';
    if (!ours || rest.length > 0 || this.#acknowledged) return false;
    this.#acknowledged = true;
    this.stop();
    return true;
  }

  /** The final answer is out, or there will be none; a PRACK may still come. */
  stop(): void {
    this.#timers.clearAll();
  }

  #repeatAfter(delayMs: number): void {
    this.#timers.arm('repeat', delayMs, () => {
      this.#options.repeat();
      this.#repeatAfter(delayMs * 2);
    });
  }
}
