import { createDataSource } from '../../../store/data-source';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import { createTestDatabase, testServers } from '../../support/servers';
import { waitFor } from '../../support/wait-for';
import { ApiServer } from './support/api-server';
import type { Answer } from './support/api-server';
import { DiallingApi } from './support/dialling-api';
import { TcpRelay } from '../../support/tcp-relay';

async function timed(request: Promise<Answer>): Promise<Answer & { readonly ms: number }> {
  const startedMs = performance.now();
  const answer = await request;
  return { ...answer, ms: performance.now() - startedMs };
}

describe('while PostgreSQL is away', () => {
  it('requests are told so within moments, and served again when it is back', async () => {
    const database = await createTestDatabase();
    const url = new URL(database.databaseUrl);
    const relay = await TcpRelay.start({ host: url.hostname, port: Number(url.port) });
    url.hostname = '127.0.0.1';
    url.port = String(relay.port);
    const dataSource = createDataSource({
      url: url.toString(),
      connectTimeoutMs: 1500,
      statementTimeoutMs: 1500,
      onPoolError: () => undefined,
    });
    await dataSource.initialize();
    const api = await ApiServer.start({ database: { dataSource, secrets: new SecretBox(newMasterKey()) } });
    try {
      await api.seeNode();
      expect((await api.get('/phone')).status).toBe(200);
      expect((await api.get('/ready', { key: null })).status).toBe(200);

      await relay.vanish();
      for (let n = 0; n < 3; n += 1) {
        const gone = await timed(api.get('/phone'));
        expect([gone.status, gone.body.code, gone.headers.get('retry-after')]).toEqual([
          503,
          'database_unavailable',
          '2',
        ]);
        // Without waiting for the time limit of a connection, 1.5 s.
        expect(gone.ms).toBeLessThan(1400);
      }
      const notReady = await api.get('/ready', { key: null });
      expect([notReady.status, notReady.body.missing]).toEqual([503, ['postgresql', 'media_node']]);
      expect((await api.get('/health', { key: null })).status).toBe(200);

      await relay.comeBack();
      await waitFor('the database', 3000, async () => ((await api.get('/phone')).status === 200 ? true : undefined));

      relay.fallSilent();
      const silent = await Promise.all(Array.from({ length: 15 }, () => timed(api.get('/phone'))));
      for (const { status, body, ms } of silent) {
        expect([status, body.code]).toEqual([503, 'database_unavailable']);
        expect(ms).toBeLessThan(3500);
      }
      expect((await timed(api.get('/health', { key: null }))).ms).toBeLessThan(1400);

      await relay.comeBack();
      await waitFor('the database', 5000, async () => ((await api.get('/phone')).status === 200 ? true : undefined));
      const made = await api.post('/phone', { name: 'After' });
      expect(made.status).toBe(200);
    } finally {
      await api.stop();
      await relay.close();
      await dataSource.destroy();
      await database.drop();
    }
  }, 60_000);
});

describe('a list that takes PostgreSQL too long', () => {
  it('is answered as that, and not as an outage', async () => {
    const database = await createTestDatabase();
    const url = database.databaseUrl;
    const dataSource = createDataSource({ url, statementTimeoutMs: 300, onPoolError: () => undefined });
    const other = createDataSource({ url, onPoolError: () => undefined });
    await Promise.all([dataSource.initialize(), other.initialize()]);
    const api = await ApiServer.start({ database: { dataSource, secrets: new SecretBox(newMasterKey()) } });
    try {
      await other.transaction(async (manager) => {
        await manager.query('LOCK TABLE calls IN ACCESS EXCLUSIVE MODE');
        const slow = await api.get('/phone/calls');
        expect([slow.status, slow.body.code, slow.headers.get('retry-after')]).toEqual([503, 'query_timeout', '2']);
        expect((await api.get('/phone')).status).toBe(200);
      });
      expect((await api.get('/phone/calls')).status).toBe(200);
    } finally {
      await api.stop();
      await Promise.all([dataSource.destroy(), other.destroy()]);
      await database.drop();
    }
  }, 30_000);
});

describe('while Temporal says nothing', () => {
  it('a call is tried twice and its id is told', async () => {
    const [host = '', port = ''] = testServers().temporalAddress.split(':');
    const relay = await TcpRelay.start({ host, port: Number(port) });
    const dialling = await DiallingApi.start({ temporalAddress: `127.0.0.1:${relay.port}` });
    const { api } = dialling;
    const { connection } = dialling.temporal;
    try {
      await connection.withDeadline(Date.now() + 5000, () => connection.workflowService.getSystemInfo({}));
      relay.fallSilent();
      const hidden = await timed(dialling.dial());
      expect([hidden.status, hidden.body.code]).toEqual([503, 'outcome_unknown']);
      expect(hidden.body.call_id).toMatch(/^[0-9a-f-]{36}$/);
      expect(hidden.ms).toBeGreaterThan(3900);
      // A third try would end at 6 s.
      expect(hidden.ms).toBeLessThan(5900);
      expect((await timed(api.get('/phone'))).ms).toBeLessThan(1800);

      await relay.vanish();
      const refused = await timed(dialling.dial());
      expect(['temporal_unavailable', 'outcome_unknown']).toContain(refused.body.code);
      const again = await timed(dialling.dial());
      expect([again.status, again.body.code]).toEqual([503, 'temporal_unavailable']);
      // Sooner than a server that says nothing is given up.
      expect(again.ms).toBeLessThan(1800);
    } finally {
      await dialling.stop();
      await relay.close();
    }
  }, 60_000);
});
