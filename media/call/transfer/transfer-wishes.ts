/**
 * What is wished in the call itself of a transfer: it is reported, decided outside, and carried out by the commands of the
 * transfer, which bear its id. One at a time.
 *
 *   none ──want()──► wanted ──its first command that is taken──► none (the transfer has begun)
 *     ▲                └─────refused, or too late──► none: the agent says so, and its commands are refused from then on
 *     └────────────────────────────────────────────────┘
 */
import { randomUUID } from 'node:crypto';
import type { OfferedDestination, TransferWish } from '../../../contract/transfers';
import type { AgentSession } from '../../agent/agent-session';
import { TimerSet, type Clock } from '../../clock';
import { cannot, toKnow } from './sorry';

export interface TransferWishesOptions {
  readonly clock: Clock;
  readonly agent: () => AgentSession | null;
  /** The peer is with somebody else, or on the way: no agent says anything to it. */
  readonly away: () => boolean;
  readonly onWanted: (transferId: string, wish: TransferWish) => void;
}

/** The caller hears nothing meanwhile; what begins later does not begin. */
const DECIDED_WITHIN_MS = 4_000;
/** Of one call: somebody who plays with the keys fills no table and no history. */
const MAX_WISHES = 50;

export class TransferWishes {
  readonly #options: TransferWishesOptions;
  readonly #timers: TimerSet<'decision'>;
  readonly #withdrawn = new Set<string>();
  #wanted: { readonly transferId: string; readonly wish: TransferWish } | null = null;
  #wishes = 0;
  /** To the agent, whose names for them are said. */
  offered: readonly OfferedDestination[] = [];

  constructor(options: TransferWishesOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  /** False: another is being decided on, or there were too many. */
  want(wish: TransferWish): boolean {
    if (this.#wanted !== null || this.#options.away() || this.#wishes >= MAX_WISHES) return false;
    this.#wishes++;
    const transferId = randomUUID();
    this.#wanted = { transferId, wish };
    this.#timers.arm('decision', DECIDED_WITHIN_MS, () => {
      this.#withdrawn.add(transferId);
      this.#give(wish, 'it took too long');
    });
    this.#options.onWanted(transferId, wish);
    return true;
  }

  /** The id of a command of a transfer begins with the transfer's. False: it is of one that is not wanted any more. */
  mayCarryOut(commandId: string): boolean {
    const [transferId = ''] = commandId.split(':', 1);
    return !this.#withdrawn.has(transferId);
  }

  /** A command was taken: of the transfer that is wanted, it carries it out. */
  onTaken(commandId: string): void {
    const transferId = this.#wanted?.transferId;
    if (transferId !== undefined && commandId.startsWith(`${transferId}:`)) this.#settle();
  }

  refused(transferId: string, code: string): void {
    if (this.#wanted?.transferId !== transferId) return;
    this.#give(this.#wanted.wish, code);
  }

  /** Idempotent. */
  close(): void {
    this.#settle();
  }

  #give(wish: TransferWish, why: string): void {
    this.#settle();
    const agent = this.#options.agent();
    if (this.#options.away() || !agent?.mayBeTold) return;
    const name = this.offered.find(({ id }) => id === wish.destinationId)?.name ?? null;
    agent.instruct(toKnow(name, why));
    agent.notTransferred(wish.by, cannot(name));
  }

  #settle(): void {
    this.#timers.clearAll();
    this.#wanted = null;
  }
}
