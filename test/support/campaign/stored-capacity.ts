/** What PostgreSQL says of the capacity of trunks and of attempts, for tests that compare it with what a carrier has seen. */
import { Client } from 'pg';

import type { Stack } from '../stack';
import { waitFor } from '../wait-for';

export interface StoredAttempt {
  readonly callId: string;
  readonly n: number;
  readonly sipCallId: string;
  readonly state: string;
  /** Of its call. */
  readonly disposition: string | null;
}

interface InUse {
  readonly leases: number;
  readonly waiting: number;
}

/** A connection for each question: between two of them the server may have died. */
export class StoredCapacity {
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  attempts(trunkId: string): Promise<StoredAttempt[]> {
    return this.#rows(
      `SELECT a.call_id AS "callId", a.n, a.sip_call_id AS "sipCallId", a.state, c.disposition
       FROM call_attempts a JOIN calls c ON c.id = a.call_id WHERE c.trunk_id = $1 ORDER BY a.created_at, a.attempt_id`,
      [trunkId],
    );
  }

  /** It waits in the queue, or has left it. */
  async untilAsked(callId: string, limitMs = 10_000): Promise<void> {
    await waitFor(`a place of ${callId} in the ledger`, limitMs, async () => {
      const rows = await this.#rows(
        `SELECT FROM capacity_queue WHERE call_id = $1 UNION ALL SELECT FROM call_attempts WHERE call_id = $1`,
        [callId],
      );
      return rows.length > 0 ? true : undefined;
    });
  }

  /** Calls that wait for room on a trunk. */
  async waiting(trunkId: string): Promise<number> {
    return (await this.#rows(`SELECT FROM capacity_queue WHERE trunk_id = $1`, [trunkId])).length;
  }

  /** No slot is taken, and nobody waits for one. */
  async untilFree(limitMs = 40_000): Promise<void> {
    let last: InUse | undefined;
    await waitFor('all capacity to be free', limitMs, async () => {
      [last] = await this.#rows<InUse>(
        `SELECT (SELECT count(*)::int FROM capacity_leases) AS leases, (SELECT count(*)::int FROM capacity_queue) AS waiting`,
      );
      return last?.leases === 0 && last.waiting === 0 ? true : undefined;
    }).catch((error: unknown) => {
      throw new Error(`in use: ${JSON.stringify(last)}`, { cause: error });
    });
  }

  async #rows<Row extends object>(query: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.#stack.databaseUrl });
    client.on('error', () => undefined); // the query says so
    await client.connect();
    try {
      return (await client.query<Row>(query, [...parameters])).rows;
    } finally {
      await client.end();
    }
  }
}
