/** What the record of a transfer says of that to which its commands came. */
import type { CommandEffect } from '../../contract/commands';
import type { TransferOutcome, TransferResult, TransferStep, TransferWay } from '../../contract/transfers';
import type { TransferEffect } from './messages';
import type { StepOutcome } from './transfer-commands';

export type Attempt = Pick<TransferResult, 'outcome' | 'sipStatus' | 'failedStep'>;
export type Tried = Attempt & { readonly mode: TransferWay };

/** Steps that lead to somebody, by the names in the ids of their commands. */
const WAYS: readonly (readonly [step: string, way: TransferWay])[] = [
  ['refer', 'refer'],
  ['dial', 'bridge'],
  ['consult', 'warm'],
];

export function outcomeOf(came: StepOutcome, step: TransferStep): Attempt {
  if (came === 'over') return failedAt('call_ended', step);
  const legOutcome = 'legOutcome' in came ? came.legOutcome : undefined;
  const sipStatus = 'sipStatus' in came ? (came.sipStatus ?? null) : null;
  if (came.outcome === 'done') return transferred(legOutcome);
  return { ...failedAt(legOutcome !== undefined && isOutcome(legOutcome) ? legOutcome : 'failed', step), sipStatus };
}

/** Null of a command that has led the caller to nobody. */
export function triedBy(transferId: string, { commandId, effect }: TransferEffect): Tried | null {
  const way = WAYS.find(([step]) => commandId === `${transferId}:${step}`);
  if (way === undefined || effect.outcome !== 'done') return null;
  return { mode: way[1], ...transferred(effect.legOutcome) };
}

export function failedAt(outcome: TransferOutcome, failedStep: TransferStep): Attempt {
  return { outcome, sipStatus: null, failedStep };
}

function transferred(legOutcome: CommandEffect['legOutcome']): Attempt {
  if (legOutcome === 'transferred_assumed') return { outcome: legOutcome, sipStatus: null, failedStep: null };
  return { outcome: 'transferred', sipStatus: 200, failedStep: null };
}

/** A leg that was given up was given up by us. */
function isOutcome(word: string): word is TransferOutcome {
  return !['answered', 'voicemail', 'expired', 'uncertain', 'canceled'].includes(word);
}
