import { ConfigCache } from '../../../activities/media/config-cache';
import { createLogger } from '../../../ops/logger';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import { createTestDatabase } from '../../support/servers';
import { until } from './environment';

test.each([
  ['a notification brings a change at once', true, 400],
  ['without notifications the counter brings it within a second', false, 2_000],
] as const)(
  '%s',
  async (_, listens, limitMs) => {
    const database = await createTestDatabase();
    const dataSource = await createDataSource({ url: database.databaseUrl }).initialize();
    const repository = new ConfigRepository(dataSource, new SecretBox(newMasterKey()));
    const cache = new ConfigCache({
      repository,
      databaseUrl: listens ? database.databaseUrl : null,
      onTrunkRevoked: () => undefined,
      logger: createLogger({ name: 'test', level: 'silent' }),
    });
    try {
      await cache.start();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { id: orgId } = await new OrganisationRepository(dataSource).create({ name: 'Organisation' });
      const agents = new AgentRepository(dataSource);
      const agentId = uuidV7();
      await repository.transaction((tx) => agents.create(tx, orgId, { id: agentId, name: 'New' }));
      const changedAtMs = performance.now();
      await until('the agent', limitMs, () => cache.snapshot.agent(agentId));
      expect(performance.now() - changedAtMs).toBeLessThan(limitMs);
    } finally {
      await cache.close();
      await dataSource.destroy();
      await database.drop();
    }
  },
  30_000,
);
