import type { DataSource } from 'typeorm';
import { createDataSource } from '../../../store/data-source';
import type { FailFastClient } from '../../../store/fail-fast-client';
import { prepared } from '../../../store/prepared';
import type { Answer, Statement } from '../../../store/statement-group';
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
    const client = (await runner.connect()) as FailFastClient;
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

  describe('in a group', () => {
    const inGroup = async (...statements: readonly Statement[]): Promise<readonly Answer[]> => {
      const runner = owner.createQueryRunner();
      const client = (await runner.connect()) as FailFastClient;
      return client.group(statements).finally(() => runner.release());
    };
    const ask = (text: string, ...values: unknown[]): Statement => ({ text, values });

    it('each statement has its answer, in one transaction', async () => {
      const named = prepared('SELECT name, NULL::int AS nothing FROM kept WHERE id = $1');
      for (const id of ['1', '2', '1']) {
        const answers = await inGroup(
          { text: `SELECT set_config('my.id', $1, true)`, values: [id], quiet: true },
          ask(named, id),
          ask('UPDATE kept SET name = name WHERE id = $1', id),
          ask(`SELECT current_setting('my.id') AS id`),
        );
        expect(answers.map(({ command, rowCount, rows }) => [command, rowCount, rows])).toEqual([
          ['SELECT', 1, []],
          ['SELECT', 1, [{ name: id, nothing: null }]],
          ['UPDATE', 1, []],
          ['SELECT', 1, [{ id }]],
        ]);
      }
      expect(await kept(named)).toBe(1);
      expect(await owner.query(`SELECT current_setting('my.id', true) AS id`)).toEqual([{ id: '' }]);
    });

    it('none is done behind one that failed, and none before it, and the connection goes on', async () => {
      const [write, late] = ['INSERT INTO kept VALUES ($1, $2)', 'DELETE FROM kept WHERE id < $1'].map(prepared);
      const failed = inGroup(ask(write!, '3', '3'), ask('SELECT 1 / $1::int', 0), ask(late!, 9));
      await expect(failed).rejects.toMatchObject({ code: '22012' });
      expect(await owner.query('SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 2 }]);
      // What was parsed of it, and what was not, are both asked again.
      const [, answer] = await inGroup(ask(write!, '3', '3'), ask(late!, 0));
      expect(answer).toMatchObject({ command: 'DELETE', rowCount: 0 });
      expect([await kept(write!), await kept(late!)]).toEqual([1, 1]);
    });

    it('a parameter that cannot be written keeps all of it back', async () => {
      const circle: Record<string, unknown> = {};
      circle['itself'] = circle;
      await expect(inGroup(ask('DELETE FROM kept WHERE id > $1', 0), ask('SELECT $1::jsonb', circle))).rejects.toThrow(
        /circular/i,
      );
      expect(await owner.query('SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 3 }]);
    });

    it('the same text twice in one group is parsed by its name once', async () => {
      const text = prepared('SELECT name AS twice FROM kept WHERE id = $1');
      for (let time = 0; time < 2; time += 1) {
        const answers = await inGroup(ask(text, '1'), ask(text, '2'));
        expect(answers.map(({ rows }) => rows)).toEqual([[{ twice: '1' }], [{ twice: '2' }]]);
      }
      expect(await kept(text)).toBe(1);
    });
  });
});
