/**
 * The transfer of a call, as its workflow sees it: one at a time, in a workflow of its own, which is told what its commands
 * came to and when the call has ended. A call that has been transferred is not transferred again.
 */
import { condition, patched, startChild } from '@temporalio/workflow';
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { hasTransferred } from '../../contract/transfers';
import type { TransferOrigin, TransferResult } from '../../contract/transfers';
import { transferWorkflowId } from '../ids';
import { changed } from '../revision';
import { callOverSignal, effectSignal } from '../transfer/messages';
import type { TransferEffect, TransferInput } from '../transfer/messages';
import { failedAt, triedBy } from '../transfer/outcome';
import { RELEASE_MS } from '../transfer/transfer-commands';
import type { transferWorkflow } from '../transfer/workflow';
import * as node from './node-commands';
import type { CallProjection } from './projection';

const TRANSFER_WORKFLOW = 'transferWorkflow';

export class CallTransfer {
  readonly #projection: CallProjection;
  #transferId: string | null = null;
  #handle: ChildWorkflowHandle<typeof transferWorkflow> | null = null;
  #settled: Promise<void> = Promise.resolve();
  #transferred = false;
  /** Effects that it is being told of. */
  readonly #telling = new Set<Promise<void>>();
  #overAtMs: number | null = null;
  /** Of the commands of the transfer: whom it has reached, and that what is left of it was let go of. */
  #reached: TransferEffect | null = null;
  #released = false;

  constructor(projection: CallProjection) {
    this.#projection = projection;
  }

  /** Why no other can begin. */
  get refusal(): 'transferring' | 'transferred' | null {
    if (this.#transferred) return 'transferred';
    return this.#transferId === null ? null : 'transferring';
  }

  /** Resolves when it has begun, and the call's record says so. */
  async begin(input: TransferInput, by: TransferOrigin): Promise<void> {
    const { transferId, callId, ways, requestedAtMs } = input;
    this.#transferId = transferId;
    this.#reached = null;
    this.#released = false;
    let settle: () => void = () => undefined;
    this.#settled = new Promise((resolve) => (settle = resolve));
    try {
      const mode = ways[0] ?? 'bridge';
      await this.#projection.transferRequested({ callId, transferId, by, mode, atMs: requestedAtMs });
      const handle = await startChild<typeof transferWorkflow>(TRANSFER_WORKFLOW, {
        workflowId: transferWorkflowId(transferId),
        args: [input],
        staticSummary: `Transfer of call ${callId}`,
      });
      this.#handle = handle;
      if (this.#overAtMs !== null) await this.#tellOver(handle, this.#overAtMs);
      void handle.result().then(
        (result) => this.#finished(result, settle),
        () => void this.#lost(input, settle),
      );
    } catch (error) {
      await this.#lost(input, settle);
      throw error;
    }
  }

  /** Of other commands than its own it is not told. */
  async onEffect(told: TransferEffect): Promise<void> {
    if (this.#transferId === null || !told.commandId.startsWith(`${this.#transferId}:`)) return;
    if (triedBy(this.#transferId, told) !== null) this.#reached = told;
    this.#released ||= told.commandId === `${this.#transferId}:release`;
    if (this.#handle === null) return;
    const telling = this.#handle.signal(effectSignal, told).catch(() => undefined); // it has ended meanwhile
    this.#telling.add(telling);
    await telling;
    this.#telling.delete(telling);
  }

  /** The call has ended. Resolves when the record of the transfer is stored. */
  async end(atMs: number): Promise<void> {
    this.#overAtMs = atMs;
    if (this.#transferId === null) return;
    if (this.#handle !== null) await this.#tellOver(this.#handle, atMs);
    await this.#settled;
  }

  async #tellOver(handle: ChildWorkflowHandle<typeof transferWorkflow>, atMs: number): Promise<void> {
    // Two signals of one moment arrive in either order, and what ended the call may be what the effect tells of.
    if (this.#telling.size > 0 && changed('an-effect-is-told-before-the-end')) await Promise.all(this.#telling);
    await handle.signal(callOverSignal, { atMs }).catch(() => undefined); // it has ended by itself
  }

  #finished(result: TransferResult, settle: () => void): void {
    this.#transferred ||= hasTransferred(result);
    this.#handle = null;
    this.#transferId = null;
    settle();
  }

  /**
   * Terminated from outside: its record would say for ever that it is under way, and its leg ring on. Whoever was joined by
   * then stays, and that is what became of it.
   */
  async #lost(
    { callId, orgId, nodeId, bootId, transferId, ways, requestedAtMs }: TransferInput,
    settle: () => void,
  ): Promise<void> {
    const release = { type: 'releaseLeg', legId: transferId } as const;
    const command = { callId, orgId, commandId: `${transferId}:release`, control: release };
    const known = patched('a-lost-transfer-may-have-joined');
    if (this.#overAtMs === null) {
      await node.control({ nodeId, bootId, sipCallId: null }, command);
      // A node's events come in their order: with that of the release it is known whether somebody was joined before.
      if (known) await condition(() => this.#released || this.#overAtMs !== null, RELEASE_MS);
    }
    const reached = known && this.#reached !== null ? this.#reached : null;
    const tried = (reached && triedBy(transferId, reached)) ?? {
      mode: ways[0] ?? 'bridge',
      ...failedAt('failed', 'dial'),
    };
    const atMs = Math.min(Date.now(), reached?.atMs ?? Infinity, this.#overAtMs ?? Infinity);
    const result: TransferResult = { ...tried, durationMs: Math.max(0, atMs - requestedAtMs) };
    await this.#projection.transferFinished({ callId, transferId, result, atMs });
    this.#finished(result, settle);
  }
}
