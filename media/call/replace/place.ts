/**
 * The trunk that a leg's dialog counts with. Who takes a dialog's place on the same trunk takes its place there too; on
 * another it needs one of its own.
 */
import type { CallLimits } from '../../../contract/directory';
import type { InboundDialog } from '../../sip/dialog';
import type { LegNetwork } from '../transfer/far-leg';

export interface PlaceRefusal {
  readonly status: number;
  readonly reason: string;
}

const FULL: PlaceRefusal = { status: 486, reason: 'Trunk Carries As Many Calls As It May' };

export class TrunkPlace {
  readonly #network: LegNetwork;
  readonly #revoke: () => void;
  #trunkId: string | null;
  #leave: () => void = () => undefined;

  /** @param revoke the trunk was deleted */
  constructor(network: LegNetwork, trunkId: string | null, revoke: () => void) {
    this.#network = network;
    this.#trunkId = trunkId;
    this.#revoke = revoke;
  }

  get trunkId(): string | null {
    return this.#trunkId;
  }

  /** Why the dialog finds no place with its trunk; else what makes that the leg's, or gives it back. */
  offer(dialog: InboundDialog): PlaceRefusal | { readonly take: () => void; readonly giveBack: () => void } {
    const { registry, directory } = this.#network;
    const { trunkId, username } = dialog.invite.identity;
    const trunk = directory.inboundTrunk(username);
    if (!registry.pace.arrives(trunkId, trunk?.maxCallsPerSecond ?? null)) {
      return { status: 503, reason: 'Too Many Calls A Second' };
    }
    if (trunkId === this.#trunkId) return { take: () => undefined, giveBack: () => undefined };
    const leave = registry.occupy(trunkId, trunk ?? {}, this.#revoke);
    if (leave === 'trunk_full') return FULL;
    const take = (): void => {
      this.#leave();
      this.#leave = leave;
      this.#trunkId = trunkId;
    };
    return { take, giveBack: leave };
  }

  /** For a second dialog of the leg on its trunk, until the answered function is called. */
  second(limits: CallLimits): PlaceRefusal | (() => void) {
    if (this.#trunkId === null) return () => undefined;
    const { registry, directory } = this.#network;
    // What an outbound trunk carries is asked when the INVITE is to leave.
    const own = directory.outboundTrunk(this.#trunkId) === undefined ? limits : {};
    const leave = registry.occupy(this.#trunkId, own, () => undefined);
    return leave === 'trunk_full' ? FULL : leave;
  }

  /** What was taken of another than the first trunk. Idempotent. */
  leave(): void {
    this.#leave();
    this.#leave = () => undefined;
  }
}
