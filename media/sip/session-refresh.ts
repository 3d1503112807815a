import { sdpOf } from './message/body';
import { askForSession, grantedSession, grantSession, minSe } from './session-expires';
import { SessionRequests } from './session-requests';
import { SessionTimer } from './session-timer';

import type { Clock } from '../clock';
import type { RefreshFailure, ReofferOutcome } from './dialog';
import type { InDialogRequest, InDialogResult } from './dialog-requests';
import type { SipRequest, SipResponse } from './message/message';
import type { SessionTimerPolicy } from './session-expires';
import type { SessionRequestResult } from './session-requests';

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
 * the peer takes it and else by a re-INVITE with the SDP in force, and says when the session is over. A re-INVITE of
 * ours that changes the session refreshes it as well, and takes its turn among the others.
 */
export class SessionRefresh {
  readonly #options: SessionRefreshOptions;
  readonly #timer: SessionTimer;
  readonly #requests: SessionRequests;
  #updateAllowed = false;
  #minimumSeconds: number;
  #retryMs = FIRST_RETRY_MS;
  #raises = 0;

  constructor(options: SessionRefreshOptions) {
    this.#options = options;
    this.#minimumSeconds = options.policy.minimumSeconds;
    this.#requests = new SessionRequests(options);
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

  /** @param offer asked at each try; null gives the offer up */
  reoffer(offer: () => string | null): Promise<ReofferOutcome> {
    return new Promise((resolve) => {
      this.#requests.send({
        make: () => {
          const sdp = offer();
          return sdp === null ? null : { method: 'INVITE', headers: this.#headers(), sdp };
        },
        again: (refusal) => this.#raise(refusal),
        done: (result) => {
          resolve(reofferOutcome(result));
          if (isAccepted(result)) this.#refreshed(result);
          else this.#endWhenGone(result);
        },
      });
    });
  }

  /** The dialog ends. */
  stop(): void {
    this.#timer.stop();
    this.#requests.stop();
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
    let method: 'UPDATE' | 'INVITE' = 'UPDATE';
    this.#requests.send({
      make: () => {
        // A re-INVITE before it was as good, or a refresh of the peer.
        if (this.#timer.state !== 'refreshing') return null;
        // RFC 4028 §7.4: an UPDATE needs no offer and so can fail in fewer ways.
        method = this.#updateAllowed ? 'UPDATE' : 'INVITE';
        if (method === 'UPDATE') return { method, headers: this.#headers() };
        const sdp = this.#options.offer();
        if (sdp !== null) return { method, headers: this.#headers(), sdp };
        this.#timer.retryAfter(this.#nextRetryMs());
        return null;
      },
      again: (refusal) => this.#raise(refusal) || this.#fallBack(refusal),
      done: (result) => this.#done(method, result),
    });
  }

  #done(method: 'UPDATE' | 'INVITE', result: SessionRequestResult): void {
    if (result === 'given_up' || this.#timer.state === 'off' || this.#timer.state === 'expired') return;
    if (isAccepted(result)) {
      const answer = method === 'INVITE' ? sdpOf(result) : null;
      if (answer !== null) this.#options.onAnswer(answer);
      this.#refreshed(result);
      return;
    }
    // The peer's own refresh came meanwhile.
    if (this.#timer.state !== 'refreshing') return;
    if (!this.#endWhenGone(result)) this.#timer.retryAfter(this.#delayAfter(result));
  }

  /** Of whatever refreshes the session: left out, it would end the timer (RFC 4028 §7.2). */
  #headers(): readonly string[] {
    const { interval } = this.#timer;
    if (interval === null) return [];
    return askForSession(Math.max(interval.seconds, this.#minimumSeconds), this.#minimumSeconds, interval.refresher);
  }

  #refreshed(response: SipResponse): void {
    const { interval } = this.#timer;
    this.#noteAllow(response);
    // A peer that forgets the header still wants the refreshes that it asked for before.
    const kept = interval && { seconds: Math.max(interval.seconds, this.#minimumSeconds), refresher: 'us' as const };
    this.#start(grantedSession(response) ?? kept);
  }

  /** RFC 3261 §12.2.1.2, RFC 4028 §10: nobody is there, or nobody knows of the call. */
  #endWhenGone(result: SessionRequestResult): boolean {
    if (result === 'timeout') this.#options.onFailed('refresh_timeout');
    else if (typeof result === 'object' && (result.status === 408 || result.status === 481)) {
      this.#options.onFailed('refresh_refused');
    } else return false;
    return true;
  }

  /** RFC 4028 §7.3: once more, with what the 422 asks for; false when it asks for nothing more. */
  #raise(refusal: SipResponse): boolean {
    if (refusal.status !== 422 || this.#timer.interval === null) return false;
    if (minSe(refusal) <= this.#minimumSeconds || ++this.#raises > MAX_RAISES) return false;
    this.#minimumSeconds = minSe(refusal);
    return true;
  }

  /** From UPDATE to re-INVITE. */
  #fallBack({ status }: SipResponse): boolean {
    if (!this.#updateAllowed || (status !== 405 && status !== 501)) return false;
    this.#updateAllowed = false;
    return true;
  }

  #delayAfter(result: SessionRequestResult): number {
    const retryAfter = typeof result === 'object' ? result.first('retry-after') : undefined;
    const seconds = Number(/^\d{1,6}/.exec(retryAfter ?? '')?.[0] ?? 0);
    return Math.max(seconds * 1_000, this.#nextRetryMs());
  }

  #nextRetryMs(): number {
    const delay = this.#retryMs;
    this.#retryMs *= 2;
    return delay;
  }
}

function isAccepted(result: SessionRequestResult): result is SipResponse {
  return typeof result === 'object' && result.status < 300;
}

function reofferOutcome(result: SessionRequestResult): ReofferOutcome {
  if (typeof result !== 'object') return { ok: false, status: null };
  const sdp = isAccepted(result) ? sdpOf(result) : null;
  return sdp === null ? { ok: false, status: result.status } : { ok: true, sdp };
}
