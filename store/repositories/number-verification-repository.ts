import { Any } from 'typeorm';
import { MAX_CODE_TRIES } from '../../contract/number-verification';
import type { NumberRound, VerificationFailure, VerificationRound } from '../../contract/number-verification';
import type { ConfigTransaction } from '../config-transaction';
import { NumberCodeCall } from '../entities/number-code-call';
import { PhoneNumber } from '../entities/phone-number';
import { violatedUnique } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { FOR_UPDATE } from '../row-lock';

/** `not_compared`: unknown, over, out of time or of tries, or not verified by a code at all. */
export type Confirmation =
  | { readonly kind: 'not_compared'; readonly number: PhoneNumber | null }
  | { readonly kind: 'wrong'; readonly number: PhoneNumber; readonly triesLeft: number }
  | { readonly kind: 'verified' | 'taken'; readonly number: PhoneNumber };

export type VerificationOutcome =
  { readonly status: 'verified' } | { readonly status: 'failed' | 'expired'; readonly failure: VerificationFailure };

export interface CodeCallRate {
  /** Code calls of an organisation in an hour, and of them to one number. */
  readonly perOrganisation: number;
  readonly perNumber: number;
}

const HOUR_SECONDS = 3_600;
const PAGE = 500;
/** Its own API process may be starting the workflow of what is younger. */
const YOUNG = '3 seconds';
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Rounds of verification: how they end, and which are under way. `PhoneNumberRepository.create` begins them. */
export class NumberVerificationRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /**
   * Counts a code call before its round begins; where it would be one too many, answers how many seconds to wait, else
   * null. Of two requests of an organisation at once the second waits for the first.
   */
  async takeCodeCall(
    { manager }: ConfigTransaction,
    orgId: string,
    phoneNumber: string,
    rate: CodeCallRate,
  ): Promise<number | null> {
    await manager.query('SELECT FROM organisations WHERE id = $1 FOR NO KEY UPDATE', [orgId]);
    await manager.query(`DELETE FROM number_code_calls WHERE org_id = $1 AND at <= now() - interval '1 hour'`, [orgId]);
    // The call that must be an hour old before there is room for one more.
    const rows: { wait: number }[] = await manager.query(
      `SELECT ceil(extract(epoch FROM at + interval '1 hour' - now()))::int AS wait FROM (
         (SELECT at FROM number_code_calls WHERE org_id = $1 ORDER BY at DESC OFFSET $3 LIMIT 1)
         UNION ALL
         (SELECT at FROM number_code_calls WHERE org_id = $1 AND phone_number = $2 ORDER BY at DESC OFFSET $4 LIMIT 1)
       ) AS last ORDER BY at DESC LIMIT 1`,
      [orgId, phoneNumber, rate.perOrganisation - 1, rate.perNumber - 1],
    );
    // Who began earlier may have come later: then the other's call lies ahead of its `now()`.
    if (rows[0] !== undefined) return Math.min(HOUR_SECONDS, Math.max(1, rows[0].wait));
    await manager.insert(NumberCodeCall, { id: uuidV7(), orgId, phoneNumber });
    return null;
  }

  /**
   * One try. It is counted before `matches` is asked, in a statement that waits for whoever else is trying: of any number of
   * requests no more than `MAX_CODE_TRIES` have their code compared. The caller commits also what was wrong.
   */
  async confirm(
    tx: ConfigTransaction,
    orgId: string,
    id: string,
    matches: (round: NumberRound) => boolean,
  ): Promise<Confirmation> {
    if (!isUuid(id)) return { kind: 'not_compared', number: null };
    const { manager } = tx;
    const [counted]: [{ id: string; round: number; tries: number }[]] = await manager.query(
      `UPDATE phone_numbers SET tries = tries + 1, updated_at = now()
       WHERE id = $1 AND org_id = $2 AND status = 'pending' AND method = 'outbound_code' AND tries < $3
         AND code_expires_at > now()
       RETURNING id, round, tries`,
      [id, orgId, MAX_CODE_TRIES],
    );
    const row = counted[0];
    if (row === undefined) {
      return { kind: 'not_compared', number: await manager.findOneBy(PhoneNumber, { id, orgId }) };
    }
    if (matches({ numberId: row.id, n: row.round })) {
      const verified = await this.#verify(tx, row.id);
      return { kind: verified ? 'verified' : 'taken', number: await this.#get(tx, row.id) };
    }
    const triesLeft = MAX_CODE_TRIES - row.tries;
    if (triesLeft === 0) await this.#end(tx, row.id, { status: 'failed', failure: 'wrong_codes' });
    return { kind: 'wrong', number: await this.#get(tx, row.id), triesLeft };
  }

  /** Null when the round is over already, or there is no such number any more. */
  async settle(
    tx: ConfigTransaction,
    { numberId, n }: NumberRound,
    outcome: VerificationOutcome,
  ): Promise<PhoneNumber | null> {
    const where = { id: numberId, round: n, status: 'pending' } as const;
    const row = await tx.manager.findOne(PhoneNumber, { where, lock: FOR_UPDATE });
    if (row === null) return null;
    if (outcome.status === 'verified') await this.#verify(tx, numberId);
    else await this.#end(tx, numberId, outcome);
    return this.#get(tx, numberId);
  }

  /** A round that is under way; null when it is over. */
  async findPending({ numberId, n }: NumberRound): Promise<PhoneNumber | null> {
    return this.#session.manager.findOneBy(PhoneNumber, { id: numberId, round: n, status: 'pending' });
  }

  /** Every round under way that has had the time to get its workflow. */
  async pending(): Promise<VerificationRound[]> {
    const all: VerificationRound[] = [];
    for (let page: PhoneNumber[] | null = null; page === null || page.length === PAGE;) {
      page = await this.#session.manager
        .createQueryBuilder(PhoneNumber, 'number')
        .where(`number.status = 'pending' AND number.round > 0 AND number.id > :after`, {
          after: all.at(-1)?.numberId ?? FIRST_ID,
        })
        .andWhere(`number.updatedAt < now() - interval '${YOUNG}'`)
        .orderBy('number.id')
        .limit(PAGE)
        .getMany();
      all.push(...page.map(roundOf).filter((round) => round !== null));
    }
    return all;
  }

  /**
   * Numbers that somebody else has verified meanwhile: whoever was first has them.
   * @param winnerId the record of who has; null: of all numbers
   */
  async failTaken(tx: ConfigTransaction, winnerId: string | null): Promise<PhoneNumber[]> {
    const [rows]: [{ id: string }[]] = await tx.manager.query(
      `UPDATE phone_numbers AS late SET status = 'failed', failure = 'number_taken', updated_at = now()
       WHERE status = 'pending' AND EXISTS (SELECT FROM phone_numbers AS first
         WHERE first.phone_number = late.phone_number AND first.status = 'verified'
          AND ($1::uuid IS NULL OR first.id = $1::uuid))
       RETURNING id`,
      [winnerId],
    );
    const ids = rows.map(({ id }) => id);
    tx.changed('phone_number', ...ids);
    return tx.manager.findBy(PhoneNumber, { id: Any(ids) });
  }

  /** False, and the round failed, when the number is another organisation's by now. */
  async #verify(tx: ConfigTransaction, id: string): Promise<boolean> {
    try {
      // To a savepoint: that the number is taken undoes this alone.
      await tx.manager.transaction((manager) =>
        manager.query(
          `UPDATE phone_numbers SET status = 'verified', verified_at = now(), failure = NULL, updated_at = now() WHERE id = $1`,
          [id],
        ),
      );
    } catch (error) {
      if (violatedUnique(error) !== 'phone_numbers_verified') throw error;
      await this.#end(tx, id, { status: 'failed', failure: 'number_taken' });
      return false;
    }
    tx.changed('phone_number', id);
    return true;
  }

  async #end(
    tx: ConfigTransaction,
    id: string,
    { status, failure }: Exclude<VerificationOutcome, { status: 'verified' }>,
  ): Promise<void> {
    await tx.manager.update(PhoneNumber, { id }, { status, failure, updatedAt: () => 'now()' });
    tx.changed('phone_number', id);
  }

  #get(tx: ConfigTransaction, id: string): Promise<PhoneNumber> {
    return tx.manager.findOneByOrFail(PhoneNumber, { id });
  }
}

/** What is said of a number's round. */
type OfRound = Pick<PhoneNumber, 'id' | 'orgId' | 'status' | 'method' | 'round' | 'trunkId' | 'codeExpiresAt'>;

/** Null for a number that is not being verified. */
export function roundOf(number: OfRound): VerificationRound | null {
  const { id: numberId, orgId, round: n, method, trunkId, codeExpiresAt } = number;
  if (number.status !== 'pending' || method === 'attest' || codeExpiresAt === null) return null;
  return { numberId, orgId, n, method, trunkId, expiresAtMs: codeExpiresAt.getTime() };
}
