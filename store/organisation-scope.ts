/**
 * The way to the rows of one organisation: a transaction that says whose it is, which is what row-level security compares
 * (`row-level-security.ts`). Without it the API's role sees no organisation's rows.
 */
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { isUuid } from './ids';

/** What a repository asks: the whole database (`DataSource`), or one transaction of an organisation. */
export interface StoreSession {
  readonly manager: EntityManager;
}

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

  /** Who asked gets the answer without waiting for the transaction's end, which cannot change it. */
  async read<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    const runner = await this.#begin('BEGIN READ ONLY');
    try {
      return await work(runner);
    } finally {
      // A connection that broke here has left the pool already.
      void end(runner, 'rollback').catch(() => undefined);
    }
  }

  /** Committed when `work` resolves, undone when it rejects. */
  async write<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    const runner = await this.#begin('BEGIN');
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
  async #begin(statement: string): Promise<QueryRunner> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      await runner.query(`${statement}; ${enterStatement(this.#orgId)}`);
    } catch (error) {
      await runner.release();
      throw error;
    }
    return Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
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
