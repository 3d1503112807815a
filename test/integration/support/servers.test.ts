import { Client } from 'pg';

import { createTestDatabase, testServers } from '../../support/servers';

describe('the servers of a test run', () => {
  test('every file gets a migrated database of its own', async () => {
    const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    try {
      expect(first.databaseUrl).not.toBe(second.databaseUrl);
      for (const { databaseUrl } of [first, second]) {
        const client = new Client({ connectionString: databaseUrl });
        await client.connect();
        const { rows } = await client.query('SELECT count(*)::int AS n FROM schema_migrations');
        await client.end();
        expect(rows[0].n).toBeGreaterThan(0);
      }
    } finally {
      await first.drop();
      await second.drop();
    }
  });

  test('the Temporal address is host:port', () => {
    expect(testServers().temporalAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  });
});
