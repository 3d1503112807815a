/**
 * The way to the rows of one organisation: a transaction that says whose it is, which is what row-level security compares
 * (`row-level-security.ts`). Without it the API's role sees no organisation's rows.
 */
import type { QueryResult } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { FailFastClient } from './fail-fast-client';
import { isUuid } from './ids';

/** What a repository asks: the whole database (`DataSource`), or one transaction of an organisation. */
export interface StoreSession {
  readonly manager: EntityManager;
  /** Of a change in an organisation's scope. See `withTheEnd`. */
  readonly last?: LastStatement[];
}

export interface LastStatement {
  readonly text: string;
  readonly parameters: readonly (string | number | null | readonly string[])[];
  /** With its rows. */
  readonly answered?: (rows: readonly unknown[]) => void;
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
   * not told.
   */
  async read<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      const { client, begun } = await this.#begin(runner, 'BEGIN READ ONLY');
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

  /**
   * Committed when `work` resolves, undone when it rejects. What only reads leaves behind the beginning's statement, as in
   * `read`; a change waits until the transaction has begun: outside of one it would be half a change.
   */
  async write<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      const { client, begun } = await this.#begin(runner, 'BEGIN');
      runner.query = inTurn(runner.query.bind(runner), begun);
      const last: LastStatement[] = [];
      const session: StoreSession = { manager: runner.manager, last };
      const [beginning, answer] = await Promise.allSettled([begun, (async () => work(session))()]);
      const done = beginning.status === 'fulfilled' && answer.status === 'fulfilled';
      const sent = done ? last.map(async (statement) => send(client, statement)) : [];
      const ended = client.query(done ? 'COMMIT' : 'ROLLBACK') as Promise<QueryResult>;
      // In the order of their statements: what went wrong first is what counts.
      const results = await Promise.allSettled([...sent, ended]);
      for (const result of [beginning, answer, ...results]) if (result.status === 'rejected') throw result.reason;
      // What PostgreSQL makes of the end of a transaction of which a statement has failed.
      if ((await ended).command !== 'COMMIT') throw new Error('the transaction had failed: nothing is changed');
      return (answer as PromiseFulfilledResult<T>).value;
    } finally {
      await runner.release();
    }
  }

  /** Transaction and organisation in one statement, for which `startTransaction` takes two. */
  async #begin(
    runner: QueryRunner,
    beginning: string,
  ): Promise<{ readonly client: FailFastClient; readonly begun: Promise<unknown> }> {
    const client = (await runner.connect()) as FailFastClient;
    const begun = client.query(`${beginning}; ${enterStatement(this.#orgId)}`) as Promise<unknown>;
    Object.assign(runner, IN_TRANSACTION);
    return { client, begun };
  }
}

/** Locks are given back where there is no transaction. */
const ONLY_READS = /^\s*SELECT\b/i;

function inTurn(query: QueryRunner['query'], begun: Promise<unknown>): QueryRunner['query'] {
  return async (...statement: Parameters<QueryRunner['query']>) => {
    if (!ONLY_READS.test(statement[0])) await begun;
    return query(...statement);
  };
}

async function send(client: FailFastClient, { text, parameters, answered }: LastStatement): Promise<void> {
  const { rows } = (await client.query(text, [...parameters])) as QueryResult;
  answered?.(rows);
}

/**
 * A statement whose answer the work does not need: it leaves with the transaction's end, in one packet, and undoes all when
 * it fails. Its parameters are text, which the driver cannot fail to write: the end would leave without it.
 * @param manager Of the transaction; it is asked at once where the session has no end to leave with
 */
export async function withTheEnd(
  session: StoreSession,
  statement: LastStatement,
  manager: EntityManager = session.manager,
): Promise<void> {
  if (session.last !== undefined) session.last.push(statement);
  else await leave(manager, statement);
}

async function leave(manager: EntityManager, { text, parameters, answered }: LastStatement): Promise<void> {
  const rows: unknown[] = await manager.query(text, [...parameters]);
  answered?.(rows);
}

/**
 * The rest of the transaction belongs to another organisation: an operator's act is noted in his own log. What was to leave
 * at the end belongs to the one before, and leaves now.
 */
export async function enterOrganisation({ manager, last = [] }: StoreSession, orgId: string): Promise<void> {
  if (!isUuid(orgId)) throw new TypeError('an organisation is named by its UUID');
  for (const statement of last.splice(0)) await leave(manager, statement);
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
