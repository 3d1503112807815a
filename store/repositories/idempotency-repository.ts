import type { EntityManager } from 'typeorm';
import { StoreError } from '../errors';
import { uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import { inTransaction, withTheEnd } from '../organisation-scope';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { rowAad } from '../secrets';
import type { SecretBox } from '../secrets';

export interface IdempotentRequest {
  readonly orgId: string;
  /** Method and path template: `POST /phone`. */
  readonly route: string;
  readonly key: string;
  /** Hash of the body as received. */
  readonly bodyHash: string;
}

export interface SavedAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface AnswerOnce extends SavedAnswer {
  /** An earlier request gave this answer. */
  readonly replayed: boolean;
}

export type CallLease =
  | {
      readonly kind: 'run';
      /** Part of the call's derived id; the same again when an earlier run was cut off. */
      readonly n: number;
      readonly leaseId: string;
    }
  | { readonly kind: 'replay'; readonly n: number; readonly resourceId: string | null; readonly answer: SavedAnswer };

interface KeyRow {
  readonly body_hash: string;
  readonly n: number;
  readonly resource_id: string | null;
  readonly status: number | null;
  readonly response_sealed: string | null;
  readonly expired: boolean;
  readonly leased: boolean;
  /** Nothing was begun with it: any body may use the key. */
  readonly released: boolean;
}

/** How long a key answers for its first request. */
const VALID = '24 hours';
/** How long a request that was cut off may block its key. */
const LEASE = '10 seconds';

const TAKE = prepared('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken');
const FIND = prepared(
  `SELECT body_hash, n, resource_id, status, response_sealed, created_at < now() - interval '${VALID}' AS expired,
     coalesce(lease_until > now(), false) AS leased,
     lease_id IS NULL AND status IS NULL AS released
   FROM idempotency_keys WHERE org_id = $1 AND route = $2 AND key = $3`,
);
const SAVE = prepared(
  `INSERT INTO idempotency_keys (org_id, route, key, body_hash, status, response_sealed, created_at)
   VALUES ($1, $2, $3, $4, $5, $6, now())
   ON CONFLICT (org_id, route, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status,
     response_sealed = excluded.response_sealed, lease_id = NULL, lease_until = NULL, created_at = now()`,
);

/** Idempotency-Keys. Saved answers are sealed, as some of them show a password or an API key. */
export class IdempotencyRepository {
  readonly #session: StoreSession;
  readonly #secrets: SecretBox;

  constructor(session: StoreSession, secrets: SecretBox) {
    this.#session = session;
    this.#secrets = secrets;
  }

  /**
   * Plain creates: the key's row, the resource and the saved answer in the caller's transaction. When the work throws,
   * the transaction is to be rolled back and the key is free again.
   * @throws StoreError `idempotency_in_flight` while another transaction has the key, `idempotency_mismatch`
   */
  async once(
    manager: EntityManager,
    request: IdempotentRequest,
    work: () => Promise<SavedAnswer>,
  ): Promise<AnswerOnce> {
    const row = await takeKey(manager, request);
    const saved = row && this.#saved(row, request);
    if (saved) return { ...saved, replayed: true };
    const answer = await work();
    const sealed = this.#seal(answer.body, request);
    const parameters = [...identity(request), request.bodyHash, answer.status, sealed];
    await withTheEnd(this.#session, { text: SAVE, parameters }, manager);
    return { ...answer, replayed: false };
  }

  /**
   * Calls, and what else runs a workflow: takes the key for ten seconds. A request that was cut off runs again after
   * that with the same `n`, hence with the same derived ids.
   * @throws StoreError `idempotency_in_flight`, `idempotency_mismatch`
   */
  async lease(request: IdempotentRequest): Promise<CallLease> {
    return inTransaction(this.#session, async ({ manager }) => {
      const row = await takeKey(manager, request);
      const answer = row && this.#saved(row, request);
      if (answer) return { kind: 'replay', n: row.n, resourceId: row.resource_id, answer };
      // After 24 hours the key means a new request, and the next id.
      return startLease(manager, request, row ? row.n + (row.expired ? 1 : 0) : 1);
    });
  }

  /**
   * The resource of `n` is over without having happened (a call that expired undialled): the key begins the next one.
   * @throws StoreError `idempotency_in_flight`
   */
  async leaseNext(request: IdempotentRequest, n: number): Promise<CallLease> {
    return inTransaction(this.#session, async ({ manager }) => {
      const row = await takeKey(manager, request);
      if (row?.leased && row.n > n) throw inFlight(request);
      return startLease(manager, request, Math.max(row?.n ?? 0, n + 1));
    });
  }

  /** Saves the answer. A lease that ran out and was taken over keeps the other's answer. */
  async complete(
    request: IdempotentRequest,
    lease: { readonly leaseId: string },
    resourceId: string,
    answer: SavedAnswer,
  ): Promise<boolean> {
    const [, count]: [unknown, number] = await this.#session.manager.query(
      `UPDATE idempotency_keys SET resource_id = $5, status = $6, response_sealed = $7, lease_id = NULL, lease_until = NULL
       WHERE org_id = $1 AND route = $2 AND key = $3 AND lease_id = $4`,
      [...identity(request), lease.leaseId, resourceId, answer.status, this.#seal(answer.body, request)],
    );
    return count === 1;
  }

  /** Nothing is known to have begun (a server away, a deadline): the key may be used again at once, with the same derived ids. */
  async release(request: IdempotentRequest, lease: { readonly leaseId: string }): Promise<void> {
    await this.#session.manager.query(
      `UPDATE idempotency_keys SET lease_id = NULL, lease_until = NULL
       WHERE org_id = $1 AND route = $2 AND key = $3 AND lease_id = $4`,
      [...identity(request), lease.leaseId],
    );
  }

  /** The request was refused: the key is free again, for any body. */
  async forget(request: IdempotentRequest, lease: { readonly leaseId: string }): Promise<void> {
    await this.#session.manager.query(
      'DELETE FROM idempotency_keys WHERE org_id = $1 AND route = $2 AND key = $3 AND lease_id = $4',
      [...identity(request), lease.leaseId],
    );
  }

  /**
   * Removes what answers nobody any more (after 48 hours), of all organisations, a batch at a time; several processes may do it at once. A key whose row is gone
   * finds the call it began by its derived id. Answers how many rows it removed.
   */
  async purge(limit = 1000): Promise<number> {
    const rows: { removed: number }[] = await this.#session.manager.query(
      'SELECT purge_idempotency_keys($1) AS removed',
      [limit],
    );
    return rows[0]?.removed ?? 0;
  }

  /** The answer that a repeat gets; throws while the first request runs, and when this is another one. */
  #saved(row: KeyRow, request: IdempotentRequest): SavedAnswer | undefined {
    if (row.expired) return undefined;
    assertSameBody(row, request);
    if (row.leased) throw inFlight(request);
    if (row.status === null || row.response_sealed === null) return undefined;
    const body: unknown = JSON.parse(this.#secrets.open(row.response_sealed, answerAad(request)));
    return { status: row.status, body };
  }

  #seal(body: unknown, request: IdempotentRequest): string {
    return this.#secrets.seal(jsonbParameter(body), answerAad(request));
  }
}

const identity = ({ orgId, route, key }: IdempotentRequest): string[] => [orgId, route, key];
const answerAad = ({ orgId, route, key }: IdempotentRequest): string => rowAad(orgId, `${route}\u0000${key}`);

/**
 * Held until the transaction ends; never waited for, as the contract answers a request in flight with 409. The key's row is
 * read by a second statement, which sees what the last holder committed; both leave together.
 */
async function takeKey(manager: EntityManager, request: IdempotentRequest): Promise<KeyRow | undefined> {
  const lock: Promise<{ taken: boolean }[]> = manager.query(TAKE, [JSON.stringify(identity(request))]);
  const [locked, row] = await Promise.all([lock, findRow(manager, request)]);
  if (locked[0]?.taken !== true) throw inFlight(request);
  return row;
}

async function findRow(manager: EntityManager, request: IdempotentRequest): Promise<KeyRow | undefined> {
  const rows: KeyRow[] = await manager.query(FIND, identity(request));
  return rows[0];
}

async function startLease(manager: EntityManager, request: IdempotentRequest, n: number): Promise<CallLease> {
  const leaseId = uuidV7();
  await manager.query(
    `INSERT INTO idempotency_keys (org_id, route, key, body_hash, n, lease_id, lease_until, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, now() + interval '${LEASE}', now())
     ON CONFLICT (org_id, route, key) DO UPDATE SET
       created_at = CASE WHEN idempotency_keys.n = excluded.n THEN idempotency_keys.created_at ELSE now() END,
       body_hash = excluded.body_hash, n = excluded.n, resource_id = NULL, status = NULL, response_sealed = NULL,
       lease_id = excluded.lease_id, lease_until = excluded.lease_until`,
    [...identity(request), request.bodyHash, n, leaseId],
  );
  return { kind: 'run', n, leaseId };
}

function assertSameBody(row: KeyRow, request: IdempotentRequest): void {
  if (row.released || row.body_hash === request.bodyHash) return;
  throw new StoreError('idempotency_mismatch', 'the key was used with another body', { key: request.key });
}

function inFlight(request: IdempotentRequest): StoreError {
  return new StoreError('idempotency_in_flight', 'a request with this key is running', { key: request.key });
}
