import { sdpOf } from './message/body';
import { askForSession, grantedSession, grantSession, minSe } from './session-expires';
import { SessionTimer } from './session-timer';

import type { Clock } from '../clock';
import type { RefreshFailure } from './dialog';
import type { InDialogRequest, InDialogResult } from './dialog-requests';
import type { SipRequest, SipResponse } from './message/message';
import type { SessionTimerPolicy } from './session-expires';

interface SessionRefreshOptions {
  readonly clock: Clock;
  readonly policy: SessionTimerPolicy;
  /** The INVITE that opened the dialog was ours. */
  readonly ownsCallId: boolean;
  readonly request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void;
  /** Our SDP as it is in force, for a re-INVITE that changes nothing; null when there is none. */
  readonly offer: () => string | null;
  /** The answer to that offer. */
  readonly onAnswer: (sdp: string) => void;
  readonly onFailed: (why: RefreshFailure) => void;
}

/** After a refusal that says nothing about when to try again; doubled each time. */
const FIRST_RETRY_MS = 4_000;
/** Each 422 must ask for more than the one before, and yet not without end. */
const MAX_RAISES = 3;

/**
 * Keeps the session of an established dialog alive (RFC 4028): answers the peer's refreshes, sends ours, by UPDATE where
 * the peer takes it and else by a re-INVITE with the SDP in force, and says when the session is over.
 */
export class SessionRefresh {
  readonly #options: SessionRefreshOptions;
  readonly #timer: SessionTimer;
  #updateAllowed = false;
  #minimumSeconds: number;
  #retryMs = FIRST_RETRY_MS;
  #raises = 0;

  constructor(options: SessionRefreshOptions) {
    this.#options = options;
    this.#minimumSeconds = options.policy.minimumSeconds;
    this.#timer = new SessionTimer({
      clock: options.clock,
      onRefresh: () => this.#send(),
      onExpired: () =>
        options.onFailed(this.#timer.interval?.refresher === 'us' ? 'refresh_failed' : 'refresh_missing'),
    });
  }

  /** Header lines of our 2xx to an INVITE, re-INVITE or UPDATE, with which the interval begins. */
  grant(request: SipRequest): readonly string[] {
    this.#noteAllow(request);
    const granted = grantSession(request, this.#timer.interval, this.#options.policy);
    this.#start(granted === null ? null : granted.interval);
    return granted === null ? [] : granted.headers;
  }

  /** The 2xx to our INVITE came. */
  granted(response: SipResponse): void {
    this.#noteAllow(response);
    this.#start(grantedSession(response));
  }

  stop(): void {
    this.#timer.stop();
  }

  #start(interval: ReturnType<typeof grantedSession>): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.#raises = 0;
    this.#timer.start(interval);
  }

  #noteAllow(message: SipRequest | SipResponse): void {
    if (message.headers.has('allow')) this.#updateAllowed = message.list('allow').includes('UPDATE');
  }

  #send(): void {
    const { interval } = this.#timer;
    if (interval === null) return;
    // RFC 4028 §7.4: an UPDATE needs no offer and so can fail in fewer ways.
    const method = this.#updateAllowed ? 'UPDATE' : 'INVITE';
    const sdp = method === 'UPDATE' ? null : this.#options.offer();
    if (method === 'INVITE' && sdp === null) {
      this.#timer.retryAfter(this.#nextRetryMs());
      return;
    }
    const seconds = Math.max(interval.seconds, this.#minimumSeconds);
    const headers = askForSession(seconds, this.#minimumSeconds, 'us');
    this.#options.request({ method, headers, ...(sdp === null ? {} : { sdp }) }, (result) =>
      this.#done(method, seconds, result),
    );
  }

  #done(method: 'UPDATE' | 'INVITE', seconds: number, result: InDialogResult): void {
    if (this.#timer.state === 'off' || this.#timer.state === 'expired') return;
    if (typeof result === 'object' && result.status < 300) {
      const answer = method === 'INVITE' ? sdpOf(result) : null;
      if (answer !== null) this.#options.onAnswer(answer);
      this.#noteAllow(result);
      // A peer that forgets the header still wants the refreshes that it asked for before.
      this.#start(grantedSession(result) ?? { seconds, refresher: 'us' });
      return;
    }
    // The peer's own refresh came meanwhile.
    if (this.#timer.state !== 'refreshing') return;
    // RFC 4028 §10: nobody is there, or nobody knows of the call.
    if (result === 'timeout') this.#options.onFailed('refresh_timeout');
    else if (typeof result === 'object' && (result.status === 408 || result.status === 481)) {
      this.#options.onFailed('refresh_refused');
    } else this.#timer.retryAfter(this.#delayAfter(result));
  }

  #delayAfter(result: SipResponse | 'transport_error' | 'glare'): number {
    if (result === 'glare') return this.#glareMs();
    if (result === 'transport_error') return this.#nextRetryMs();
    switch (result.status) {
      case 405:
      case 501:
        if (!this.#updateAllowed) break;
        this.#updateAllowed = false;
        return 0;
      case 422:
        if (minSe(result) <= this.#minimumSeconds || ++this.#raises > MAX_RAISES) break;
        this.#minimumSeconds = minSe(result);
        return 0;
      case 491:
        return this.#glareMs();
    }
    const retryAfter = Number(/^\d{1,6}/.exec(result.first('retry-after') ?? '')?.[0] ?? 0);
    return Math.max(retryAfter * 1_000, this.#nextRetryMs());
  }

  /** RFC 3261 §14.1: in units of 10 ms, and never both sides at the same time. */
  #glareMs(): number {
    const [from, to] = this.#options.ownsCallId ? [210, 400] : [0, 200];
    return 10 * (from + Math.floor(Math.random() * (to - from + 1)));
  }

  #nextRetryMs(): number {
    const delay = this.#retryMs;
    this.#retryMs *= 2;
    return delay;
  }
}
