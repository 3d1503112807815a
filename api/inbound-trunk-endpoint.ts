import { advertisedSipAddress } from '../ops/sip-address';
import type { SipListening } from '../ops/sip-address';
import type { LiveNodes } from './live-nodes';

/**
 * What a customer's phone system is pointed at. A public host in the API's own environment wins: with several media
 * nodes it is the one name that stands for all of them. Otherwise the nodes know best, as they may run on other hosts:
 * each of them takes every call, so the first that lives is as good as any. While none lives the API can only say what
 * a node with its own environment would.
 */
export class InboundTrunkEndpoint {
  readonly #own: SipListening;
  readonly #nodes: LiveNodes;

  constructor(own: SipListening, nodes: LiveNodes) {
    this.#own = own;
    this.#nodes = nodes;
  }

  async current(): Promise<string> {
    const nodes = this.#own.publicHost === null ? await this.#nodes.current() : [];
    const address = nodes.find(({ sipAddress }) => sipAddress !== null)?.sipAddress;
    return address ?? advertisedSipAddress(this.#own);
  }
}
