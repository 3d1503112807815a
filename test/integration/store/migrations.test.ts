import { Client } from 'pg';
import { createDataSource, migrate } from '../../../store/data-source';
import { MIGRATIONS } from '../../../store/migrations';
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
});
