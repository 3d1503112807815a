import type { TrunkCapacity } from '../../media/call/trunk-capacity';

/** As much as the test says; what was taken and given back stands in `log`. */
export class FakeCapacity implements TrunkCapacity {
  readonly log: string[] = [];
  /** Slots that are taken. */
  held = 0;
  room = Infinity;
  /** Of a further INVITE; false: there is no turn for it. */
  turns: () => Promise<boolean> = () => Promise.resolve(true);
  /** Until a leg has its turn. */
  pause: () => Promise<void> = () => Promise.resolve();

  async occupy({ trunkId }: { readonly trunkId: string }): Promise<(() => void) | null> {
    if (this.held >= this.room) return null;
    this.held++;
    this.log.push(`occupy ${trunkId}`);
    await this.pause();
    return () => {
      this.held--;
      this.log.push(`free ${trunkId}`);
    };
  }

  turn({ trunkId }: { readonly trunkId: string }): Promise<boolean> {
    this.log.push(`turn ${trunkId}`);
    return this.turns();
  }

  attemptOver(attemptId: string): void {
    this.log.push(`over ${attemptId}`);
  }

  congested(trunkId: string, restMs: number): void {
    this.log.push(`congested ${trunkId} ${restMs}`);
  }
}
