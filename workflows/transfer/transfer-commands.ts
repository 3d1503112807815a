/** The commands of one transfer to its call's node: each has one id, so that however often it is sent it is done once. */
import { condition, patched } from '@temporalio/workflow';
import type { CommandEffect, SealedControl } from '../../contract/commands';
import * as node from '../call/node-commands';
import type { TransferEffect, TransferInput } from './messages';
import { triedBy } from './outcome';
import type { Tried } from './outcome';

/** `silent`: neither taken nor refused as far as is known, and no effect in time. */
export type StepOutcome = CommandEffect | { readonly outcome: 'refused' } | { readonly outcome: 'silent' } | 'over';

/** Each takes 2 s where nobody takes it: a node has its pollers back 10 s after an outage of Temporal. */
const MAX_ASKED = 8;
/** For the node's word on what it was to let go of. */
export const RELEASE_MS = 5_000;

export class TransferCommands {
  readonly #input: TransferInput;
  readonly #effects = new Map<string, CommandEffect>();
  readonly #atMs = new Map<string, number>();
  #overAtMs: number | null = null;
  #knownAtMs: number | null = null;

  constructor(input: TransferInput) {
    this.#input = input;
  }

  /** When the call ended; null while it lives. */
  get overAtMs(): number | null {
    return this.#overAtMs;
  }

  /** When that has happened which the last command came to; null where nothing did. */
  get knownAtMs(): number | null {
    return this.#knownAtMs;
  }

  callOver(atMs: number): void {
    this.#overAtMs = atMs;
  }

  onEffect({ commandId, effect, atMs }: TransferEffect): void {
    this.#effects.set(commandId, effect);
    if (atMs !== undefined) this.#atMs.set(commandId, atMs);
  }

  /**
   * Done once, however often it is sent; its effect is waited for. A node that does not answer, as while Temporal comes back,
   * is asked again for a while, and may have taken it all the same.
   */
  async run(step: string, control: SealedControl, waitMs: number): Promise<StepOutcome> {
    const { callId, orgId, transferId, nodeId, bootId } = this.#input;
    const commandId = `${transferId}:${step}`;
    const command = { callId, orgId, commandId, control };
    const place = { nodeId, bootId, sipCallId: null };
    let taken = await node.control(place, command);
    for (let n = 1; taken === 'silent' && n < MAX_ASKED && !this.#over() && !this.#effects.has(commandId); n++) {
      if (!patched('a-silent-node-is-asked-again')) break;
      taken = await node.control(place, command);
    }
    if (taken !== 'silent' && !taken.ok) return this.#over() ? 'over' : { outcome: 'refused' };
    await condition(() => this.#over() || this.#effects.has(commandId), waitMs, { summary: `for the effect: ${step}` });
    const effect = this.#effects.get(commandId);
    this.#knownAtMs = this.#atMs.get(commandId) ?? null;
    if (effect !== undefined) return effect;
    return this.#over() ? 'over' : { outcome: 'silent' };
  }

  /** Compensates a dial; whatever the node says, nothing more can be done. */
  async release(): Promise<void> {
    const { callId, orgId, transferId, nodeId, bootId } = this.#input;
    const control = { type: 'releaseLeg', legId: transferId } as const;
    const commandId = `${transferId}:release`;
    await node.control({ nodeId, bootId, sipCallId: null }, { callId, orgId, commandId, control });
  }

  /**
   * After a release: who had been reached before it, all the same; null where nobody had. Events of a node come in their order, so
   * with the release's it is known.
   */
  async joined(): Promise<Tried | null> {
    const { transferId } = this.#input;
    const known = (): boolean => this.#over() || this.#effects.has(`${transferId}:release`);
    await condition(known, RELEASE_MS, { summary: 'whether somebody was reached before' });
    for (const [commandId, effect] of this.#effects) {
      const tried = triedBy(transferId, { commandId, effect });
      if (tried === null) continue;
      this.#knownAtMs = this.#atMs.get(commandId) ?? null;
      return tried;
    }
    return null;
  }

  #over(): boolean {
    return this.#overAtMs !== null;
  }
}
