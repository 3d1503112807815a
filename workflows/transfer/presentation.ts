/** What an operator reads of a transfer in Temporal's UI. */
import { setCurrentDetails } from '@temporalio/workflow';
import type { TransferResult } from '../../contract/transfers';
import type { TransferInput } from './messages';

export function showTransfer({ callId, ways, nodeId }: TransferInput, doing: string | TransferResult): void {
  const state =
    typeof doing === 'string'
      ? doing
      : `${doing.outcome} by ${doing.mode}${doing.failedStep === null ? '' : `, failed at ${doing.failedStep}`}`;
  setCurrentDetails(
    [`- call ${callId}`, `- ways: ${ways.join(', ')}`, `- media node ${nodeId}`, `- ${state}`].join('\n'),
  );
}
