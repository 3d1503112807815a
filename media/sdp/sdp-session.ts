/**
 * Our side of a dialog's SDP: one session id for its life, and a version that grows by one with every SDP that differs
 * from the one before and stays when nothing changed (RFC 3264 §5, §8).
 */
import type { AudioCodec } from '../../contract/audio-codecs';
import { fewRandomBytes } from '../../ops/random-bytes';
import type { Direction, LocalAudio } from './audio-stream';
import { answerOffer, createOffer, readAnswer } from './offer-answer';
import type { AnswerResult, ReadAnswerResult } from './sdp-result';
import { readSessionDescription } from './session-description';
import type { ReadDescription } from './session-description';

export interface SdpSessionOptions {
  readonly localAddress: string;
  readonly port: number;
  /** See `LocalAudio`. */
  readonly codecs?: readonly AudioCodec[] | null;
}

export class SdpSession {
  readonly sessionId: string;
  /** Where the peer's SIP comes from, once known: stands in for a host name in its SDP. */
  signallingAddress: string | null = null;
  readonly #options: SdpSessionOptions;
  #version = 1;
  /** The last SDP of ours that was put out. */
  #last: string | null = null;
  /** That of ours which is in force. An offer without a usable answer never is (RFC 3261 §14.1). */
  #agreed: string | null = null;

  constructor(options: SdpSessionOptions) {
    this.#options = options;
    // 62 bits: positive in any signed 64-bit integer a peer may read it into.
    this.sessionId = (fewRandomBytes(8).readBigUInt64BE() >> 2n).toString();
  }

  /** Answer to the peer's first or any later offer. */
  answer(offer: string | ReadDescription, direction?: Direction): AnswerResult {
    const read = typeof offer === 'string' ? readSessionDescription(offer) : offer;
    const result = answerOffer(read, this.#local(this.#version, direction));
    if (!result.ok) return result;
    const changed = this.#differs(result.sdp);
    const answer = changed ? answerOffer(read, this.#local(++this.#version, direction)) : result;
    if (answer.ok) this.#last = this.#agreed = answer.sdp;
    return answer;
  }

  /** Offer for our INVITE, re-INVITE, or for the 2xx to one without an offer. */
  offer(direction?: Direction): string {
    const previous = this.#last;
    const sdp = createOffer(this.#local(this.#version, direction), previous);
    if (!this.#differs(sdp)) return sdp;
    this.#last = createOffer(this.#local(++this.#version, direction), previous);
    return this.#last;
  }

  readAnswer(answer: string): ReadAnswerResult {
    const result = readAnswer(answer, this.#local(this.#version, undefined), this.#last);
    if (result.ok) this.#agreed = this.#last;
    return result;
  }

  /** An offer that changes nothing: what is in force, in its own words (RFC 4028 §7.4). Null before anything is. */
  refreshOffer(): string | null {
    if (this.#agreed !== null && this.#agreed !== this.#last) {
      // Something else was offered since, in vain; whoever saw it must see the number grow (RFC 3264 §8).
      this.#last = this.#agreed = this.#agreed.replace(/^(o=\S+ \S+) \d+/m, `$1 ${++this.#version}`);
    }
    return this.#agreed;
  }

  /** Remembers the first SDP; from then on tells whether another version is due. */
  #differs(sdp: string): boolean {
    if (this.#last === null) this.#last = sdp;
    return sdp !== this.#last;
  }

  #local(version: number, direction: Direction | undefined): LocalAudio {
    return {
      ...this.#options,
      signallingAddress: this.signallingAddress,
      sessionId: this.sessionId,
      version,
      ...(direction === undefined ? {} : { direction }),
    };
  }
}
