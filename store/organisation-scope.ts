/**
 * The way to the rows of one organisation: a transaction that says whose it is, which is what row-level security compares
 * (`row-level-security.ts`). Without it the API's role sees no organisation's rows.
 */
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { FailFastClient } from './fail-fast-client';
import { isUuid } from './ids';

/** What a repository asks: the whole database (`DataSource`), or one transaction of an organisation. */
export interface StoreSession {
  readonly manager: EntityManager;
}

/** What TypeORM keeps of a transaction that it began itself. */
const IN_TRANSACTION = { isTransactionActive: true, transactionDepth: 1 };
/** The session's variable that the policies compare with a row's organisation. */
export const ORGANISATION_SETTING = 'trunkline.org_id';

export class OrganisationScope {
  readonly #dataSource: DataSource;
  readonly #orgId: string;

  constructor(dataSource: DataSource, orgId: string) {
    // It becomes part of a statement: several in one message take no parameters.
    if (!isUuid(orgId)) throw new TypeError('an organisation is named by its UUID');
    this.#dataSource = dataSource;
    this.#orgId = orgId;
  }

  /**
   * Waits neither for the transaction's beginning, behind whose statement the first of `work` leaves at once, nor for its
   * end, which cannot change the answer. Where it did not begin no organisation was named, and what `work` made of that is
   * not told. A change that began so might be half a change: `write` waits.
   */
  async read<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as FailFastClient;
      const begun = client.query(`BEGIN READ ONLY; ${enterStatement(this.#orgId)}`) as Promise<unknown>;
      Object.assign(runner, IN_TRANSACTION);
      const [beginning, answer] = await Promise.allSettled([begun, (async () => work(runner))()]);
      // A connection that broke has left the pool already.
      client.queryLater('ROLLBACK').catch(() => undefined);
      if (beginning.status === 'rejected') throw beginning.reason;
      if (answer.status === 'rejected') throw answer.reason;
      return answer.value;
    } finally {
      // To whoever asks next on this connection, whose statements leave behind the end of this.
      await runner.release();
    }
  }

  /** Committed when `work` resolves, undone when it rejects. */
  async write<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    const runner = await this.#begin();
    let result: T;
    try {
      result = await work(runner);
    } catch (error) {
      await end(runner, 'rollback').catch(() => undefined); // what went wrong first is what counts
      throw error;
    }
    await end(runner, 'commit');
    return result;
  }

  /** Transaction and organisation in one round trip, for which `startTransaction` takes two. */
  async #begin(): Promise<QueryRunner> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      await runner.query(`BEGIN; ${enterStatement(this.#orgId)}`);
    } catch (error) {
      await runner.release();
      throw error;
    }
    return Object.assign(runner, IN_TRANSACTION);
  }
}

/** The rest of the transaction belongs to another organisation: an operator's act is noted in his own log. */
export async function enterOrganisation({ manager }: StoreSession, orgId: string): Promise<void> {
  if (!isUuid(orgId)) throw new TypeError('an organisation is named by its UUID');
  await manager.query(enterStatement(orgId));
}

/** Joins the transaction that the session is in, or begins one. */
export async function inTransaction<T>(
  { manager }: StoreSession,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return manager.queryRunner?.isTransactionActive === true ? work(manager) : manager.transaction(work);
}

const enterStatement = (orgId: string): string => `SET LOCAL ${ORGANISATION_SETTING} = '${orgId}'`;

async function end(runner: QueryRunner, how: 'commit' | 'rollback'): Promise<void> {
  try {
    await (how === 'commit' ? runner.commitTransaction() : runner.rollbackTransaction());
  } finally {
    await runner.release();
  }
}
