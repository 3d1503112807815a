import type { Client } from '@temporalio/client';
import { timedRequest } from './timed-request';

/** Does the server answer at all, if only that it has no such namespace yet? */
export async function temporalAnswers(client: Client, limitMs: number): Promise<boolean> {
  const { namespace } = client.options;
  const options = { client, deadlineMs: Date.now() + limitMs, expected: { not_found: true } };
  try {
    return await timedRequest<boolean>(options, async () => {
      await client.workflowService.describeNamespace({ namespace });
      return true;
    });
  } catch {
    return false; // away, or too slow to count as there
  }
}
