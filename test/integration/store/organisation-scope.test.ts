import { Socket } from 'node:net';

import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { OrganisationScope } from '../../../store/organisation-scope';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';
import { waitFor } from '../../support/stack';

describe('a read in the scope of an organisation', () => {
  let database: TestDatabase;
  let api: DataSource;
  let client: Client;
  let scope: OrganisationScope;
  /** `>` when a statement leaves, `<` when it is answered, by its first word. */
  let traffic: string[] = [];
  /** What leaves instead of the transaction's beginning, once. */
  let beginning: string | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    // One connection, which every scope is given.
    api = await createDataSource({ url: database.apiUrl, poolSize: 1 }).initialize();
    scope = new OrganisationScope(api, uuidV7());
    const runner = api.createQueryRunner();
    client = (await runner.connect()) as Client;
    await runner.release();
    const query = client.query.bind(client) as (text: string, parameters?: unknown[]) => Promise<unknown>;
    client.query = (async (text: string, parameters?: unknown[]) => {
      const word = /^\w+/.exec(text)?.[0];
      const sent = text.startsWith('BEGIN') ? (beginning ?? text) : text;
      beginning = undefined;
      traffic.push(`>${word}`);
      return query(sent, parameters).finally(() => traffic.push(`<${word}`));
    }) as typeof client.query;
  });
  beforeEach(async () => {
    // Behind whatever the last test has left under way.
    await api.query('SELECT 1');
    traffic = [];
  });
  afterAll(async () => {
    await api.destroy();
    await database.drop();
  });

  /** As the server says with its last answer: `I` of a connection that is in no transaction. */
  const transactionStatus = async (): Promise<unknown> => {
    await api.query('SELECT 1');
    return client.getTransactionStatus();
  };

  it('asks its first question without waiting for the answer to the beginning', async () => {
    await scope.read(({ manager }) => manager.query('SELECT 1'));
    expect(traffic.slice(0, 4)).toEqual(['>BEGIN', '>SELECT', '<BEGIN', '<SELECT']);
  });

  it('leaves in one packet, its end with what is asked next', async () => {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const packets: number[] = [];
    const writev = jest.spyOn(stream, '_writev' as never).mockImplementation(countPacket as never);
    const write = jest.spyOn(stream, '_write');
    function countPacket(this: Socket, chunks: unknown[], done: (error?: Error | null) => void): void {
      packets.push(chunks.length);
      Socket.prototype._writev!.call(this, chunks as never, done);
    }
    try {
      await scope.read(({ manager }) => manager.query('SELECT 1'));
      expect([packets.length, write.mock.calls.length]).toEqual([1, 0]);
      await scope.read(({ manager }) => manager.query('SELECT 1'));
      expect([packets.length, write.mock.calls.length]).toEqual([2, 0]);
    } finally {
      writev.mockRestore();
      write.mockRestore();
    }
  });

  it('is over soon also where nothing is asked next', async () => {
    await scope.read(({ manager }) => manager.query('SELECT 1'));
    await waitFor('the end', 5_000, () =>
      traffic.length > 0 && client.getTransactionStatus() === 'I' ? true : undefined,
    );
  });

  it('asks two questions that do not need each other at once, and each has its answer', async () => {
    const asked = scope.read(({ manager }) =>
      Promise.all([manager.query('SELECT 1 AS n'), manager.query('SELECT 2 AS n')]),
    );
    expect(await asked).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    expect(traffic.slice(0, 3)).toEqual(['>BEGIN', '>SELECT', '>SELECT']);
  });

  it.each(['SELECT 1/0', 'SET LOCAL nothing.at_all = 1; SELECT 1/0'])(
    'tells nothing of what it saw where the beginning failed: %s',
    async (failing) => {
      beginning = failing;
      const answered = scope.read(({ manager }) => manager.query('SELECT 1'));
      await expect(answered).rejects.toMatchObject({ code: '22012' });
      // The connection is whole again for the next.
      expect(await scope.read(({ manager }) => manager.query('SELECT 1 AS n'))).toEqual([{ n: 1 }]);
      expect(await transactionStatus()).toBe('I');
    },
  );

  it('tells what went wrong in it, and is over then', async () => {
    const failed = scope.read(async ({ manager }) => manager.query('SELECT 1/0'));
    await expect(failed).rejects.toMatchObject({ driverError: { code: '22012' } });
    expect(await scope.read(({ manager }) => manager.query('SELECT 1 AS n'))).toEqual([{ n: 1 }]);
    expect(await transactionStatus()).toBe('I');
  });

  it('names its organisation to what it asks, and to nobody after it', async () => {
    const setting = `SELECT current_setting('trunkline.org_id', true) AS org`;
    const [other, mine] = [new OrganisationScope(api, uuidV7()), uuidV7()];
    const asked = [new OrganisationScope(api, mine), other, scope].map((each) =>
      each.read(({ manager }) => manager.query(setting)),
    );
    const organisations = (await Promise.all(asked)).map(([row]) => row.org);
    expect(organisations[0]).toBe(mine);
    expect(new Set(organisations).size).toBe(3);
    expect(await api.query(setting)).toEqual([{ org: '' }]);
  });

  it('a change waits for its beginning', async () => {
    await scope.write(({ manager }) => manager.query('SELECT 1'));
    expect(traffic.slice(0, 4)).toEqual(['>BEGIN', '<BEGIN', '>SELECT', '<SELECT']);
    beginning = 'SELECT 1/0';
    let begun = false;
    const failed = scope.write(async () => (begun = true));
    await expect(failed).rejects.toMatchObject({ driverError: { code: '22012' } });
    expect(begun).toBe(false);
  });
});
