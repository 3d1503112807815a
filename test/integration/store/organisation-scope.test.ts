import { Socket } from 'node:net';

import type { DataSource } from 'typeorm';
import { createDataSource } from '../../../store/data-source';
import type { FailFastClient } from '../../../store/fail-fast-client';
import { uuidV7 } from '../../../store/ids';
import { enterOrganisation, OrganisationScope, withTheEnd } from '../../../store/organisation-scope';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import type { Answer, Statement } from '../../../store/statement-group';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';

describe('the scope of an organisation', () => {
  let database: TestDatabase;
  let api: DataSource;
  let client: FailFastClient;
  let scope: OrganisationScope;
  /** `>` when a group leaves, `<` when it is answered, by the first words of its statements. */
  let traffic: string[] = [];
  /** What leaves instead of the first statement, once. */
  let beginning: string | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    // One connection, which every scope is given.
    api = await createDataSource({ url: database.apiUrl, poolSize: 1 }).initialize();
    scope = new OrganisationScope(api, uuidV7());
    const runner = api.createQueryRunner();
    client = (await runner.connect()) as FailFastClient;
    await runner.release();
    const group = client.group.bind(client);
    client.group = async (statements: readonly Statement[]): Promise<readonly Answer[]> => {
      const words = statements
        .map(({ text }) => (/set_config/.test(text) ? 'enter' : /^\w+/.exec(text)?.[0]))
        .join(' ');
      const [first, ...others] = statements;
      const sent = beginning === undefined ? statements : [{ ...first, text: beginning, values: [] }, ...others];
      beginning = undefined;
      traffic.push(`>${words}`);
      return group(sent).finally(() => traffic.push(`<${words}`));
    };
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

  /** What left through the socket while `work` ran, in chunks of each packet. */
  const packetsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    let packets = 0;
    const writev = jest.spyOn(stream, '_writev' as never).mockImplementation(countPacket as never);
    const write = jest.spyOn(stream, '_write');
    function countPacket(this: Socket, chunks: unknown[], done: (error?: Error | null) => void): void {
      packets += 1;
      Socket.prototype._writev!.call(this, chunks as never, done);
    }
    try {
      await work();
      return packets + write.mock.calls.length;
    } finally {
      writev.mockRestore();
      write.mockRestore();
    }
  };

  it('names its organisation in one packet with what it asks, and is over with the answer', async () => {
    const one = (): Promise<unknown> => scope.read(({ manager }) => manager.query('SELECT 1'));
    expect(await packetsOf(one)).toBe(1);
    expect(traffic).toEqual(['>enter SELECT', '<enter SELECT']);
    expect(client.getTransactionStatus()).toBe('I');
  });

  it('answers a question in one packet of the server', async () => {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const one = (): Promise<unknown> => scope.read(({ manager }) => manager.query('SELECT 1 AS n'));
    await one();
    let packets = 0;
    const count = (): unknown => (packets += 1);
    stream.on('data', count);
    await one();
    stream.off('data', count);
    expect(packets).toBe(1);
  });

  it('asks two questions that do not need each other at once, and each has its answer', async () => {
    const asked = scope.read(({ manager }) =>
      Promise.all([manager.query('SELECT 1 AS n'), manager.query('SELECT 2 AS n')]),
    );
    expect(await asked).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    expect(traffic.slice(0, 2)).toEqual(['>enter SELECT', '>enter SELECT']);
  });

  it('changes nothing where it only reads', async () => {
    const changing = scope.read(({ manager }) => manager.query('UPDATE contacts SET name = NULL'));
    await expect(changing).rejects.toMatchObject({ driverError: { code: '25006' } });
    expect(await api.query('SHOW transaction_read_only')).toEqual([{ transaction_read_only: 'off' }]);
  });

  it('asks nothing where the organisation cannot be named', async () => {
    beginning = 'SELECT 1/0';
    const answered = scope.read(({ manager }) => manager.query('SELECT 1'));
    await expect(answered).rejects.toMatchObject({ driverError: { code: '22012' } });
    // The connection is whole again for the next.
    expect(await scope.read(({ manager }) => manager.query('SELECT 1 AS n'))).toEqual([{ n: 1 }]);
    expect(await transactionStatus()).toBe('I');
  });

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

  it('a change begins with its first statement, behind which only what reads leaves at once', async () => {
    await scope.write(({ manager }) =>
      Promise.all([
        manager.query('SELECT 1'),
        manager.query('SELECT 2'),
        manager.query('UPDATE contacts SET name = NULL'),
      ]),
    );
    expect(traffic).toEqual([
      '>BEGIN enter SELECT',
      '>SELECT',
      '<BEGIN enter SELECT',
      '<SELECT',
      '>UPDATE',
      '<UPDATE',
      '>COMMIT',
      '<COMMIT',
    ]);
  });

  it('a change is two packets: the statement with its beginning, the end', async () => {
    const change = (): Promise<unknown> =>
      scope.write(async (session) => {
        await session.manager.query('UPDATE contacts SET name = NULL');
        await withTheEnd(session, { text: 'UPDATE contacts SET email = NULL', parameters: [] });
      });
    expect(await packetsOf(change)).toBe(2);
    expect(traffic.filter((word) => word.startsWith('>'))).toEqual(['>BEGIN enter UPDATE', '>UPDATE COMMIT']);
  });

  it('asks nothing where nothing is changed', async () => {
    expect(await scope.write(async () => 'nothing')).toBe('nothing');
    expect(traffic).toEqual([]);
  });

  it('changes nothing where its beginning failed', async () => {
    beginning = 'SELECT 1/0';
    const failed = scope.write(async ({ manager, last }) => {
      last?.push({ text: 'DELETE FROM contacts', parameters: [] });
      const all = [manager.query('SELECT 1'), manager.query('UPDATE contacts SET name = NULL')];
      await Promise.allSettled(all);
      return Promise.all(all);
    });
    await expect(failed).rejects.toMatchObject({ driverError: { code: '22012' } });
    expect(traffic.filter((word) => word.startsWith('>'))).toEqual(['>BEGIN enter SELECT']);
    expect(await transactionStatus()).toBe('I');
  });

  it('is not done where the work kept to itself that its beginning failed', async () => {
    beginning = 'SELECT 1/0';
    const failed = scope.write(async ({ manager }) => {
      await manager.query('UPDATE contacts SET name = NULL').catch(() => undefined);
    });
    await expect(failed).rejects.toThrow('the transaction had failed');
  });

  describe('what leaves with its end', () => {
    const changing = (text: string, ...parameters: string[]): Promise<unknown> =>
      scope.write(async (session) => {
        await session.manager.query('SELECT 1');
        await withTheEnd(session, {
          text: `INSERT INTO contacts (id, org_id) VALUES ($1, $2)`,
          parameters: [id, orgId],
        });
        await withTheEnd(session, { text, parameters });
      });
    const orgId = uuidV7();
    let id: string;
    let owner: DataSource;
    beforeAll(async () => {
      owner = await createDataSource({ url: database.databaseUrl, poolSize: 1 }).initialize();
      scope = new OrganisationScope(api, orgId);
      await new OrganisationRepository(owner).create({ id: orgId, name: 'Ends' });
    });
    beforeEach(() => (id = uuidV7()));
    afterAll(() => owner.destroy());
    const stored = async (): Promise<boolean> =>
      ((await owner.query('SELECT FROM contacts WHERE id = $1', [id])) as unknown[]).length === 1;

    it('is one packet', async () => {
      await changing('UPDATE contacts SET name = $1', 'Ada');
      expect(traffic.slice(2)).toEqual(['>INSERT UPDATE COMMIT', '<INSERT UPDATE COMMIT']);
      expect(await stored()).toBe(true);
    });

    it('undoes all where it fails', async () => {
      await expect(changing('UPDATE contacts SET name = (1 / $1::int)::text', '0')).rejects.toMatchObject({
        code: '22012',
      });
      expect(await stored()).toBe(false);
      expect(await transactionStatus()).toBe('I');
    });

    it('does not leave where the work failed', async () => {
      const failed = scope.write(async (session) => {
        await withTheEnd(session, { text: 'DELETE FROM contacts', parameters: [] });
        throw new Error('changed my mind');
      });
      await expect(failed).rejects.toThrow('changed my mind');
      expect(traffic.join(' ')).not.toContain('DELETE');
    });

    it('belongs to the organisation that was named then', async () => {
      const setting = `INSERT INTO contacts (id, org_id) SELECT $1::uuid, current_setting('trunkline.org_id')::uuid`;
      await scope.write(async (session) => {
        await withTheEnd(session, { text: setting, parameters: [id] });
        await enterOrganisation(session, uuidV7());
      });
      expect(await stored()).toBe(true);
    });

    it('a failure that the work kept to itself is told by the end', async () => {
      const swallowed = scope.write(async ({ manager }) => {
        await manager.query('SELECT 1/0').catch(() => undefined);
      });
      await expect(swallowed).rejects.toThrow('the transaction had failed');
    });
  });
});
