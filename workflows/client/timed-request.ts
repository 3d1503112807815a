import type { Client } from '@temporalio/client';
import { temporalTrouble } from './temporal-trouble';
import type { TemporalTrouble } from './temporal-trouble';

export interface TimedRequestOptions<T> {
  readonly client: Client;
  /** Epoch ms. */
  readonly deadlineMs: number;
  /** Troubles that are an answer like any other. */
  readonly expected?: Readonly<Partial<Record<TemporalTrouble, T>>>;
}

/** One request to Temporal, given up at its deadline. What goes wrong unexpectedly is thrown as it came. */
export async function timedRequest<T>(options: TimedRequestOptions<T>, request: () => Promise<T>): Promise<T> {
  const { client, deadlineMs, expected = {} } = options;
  try {
    return await client.connection.withDeadline(deadlineMs, request);
  } catch (error) {
    const answer = expected[temporalTrouble(error)];
    if (answer === undefined) throw error;
    return answer;
  }
}
