import type { DataSource } from 'typeorm';
import type { AttemptState } from '../entities/call-attempt';
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

/** Which attempts of a call may have reached the carrier. Every move is idempotent and none goes backwards. */
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
    return this.#move(attemptId, 'not_sent', ['intended'], ', finished_at = now()');
  }

  /** An INVITE may have left and no node knows the call. */
  async uncertain(attemptId: string): Promise<boolean> {
    return this.#move(attemptId, 'uncertain', ['intended', 'sent'], '');
  }

  /** Its outcome is known. */
  async finished(attemptId: string): Promise<boolean> {
    return this.#move(attemptId, 'finished', ['intended', 'sent', 'uncertain'], ', finished_at = now()');
  }

  async #move(attemptId: string, to: AttemptState, from: readonly AttemptState[], also: string): Promise<boolean> {
    const [, count]: [unknown[], number] = await this.#dataSource.query(
      prepared(`UPDATE call_attempts SET state = $2${also} WHERE attempt_id = $1 AND state = ANY($3::text[])`),
      [attemptId, to, from],
    );
    return count === 1;
  }
}
