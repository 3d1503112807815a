/** The media nodes that live now. One look at the store serves all requests of the next two seconds. */
import type { MediaNodeRecord } from '../store/repositories/media-node-repository';

export type LiveNode = Pick<MediaNodeRecord, 'nodeId' | 'sipAddress' | 'info'>;

export interface LiveNodesOptions {
  /** In an order that does not change while the same nodes live. */
  readonly find: () => Promise<readonly LiveNode[]>;
  /** How long an answer is kept. Default 2000. */
  readonly maxAgeMs?: number;
  readonly nowMs?: () => number;
}

export class LiveNodes {
  readonly #options: LiveNodesOptions;
  readonly #nowMs: () => number;
  #kept: { readonly nodes: readonly LiveNode[]; readonly atMs: number } | undefined;

  constructor(options: LiveNodesOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
  }

  /** The same array while an answer is kept. That no node lives is never kept: the next request may find one. */
  async current(): Promise<readonly LiveNode[]> {
    const kept = this.#kept;
    if (kept !== undefined && this.#nowMs() - kept.atMs < (this.#options.maxAgeMs ?? 2000)) return kept.nodes;
    const nodes = await this.#options.find();
    if (nodes.length > 0) this.#kept = { nodes, atMs: this.#nowMs() };
    return nodes;
  }
}
