import type { DataSource } from 'typeorm';
import { prepared } from '../prepared';
import { timestamp } from './call-row';

const SENT = prepared(
  `WITH moved AS (
     UPDATE call_attempts SET state = 'sent', sent_at = coalesce($2, now()) WHERE attempt_id = $1 AND state = 'intended'
     RETURNING attempt_id),
   paced AS (
     UPDATE trunk_capacity c SET next_at = greatest(c.next_at, coalesce($2, clock_timestamp()) + interval '1 second' / t.max_calls_per_second)
     FROM moved JOIN capacity_leases l ON l.lease_id = moved.attempt_id JOIN outbound_trunks t ON t.id = l.trunk_id
     WHERE c.trunk_id = t.id AND t.max_calls_per_second IS NOT NULL)
   SELECT attempt_id FROM moved`,
);

const NOT_SENT = prepared(
  `UPDATE call_attempts SET state = 'not_sent', finished_at = now() WHERE attempt_id = $1 AND state = 'intended'`,
);

/**
 * Which attempts of a call may have reached the carrier. Every move is idempotent and none goes backwards. How the last one came
 * out is stored with the end of its call.
 */
export class AttemptRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /**
   * The INVITE is at the socket: the trunk's next turn counts from now, should it have left later than it was its turn.
   * @param atMs for a simulated clock, epoch ms; null: PostgreSQL's
   */
  async sent(attemptId: string, atMs: number | null = null): Promise<boolean> {
    const rows: unknown[] = await this.#dataSource.query(SENT, [attemptId, timestamp(atMs)]);
    return rows.length === 1;
  }

  /** No INVITE left and none will. */
  async notSent(attemptId: string): Promise<boolean> {
    const [, count]: [unknown[], number] = await this.#dataSource.query(NOT_SENT, [attemptId]);
    return count === 1;
  }
}
