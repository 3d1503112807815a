/**
 * Holds chosen writes of chosen calls in the real PostgreSQL, so that a process can be killed at exactly that step: a
 * trigger waits for an advisory lock that the test has. The function is the test's own role's, whoever writes.
 */
import { Client } from 'pg';

import { waitFor } from './wait-for';

/** `intended` comes before the INVITE, the marks `sent` and `dialing` after it. */
export type WriteOfCall = 'intended' | 'dialing' | 'sent';

const TRIGGERS: Readonly<Record<WriteOfCall, { readonly on: string; readonly column: string; readonly when: string }>> =
  {
    intended: { on: 'INSERT ON call_attempts', column: 'call_id', when: 'true' },
    dialing: { on: 'UPDATE ON calls', column: 'id', when: `NEW.status = 'dialing'` },
    sent: { on: 'UPDATE ON call_attempts', column: 'call_id', when: `NEW.state = 'sent'` },
  };

export class StalledWrites {
  readonly #client: Client;
  readonly #locks = new Map<string, number>();

  private constructor(client: Client) {
    this.#client = client;
  }

  static async create(databaseUrl: string): Promise<StalledWrites> {
    const client = new Client({ connectionString: databaseUrl });
    // The database may end before the test does; the next query says so.
    client.on('error', () => undefined);
    await client.connect();
    await client.query(`
      CREATE TABLE test_stalls (call_id uuid, write text, lock bigint, PRIMARY KEY (call_id, write));
      CREATE FUNCTION test_stall() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      DECLARE key bigint;
      BEGIN
        SELECT lock INTO key FROM test_stalls WHERE call_id = (to_jsonb(NEW)->>TG_ARGV[0])::uuid AND write = TG_ARGV[1];
        IF FOUND THEN PERFORM pg_advisory_xact_lock(key); END IF;
        RETURN NEW;
      END $$;`);
    for (const [write, { on, column, when }] of Object.entries(TRIGGERS)) {
      await client.query(`CREATE TRIGGER test_stall_${write} BEFORE ${on} FOR EACH ROW WHEN (${when})
        EXECUTE FUNCTION test_stall('${column}', '${write}')`);
    }
    return new StalledWrites(client);
  }

  /** The write of this call, when it comes, waits for `release`. */
  async stall(callId: string, write: WriteOfCall): Promise<void> {
    const lock = 1_000 + this.#locks.size;
    this.#locks.set(`${callId} ${write}`, lock);
    await this.#client.query('SELECT pg_advisory_lock($1)', [lock]);
    await this.#client.query('INSERT INTO test_stalls VALUES ($1, $2, $3)', [callId, write, lock]);
  }

  /** Resolves when the write has come and waits. */
  async reached(callId: string, write: WriteOfCall, limitMs = 5_000): Promise<void> {
    const lock = this.#lockOf(callId, write);
    await waitFor(`${write} of ${callId}`, limitMs, async () => {
      const waiting = await this.#waiting(lock);
      return waiting.length > 0 ? true : undefined;
    });
  }

  async release(callId: string, write: WriteOfCall): Promise<void> {
    const lock = this.#lockOf(callId, write);
    await this.#client.query('DELETE FROM test_stalls WHERE lock = $1', [lock]);
    await this.#client.query('SELECT pg_advisory_unlock($1)', [lock]);
  }

  /** The write is lost with the process that sent it: a server session does not notice by itself that its client died. */
  async abandon(callId: string, write: WriteOfCall): Promise<void> {
    const lock = this.#lockOf(callId, write);
    await this.#client.query('DELETE FROM test_stalls WHERE lock = $1', [lock]);
    for (const pid of await this.#waiting(lock)) await this.#client.query('SELECT pg_terminate_backend($1)', [pid]);
    await this.#client.query('SELECT pg_advisory_unlock($1)', [lock]);
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  #lockOf(callId: string, write: WriteOfCall): number {
    const lock = this.#locks.get(`${callId} ${write}`);
    if (lock === undefined) throw new Error(`${write} of ${callId} was not stalled`);
    return lock;
  }

  async #waiting(lock: number): Promise<number[]> {
    const { rows } = await this.#client.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1`,
      [lock],
    );
    return rows.map(({ pid }) => pid);
  }
}
