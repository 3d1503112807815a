import type { DataSource } from 'typeorm';
import type { AttemptState } from '../entities/call-attempt';
import { StoreError } from '../errors';
import { CALL_BEGUN, callParameters } from './call-row';
import type { NewCall } from './call-row';

export interface IntendedAttempt {
  readonly attemptId: string;
  readonly call: NewCall;
  readonly n: number;
  readonly sipCallId: string;
  readonly nodeId: string;
  readonly bootId: string;
}

/** Which attempts of a call may have reached the carrier. Every move is idempotent and none goes backwards. */
export class AttemptRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /**
   * Right before the INVITE: the attempt, and the call's row should its workflow not have written it yet. An attempt is
   * begun once: whoever finds it begun must not send.
   * @throws StoreError `attempt_exists`
   */
  async intended({ attemptId, call, n, sipCallId, nodeId, bootId }: IntendedAttempt): Promise<void> {
    const rows: unknown[] = await this.#dataSource.query(
      `WITH ${CALL_BEGUN}
       INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id)
       VALUES ($20, $1, $2, $21, 'intended', $22, $23, $24) ON CONFLICT DO NOTHING RETURNING attempt_id`,
      [...callParameters(call), attemptId, n, sipCallId, nodeId, bootId],
    );
    if (rows.length === 0) {
      throw new StoreError('attempt_exists', 'the attempt was begun before', { attemptId, callId: call.id, n });
    }
  }

  /** The INVITE is at the socket. */
  async sent(attemptId: string): Promise<boolean> {
    return this.#move(attemptId, 'sent', ['intended'], ', sent_at = now()');
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
      `UPDATE call_attempts SET state = $2${also} WHERE attempt_id = $1 AND state = ANY($3::text[])`,
      [attemptId, to, from],
    );
    return count === 1;
  }
}
