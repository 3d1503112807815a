/** What a transfer is started with, and told by its call's workflow. */
import { defineSignal } from '@temporalio/workflow';
import type { CommandEffect, SealedControl } from '../../contract/commands';
import type { NodeBoot } from '../../contract/nodes';
import type { TransferWay } from '../../contract/transfers';

/** As it may stand in a history: who is called, and what is said before, are sealed. */
export interface TransferInput extends NodeBoot {
  readonly callId: string;
  readonly orgId: string;
  readonly transferId: string;
  /** In the order in which they are tried. */
  readonly ways: readonly TransferWay[];
  readonly announce: SealedControl | null;
  /** A `LegDial`, sealed as of the commands that carry it. */
  readonly leg: string;
  /** Of the leg: it has the id of the transfer. */
  readonly ringTimeoutSeconds: number;
  /** Epoch ms. */
  readonly requestedAtMs: number;
}

/** What one of its commands came to. */
export interface TransferEffect {
  readonly commandId: string;
  readonly effect: CommandEffect;
  /** When the node saw it (epoch ms); runs of the first release were not told. */
  readonly atMs?: number;
}

export const effectSignal = defineSignal<[TransferEffect]>('effect');
/** The call is over since then (epoch ms), and with it every leg. */
export const callOverSignal = defineSignal<[{ readonly atMs: number }]>('callOver');
