import type { DataSource } from 'typeorm';

import { createApiStore } from '../../../api/database';
import type { OrgAccess } from '../../../api/store';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';

describe('two writes of an organisation that wait for each other', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await createDataSource({ url: database.databaseUrl, poolSize: 4 }).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  async function agents(): Promise<{ readonly store: OrgAccess; readonly ids: readonly [string, string] }> {
    const { id: orgId } = await new OrganisationRepository(dataSource).create({ name: 'O' });
    const made = [uuidV7(), uuidV7()] as const;
    for (const id of made) {
      await dataSource.query(`INSERT INTO agents (id, org_id, name) VALUES ($1, $2, '')`, [id, orgId]);
    }
    return { store: createApiStore(dataSource, new SecretBox(newMasterKey())).forOrg(orgId), ids: made };
  }

  it('are both done, each as a whole', async () => {
    const { store, ids } = await agents();
    let begun = 0;
    let tries = 0;
    let bothHold: () => void;
    const held = new Promise<void>((resolve) => (bothHold = resolve));
    const write = (letter: string, order: readonly string[]): Promise<string> =>
      store.write(async ({ session: { manager } }) => {
        tries += 1;
        for (const id of order) {
          await manager.query('UPDATE agents SET name = name || $1 WHERE id = $2', [letter, id]);
          begun += 1;
          if (begun === 2) bothHold();
          await held;
        }
        return letter;
      });
    expect(await Promise.all([write('a', ids), write('b', ids.toReversed())])).toEqual(['a', 'b']);
    // The one undone may begin again before the other has been woken, and be in its way once more.
    expect(tries).toBeGreaterThanOrEqual(3);
    const rows: { name: string }[] = await dataSource.query('SELECT name FROM agents WHERE id = ANY($1)', [ids]);
    expect(rows.map(({ name }) => name.split('').sort().join(''))).toEqual(['ab', 'ab']);
  });

  it('but what fails for another reason is tried once', async () => {
    const { store } = await agents();
    let tries = 0;
    const failing = store.write(({ session: { manager } }) => {
      tries += 1;
      return manager.query('SELECT 1 / 0');
    });
    await expect(failing).rejects.toThrow('division by zero');
    expect(tries).toBe(1);
  });
});
