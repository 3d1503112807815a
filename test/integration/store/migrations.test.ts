import { Client } from 'pg';
import { createDataSource, migrate } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { MIGRATIONS } from '../../../store/migrations';
import { SpeedOfRequests1764600700000 } from '../../../store/migrations/1764600700000-speed-of-requests';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';

describe('migrations', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  it('lead to exactly the schema of the entities', async () => {
    const dataSource = await createDataSource({ url: database.databaseUrl }).initialize();
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    await dataSource.destroy();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('run once when several processes start together, and go back to nothing', async () => {
    const client = new Client({ connectionString: database.databaseUrl });
    await client.connect();
    await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const dataSource = createDataSource({ url: database.databaseUrl });
    const ran = await Promise.all([migrate(dataSource), migrate(dataSource), migrate(dataSource)]);
    const names = MIGRATIONS.map((migration) => migration.name);
    expect(ran.flat()).toEqual(names);
    expect((await client.query('SELECT id, version FROM config_version')).rows).toEqual([{ id: 1, version: '0' }]);

    await dataSource.initialize();
    for (const _ of names) await dataSource.undoLastMigration();
    await dataSource.destroy();
    const { rows } = await client.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
    await client.end();
    expect(rows).toEqual([{ tablename: 'schema_migrations' }]);
  });

  it('tell ending and country of the numbers that were there before', async () => {
    const dataSource = await createDataSource({ url: database.databaseUrl }).initialize();
    const later = MIGRATIONS.slice(MIGRATIONS.indexOf(SpeedOfRequests1764600700000));
    for (const _ of later) await dataSource.undoLastMigration();
    const [orgId, otherId] = [uuidV7(), uuidV7()];
    await dataSource.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O'), ($2, 'P')`, [orgId, otherId]);
    const insert = `INSERT INTO phone_numbers (id, org_id, phone_number, method)
      SELECT gen_random_uuid(), $1, unnest($2::text[]), 'attest'`;
    await dataSource.query(insert, [orgId, ['+15551234567', '+442079460000', '+8821612345678']]);
    await dataSource.query(insert, [otherId, ['+442079460000']]);
    await migrate(dataSource);
    await dataSource.query(insert, [orgId, ['+4989123456']]);
    const rows = await dataSource.query(
      'SELECT phone_number, number_ending, country FROM phone_numbers ORDER BY phone_number',
    );
    await dataSource.destroy();
    expect(rows.map(Object.values)).toEqual([
      ['+15551234567', '1234567', 'US'],
      ['+442079460000', '9460000', 'GB'],
      ['+442079460000', '9460000', 'GB'],
      // Who writes the number without a country finds it in none.
      ['+4989123456', '9123456', null],
      ['+8821612345678', '2345678', null],
    ]);
  });
});
