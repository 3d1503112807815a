/** A workflow's history as somebody reads it who opens it in Temporal's UI: every payload as the text it is. */
import type { WorkflowHandle } from '@temporalio/client';

export interface PlainHistory {
  readonly events: number;
  readonly text: string;
}

export async function plainHistory(handle: Pick<WorkflowHandle, 'fetchHistory'>): Promise<PlainHistory> {
  const history = await handle.fetchHistory();
  // As JSON the bytes of a payload are base64.
  const text = JSON.stringify(history, (key, value: unknown) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
  );
  return { events: history.events?.length ?? 0, text };
}
