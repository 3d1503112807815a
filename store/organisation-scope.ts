/**
 * The way to the rows of one organisation: a transaction that says whose it is, which is what row-level security compares
 * (`row-level-security.ts`). Without it the API's role sees no organisation's rows.
 */
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { FailFastClient } from './fail-fast-client';
import { isUuid } from './ids';
import { prepared } from './prepared';
import type { Answer, Statement } from './statement-group';

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

/** What TypeORM keeps of a transaction that it began itself: it begins none inside. */
const IN_TRANSACTION = { isTransactionActive: true, transactionDepth: 1 };
/** The session's variable that the policies compare with a row's organisation. */
export const ORGANISATION_SETTING = 'trunkline.org_id';

const BEGIN: Statement = { text: prepared('BEGIN'), quiet: true };
const COMMIT: Statement = { text: prepared('COMMIT'), quiet: true };
const ENTER = prepared(`SELECT set_config('${ORGANISATION_SETTING}', $1, true)`);
const ENTER_TO_READ = prepared(
  `SELECT set_config('${ORGANISATION_SETTING}', $1, true), set_config('transaction_read_only', 'on', true)`,
);

const FAILED = 'the transaction had failed: nothing is changed';

type Ask = (statement: Statement) => Promise<Answer | undefined>;

export class OrganisationScope {
  readonly #dataSource: DataSource;
  readonly #orgId: string;

  constructor(dataSource: DataSource, orgId: string) {
    if (!isUuid(orgId)) throw new TypeError('an organisation is named by its UUID');
    this.#dataSource = dataSource;
    this.#orgId = orgId;
  }

  /**
   * Each statement of `work` is a transaction, which names the organisation and can change nothing: between two of them
   * others' changes show, as they do between the statements of one transaction (READ COMMITTED).
   */
  async read<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as FailFastClient;
      const enter: Statement = { text: ENTER_TO_READ, values: [this.#orgId], quiet: true };
      return await work(sessionOf(runner, async (statement) => (await client.group([enter, statement]))[1]));
    } finally {
      await runner.release();
    }
  }

  /** Committed when `work` resolves, undone when it rejects. */
  write<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    return transact(this.#dataSource, [BEGIN, { text: ENTER, values: [this.#orgId], quiet: true }], work);
  }
}

/**
 * The transaction begins in one group with the first statement of `work`, so that neither is done without the other, and ends in
 * one with the last statements.
 */
async function transact<T>(
  dataSource: DataSource,
  beginning: readonly Statement[],
  work: (session: StoreSession) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as FailFastClient;
    const transaction = new Transaction(client, beginning);
    const last: LastStatement[] = [];
    try {
      const answer = await work({ ...sessionOf(runner, (statement) => transaction.ask(statement)), last });
      await transaction.commit(last);
      return answer;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  } finally {
    await runner.release();
  }
}

/** What TypeORM asks of this transaction's connection is asked in its scope. */
function sessionOf(runner: QueryRunner, ask: Ask): StoreSession {
  const connection = {
    query: async (text: string, values?: readonly unknown[]): Promise<Answer | undefined> => ask({ text, values }),
  };
  Object.assign(runner, IN_TRANSACTION, { connect: async () => connection });
  return { manager: runner.manager };
}

class Transaction {
  readonly #client: FailFastClient;
  readonly #beginning: readonly Statement[];
  /** With the first statement; null before it. */
  #begun: Promise<unknown> | null = null;

  constructor(client: FailFastClient, beginning: readonly Statement[]) {
    this.#client = client;
    this.#beginning = beginning;
  }

  /** Outside of the transaction it would be half a change: what follows the first waits for it, unless it only reads. */
  async ask(statement: Statement): Promise<Answer | undefined> {
    if (this.#begun === null) {
      const first = this.#client.group([...this.#beginning, statement]);
      this.#begun = first;
      return (await first).at(-1);
    }
    if (!ONLY_READS.test(statement.text)) await this.#begun;
    const [begun, asked] = await Promise.allSettled([this.#begun, this.#client.group([statement])]);
    if (begun.status === 'rejected') throw begun.reason;
    if (asked.status === 'rejected') throw asked.reason;
    return asked.value[0];
  }

  async commit(last: readonly LastStatement[]): Promise<void> {
    if (this.#begun === null && last.length === 0) return;
    // Failed, and kept to itself by the work.
    await this.#begun?.catch((cause: unknown) => {
      throw new Error(FAILED, { cause });
    });
    const beginning = this.#begun === null ? this.#beginning : [];
    const ending = last.map(({ text, parameters }) => ({ text, values: parameters }));
    const ended = this.#client.group([...beginning, ...ending, COMMIT]);
    this.#begun ??= ended;
    const answers = await ended;
    // What PostgreSQL makes of the end of a transaction of which a statement has failed.
    if (answers.at(-1)?.command !== 'COMMIT') throw new Error(FAILED);
    for (const [n, { answered }] of last.entries()) answered?.(answers[beginning.length + n]?.rows ?? []);
  }

  /** A connection that broke has left the pool already, and the server has undone what it had. */
  async rollback(): Promise<void> {
    if (this.#begun !== null) await this.#client.query('ROLLBACK').catch(() => undefined);
  }
}

/** Locks are given back where there is no transaction. */
const ONLY_READS = /^\s*SELECT\b/i;

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
  await manager.query(ENTER, [orgId]);
}

/** Joins the transaction that the session is in, or begins one. */
export async function inTransaction<T>(session: StoreSession, work: (session: StoreSession) => Promise<T>): Promise<T> {
  const { manager } = session;
  return manager.queryRunner?.isTransactionActive === true
    ? work(session)
    : transact(manager.dataSource, [BEGIN], work);
}
