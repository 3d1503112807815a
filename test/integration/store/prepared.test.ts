import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../../store/data-source';
import { prepared } from '../../../store/prepared';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';

describe('prepared texts', () => {
  let database: TestDatabase;
  let owner: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    // One connection, which keeps what it has prepared.
    owner = await createDataSource({ url: database.databaseUrl, poolSize: 1 }).initialize();
    await owner.query('CREATE TABLE kept (id int, name text)');
    await owner.query(`INSERT INTO kept VALUES (1, '1'), (2, '2')`);
  });
  afterAll(async () => {
    await owner.destroy();
    await database.drop();
  });

  const kept = async (text: string): Promise<number> =>
    ((await owner.query('SELECT FROM pg_prepared_statements WHERE statement = $1', [text])) as unknown[]).length;

  it('are parsed once, and asked with other parameters', async () => {
    const text = prepared('SELECT name FROM kept WHERE id = $1');
    for (const id of [1, 2, 3]) await owner.query(text, [id]);
    expect(await owner.query(text, [2])).toEqual([{ name: '2' }]);
    expect(await kept(text)).toBe(1);
    const [row] = await owner.query('SELECT generic_plans + custom_plans AS n FROM pg_prepared_statements');
    expect(Number(row.n)).toBe(4);
  });

  it('others are not kept', async () => {
    await owner.query('SELECT name FROM kept WHERE id = $1 + 0', [1]);
    expect(await kept('SELECT name FROM kept WHERE id = $1 + 0')).toBe(0);
  });

  it('two that leave together are both answered, and so is the next after both failed in an aborted transaction', async () => {
    const text = prepared('SELECT name AS one FROM kept WHERE id = $1');
    const runner = owner.createQueryRunner();
    const client = (await runner.connect()) as Client;
    const answers = await Promise.allSettled([
      client.query('BEGIN'),
      client.query('SELECT 1/0'),
      client.query(text, [1]),
      client.query(text, [2]),
      client.query('ROLLBACK'),
      client.query(text, [2]),
      client.query(text, [1]),
    ]);
    await runner.release();
    expect(answers.map(({ status }) => status === 'fulfilled')).toEqual([true, false, false, false, true, true, true]);
    expect((answers[5] as PromiseFulfilledResult<{ rows: unknown[] }>).value.rows).toEqual([{ one: '2' }]);
  });

  it('are parsed anew after a column became another', async () => {
    const text = prepared('SELECT id FROM kept WHERE name = $1');
    await owner.query(text, ['1']);
    await owner.query('ALTER TABLE kept ALTER COLUMN id TYPE text');
    await expect(owner.query(text, ['1'])).rejects.toMatchObject({ driverError: { code: '0A000' } });
    expect(await owner.query(text, ['1'])).toEqual([{ id: '1' }]);
  });
});
