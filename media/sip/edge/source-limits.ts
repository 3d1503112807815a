import { userNetwork } from '../../../ops/address-scope';
import { TokenBuckets } from '../../../ops/token-bucket';
import { flowName } from '../peer';

import type { SipPeer } from '../peer';
import type { RateLimit } from '../../../ops/token-bucket';

/** What a source may send, SIP and the rest apart, so that neither a flood of garbage nor of keep-alives silences it. */
interface Allowance {
  readonly messages: TokenBuckets;
  /** Keep-alives, reads that complete no message, and what is not SIP at all. */
  readonly noise: TokenBuckets;
}

interface Share extends Allowance {
  readonly key: string;
}

const MAX_SOURCES = 20_000;
const CR = 13;
const LF = 10;
const VERSION = 'SIP/';

/**
 * How much of what arrives is looked at, by source. Strangers at one address share an allowance (of IPv6 at one /64). A
 * peer that has proved who it is has one for its own address and port, so that its neighbours behind a NAT, or who
 * forges its address from another port, cost it nothing. Datagrams beyond it are dropped, connections are made to wait.
 */
export class SourceLimits {
  readonly #strangers: Allowance;
  readonly #proven: Allowance;

  constructor(limit: RateLimit, clock: { now(): number }) {
    const buckets = (drops: 'first' | 'idle'): TokenBuckets =>
      new TokenBuckets({ ...limit, maxKeys: MAX_SOURCES, drops, clock });
    this.#strangers = { messages: buckets('first'), noise: buckets('first') };
    // Only who proves itself makes an entry here, and the one that was not heard for longest goes first.
    this.#proven = { messages: buckets('idle'), noise: buckets('idle') };
  }

  /** The peer has proved who it is: it gets an allowance of its own. */
  prove(peer: SipPeer): void {
    const name = flowName(peer);
    if (!this.#proven.messages.has(name)) this.#proven.messages.charge(name, 0);
  }

  /** Whether a datagram may be parsed. */
  admits(datagram: Buffer, peer: SipPeer): boolean {
    const { key, messages, noise } = this.#share(peer);
    return (looksLikeSip(datagram) ? messages : noise).take(key);
  }

  /** What looked like SIP could not be parsed: it was noise, as far as there is room for more of it. */
  unparsable(bytes: Buffer, peer: SipPeer): void {
    if (!looksLikeSip(bytes)) return;
    const { key, messages, noise } = this.#share(peer);
    if (noise.take(key)) messages.giveBack(key);
  }

  /** What one read of a stream has brought. False when the source had no room left for that much noise. */
  charge(peer: SipPeer, brought: { readonly messages: number; readonly noise: number }): boolean {
    const { key, messages, noise } = this.#share(peer);
    const room = noise.waitMs(key) === 0;
    messages.charge(key, brought.messages);
    if (brought.noise > 0) noise.charge(key, brought.noise);
    return room;
  }

  /**
   * How long a stream has to wait before more of it is read.
   * @param noisy whether it brought noise when it was last read: others do not wait for the noise of their neighbours
   */
  waitMs(peer: SipPeer, noisy: boolean): number {
    const { key, messages, noise } = this.#share(peer);
    return Math.max(messages.waitMs(key), noisy ? noise.waitMs(key) : 0);
  }

  #share(peer: SipPeer): Share {
    const name = flowName(peer);
    if (this.#proven.messages.has(name)) return { key: name, ...this.#proven };
    return { key: userNetwork(peer.address), ...this.#strangers };
  }
}

/** Whether the first line tells of SIP. What only claims to is found out by the parser. */
export function looksLikeSip(bytes: Buffer): boolean {
  let start = 0;
  while (bytes[start] === CR || bytes[start] === LF) start++;
  const at = bytes.indexOf(VERSION, start, 'latin1');
  if (at < 0) return false;
  const lineEnd = bytes.indexOf(LF, start);
  return lineEnd < 0 || at < lineEnd;
}
