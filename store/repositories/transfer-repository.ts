import type { TransferOrigin, TransferResult, TransferWay, TransferWish } from '../../contract/transfers';
import { hasTransferred } from '../../contract/transfers';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { IS_HELD } from './held-calls';

interface RefusedWish extends TransferWish {
  readonly code: string;
}

interface OfTransfer {
  readonly callId: string;
  readonly transferId: string;
  readonly atMs: number;
}

export interface TransferUnderWay {
  readonly transferId: string;
  readonly mode: TransferWay;
  readonly requestedAtMs: number | null;
}

/** What the rows and the timelines of calls show of their transfers. All of it may be repeated. */
export class TransferRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** The call is `transferring`, unless it is over. False: it was said before. */
  async requested(
    { callId, transferId, atMs }: OfTransfer,
    { mode, by }: { readonly mode: TransferWay; readonly by: TransferOrigin },
  ): Promise<boolean> {
    return this.#change(
      `UPDATE calls SET transfer = $6::jsonb, status = CASE status WHEN 'completed' THEN status ELSE 'transferring' END
       WHERE id = $1 AND transfer->>'id' IS DISTINCT FROM $2 RETURNING id, org_id`,
      [callId, transferId, jsonbParameter({ id: transferId, by, mode })],
      { type: 'transfer.requested', atMs, data: { transfer_id: transferId, by, mode } },
    );
  }

  /** And no more, whatever came of it. False: it was said before. */
  async finished({ callId, transferId, atMs }: OfTransfer, result: TransferResult): Promise<boolean> {
    const { mode, outcome, sipStatus, durationMs, failedStep } = result;
    return this.#change(
      `UPDATE calls SET transfer = transfer || $6::jsonb,
         status = CASE WHEN status <> 'transferring' THEN status WHEN ${IS_HELD} THEN 'held' ELSE 'in_progress' END
       WHERE id = $1 AND transfer->>'id' = $2 AND transfer->>'outcome' IS NULL
       RETURNING id, org_id`,
      [callId, transferId, jsonbParameter(result)],
      {
        type: hasTransferred(result) ? 'transfer.completed' : 'transfer.failed',
        atMs,
        data: {
          transfer_id: transferId,
          mode,
          outcome,
          sip_status: sipStatus,
          duration_ms: durationMs,
          failed_step: failedStep,
        },
      },
    );
  }

  /** Nothing comes of what the call itself wished; its row says nothing of that. */
  async refused({ callId, transferId, atMs, code, by, destinationId }: OfTransfer & RefusedWish): Promise<void> {
    await this.#change(
      `SELECT id, org_id FROM calls WHERE id = $1 AND NOT EXISTS (
         SELECT 1 FROM call_events WHERE call_id = $1 AND source = 'workflow' AND type = 'transfer.refused'
           AND data->>'transfer_id' = $2) FOR NO KEY UPDATE`,
      [callId, transferId],
      { type: 'transfer.refused', atMs, data: { transfer_id: transferId, by, destination_id: destinationId, code } },
    );
  }

  /** The one that the row of a call says is still carried out; null without one. */
  async underWay(callId: string): Promise<TransferUnderWay | null> {
    const rows: { id: string; mode: TransferWay; requested_at: Date | null }[] = await this.#session.manager.query(
      `SELECT transfer->>'id' AS id, transfer->>'mode' AS mode,
         (SELECT min(at) FROM call_events WHERE call_id = $1 AND source = 'workflow' AND type = 'transfer.requested'
            AND data->>'transfer_id' = transfer->>'id') AS requested_at
       FROM calls WHERE id = $1 AND transfer->>'id' IS NOT NULL AND transfer->>'outcome' IS NULL`,
      [callId],
    );
    const [found] = rows;
    return found === undefined
      ? null
      : { transferId: found.id, mode: found.mode, requestedAtMs: found.requested_at?.getTime() ?? null };
  }

  async #change(
    change: string,
    [callId, transferId, ...transfer]: readonly [callId: string, transferId: string, transfer?: string],
    event: { readonly type: string; readonly atMs: number; readonly data: Readonly<Record<string, unknown>> },
  ): Promise<boolean> {
    const rows: unknown[] = await this.#session.manager.query(
      `WITH changed AS (${change})
       INSERT INTO call_events (call_id, source, seq, org_id, at, type, data)
       SELECT changed.id, 'workflow',
         1 + (SELECT coalesce(max(seq), 0) FROM call_events WHERE call_id = $1 AND source = 'workflow'),
         changed.org_id, $3::timestamptz, $4, $5::jsonb
       FROM changed RETURNING seq`,
      [callId, transferId, new Date(event.atMs), event.type, jsonbParameter(event.data), ...transfer],
    );
    return rows.length === 1;
  }
}
