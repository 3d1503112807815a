import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import Koa from 'koa';
import { z } from 'zod';

import { createApiStore } from '../../../api/database';
import { tableRoute } from '../../../api/dispatch';
import { KeyAuthenticator } from '../../../api/key-authenticator';
import { errorHandler } from '../../../api/middleware/error-handler';
import { answer, route } from '../../../api/route';
import { dispatch, RouteTable } from '../../../api/route-table';
import { createLogger } from '../../../ops/logger';
import { OrganisationScope } from '../../../store/organisation-scope';
import { ApiKeyRepository } from '../../../store/repositories/api-key-repository';
import { ApiServer } from './support/api-server';
import type { Answer, Tenant } from './support/api-server';

const PER_MINUTE = 100;
const SHARE_MS = 60_000 / PER_MINUTE;

describe('the rate of a key, with two API processes', () => {
  let servers: readonly ApiServer[];
  let first: ApiServer;
  let key: Tenant;
  beforeAll(async () => {
    first = await ApiServer.start({ rateLimitPerMinute: PER_MINUTE });
    servers = [first, await first.sibling({ rateLimitPerMinute: PER_MINUTE })];
  });
  afterAll(async () => {
    for (const server of [...servers].reverse()) await server.stop();
  });
  beforeEach(async () => {
    key = await first.createKey(first.tenant.orgId);
  });

  /** From both processes in turn. */
  const ask = (n: number): Promise<Answer> => servers[n % 2]!.get('/phone', { key: key.key });
  const askAtOnce = (count: number): Promise<Answer[]> => Promise.all(Array.from({ length: count }, (_, n) => ask(n)));
  const number = ({ headers }: Answer, name: string): number => Number(headers.get(name));
  /** As if so much time had passed since. */
  const pass = (seconds: number): Promise<unknown> =>
    first.dataSource.query(`UPDATE api_key_rates SET full_at = full_at - make_interval(secs => $2) WHERE key_id = $1`, [
      key.keyId,
      seconds,
    ]);
  const rows = async (): Promise<unknown[]> =>
    first.dataSource.query('SELECT key_id FROM api_key_rates WHERE key_id = $1', [key.keyId]);

  it('is one for both: of many at once just those pass that it has room for', async () => {
    const begunMs = performance.now();
    const answers = await askAtOnce(160);
    const passed = answers.filter(({ status }) => status === 200);
    // Those that came free again meanwhile.
    const more = Math.ceil((performance.now() - begunMs) / SHARE_MS);
    expect(passed.length).toBeGreaterThanOrEqual(PER_MINUTE);
    expect(passed.length).toBeLessThanOrEqual(PER_MINUTE + more);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
      expect(number(answer, 'retry-after')).toBe(1);
      expect(number(answer, 'ratelimit-remaining')).toBe(0);
      expect(number(answer, 'ratelimit-reset')).toBe(60);
    }
  });

  it('is told by each process as it is for both, never more than is left', async () => {
    const begunMs = performance.now();
    for (let n = 1; n <= 40; n += 1) {
      const answer = await ask(n);
      const more = Math.ceil((performance.now() - begunMs) / SHARE_MS);
      expect(number(answer, 'ratelimit-limit')).toBe(PER_MINUTE);
      const remaining = number(answer, 'ratelimit-remaining');
      expect(remaining).toBeGreaterThanOrEqual(PER_MINUTE - n);
      expect(remaining).toBeLessThanOrEqual(PER_MINUTE - n + more);
      expect(number(answer, 'ratelimit-reset')).toBeLessThanOrEqual(Math.ceil((n * SHARE_MS) / 1000));
      expect(number(answer, 'ratelimit-reset')).toBeGreaterThanOrEqual(1);
    }
  });

  it('has what was promised: as many as remain, and one more after Retry-After', async () => {
    const left = number(await ask(0), 'ratelimit-remaining');
    expect((await askAtOnce(left)).map(({ status }) => status)).toEqual(Array(left).fill(200));
    let refused = await ask(0);
    // A share may have come free meanwhile.
    while (refused.status === 200) refused = await ask(0);
    await pass(number(refused, 'retry-after'));
    expect((await ask(1)).status).toBe(200);
  });

  it('is whole again after RateLimit-Reset, and never more than whole', async () => {
    await askAtOnce(PER_MINUTE);
    await pass(number(await ask(0), 'ratelimit-reset'));
    expect(number(await ask(1), 'ratelimit-remaining')).toBe(PER_MINUTE - 1);
    await pass(3600);
    expect(number(await ask(0), 'ratelimit-remaining')).toBe(PER_MINUTE - 1);
  });

  it('does not grow by refusals, and belongs to the key alone', async () => {
    await askAtOnce(PER_MINUTE + 20);
    const [{ ahead }] = await first.dataSource.query(
      'SELECT extract(epoch FROM full_at - clock_timestamp())::float8 AS ahead FROM api_key_rates WHERE key_id = $1',
      [key.keyId],
    );
    expect(ahead).toBeLessThanOrEqual(60);
    const other = await first.createKey(first.tenant.orgId);
    expect((await first.get('/phone', { key: other.key })).status).toBe(200);
  });

  it('leaves no row of a key that is unknown, and none for ever of one that is idle', async () => {
    const keys = new ApiKeyRepository(first.dataSource, first.secrets);
    expect(await keys.admit('tl_live_unknown', PER_MINUTE)).toBeNull();
    await ask(0);
    await pass(-30);
    await keys.purgeRates();
    expect(await rows()).toHaveLength(1);
    await pass(60);
    expect(await keys.purgeRates()).toBeGreaterThan(0);
    expect(await rows()).toEqual([]);
    const [{ unknown }] = await first.dataSource.query(
      'SELECT count(*)::int AS unknown FROM api_key_rates WHERE key_id NOT IN (SELECT id FROM api_keys)',
    );
    expect(unknown).toBe(0);
  });

  it('of streams is another, and each of them the same on every process', async () => {
    const logger = createLogger({ name: 'api', level: 'silent' });
    const rates = { perMinute: 2, streamingPerMinute: 5 };
    const limited = servers.map(
      () => new KeyAuthenticator(createApiStore(first.dataSource, first.secrets), logger, rates),
    );
    const take = async (count: number, streaming: boolean): Promise<(boolean | undefined)[]> => {
      const taken: (boolean | undefined)[] = [];
      for (let n = 0; n < count; n += 1) {
        taken.push((await limited[n % 2]!.authenticate(key.key, '192.0.2.1', streaming))?.rate.allowed);
      }
      return taken;
    };
    expect(await take(3, false)).toEqual([true, true, false]);
    expect(await take(6, true)).toEqual([true, true, true, true, true, false]);
    expect(await rows()).toHaveLength(2);
  });

  it('is that of streams on a route whose answer stays open', async () => {
    const logger = createLogger({ name: 'api', level: 'silent' });
    const limited = new KeyAuthenticator(createApiStore(first.dataSource, first.secrets), logger, {
      perMinute: 1,
      streamingPerMinute: 2,
    });
    const docs = { method: 'get', scope: 'phone:read', tag: 'T', resource: 'thing', operationId: 'o' } as const;
    const declared = { ...docs, summary: 's', response: z.object({}), responseExample: {} };
    const handle = (): Promise<ReturnType<typeof answer>> => Promise.resolve(answer({}));
    const routes = [
      route({ ...declared, path: '/plain', handle }),
      route({ ...declared, path: '/open', streaming: true, handle }),
    ];
    const table = new RouteTable(routes.map((declaredRoute) => tableRoute(declaredRoute, limited)));
    const server = new Koa().use(errorHandler(logger)).use(dispatch(table)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const limits: unknown[] = [];
      for (const path of ['/plain', '/plain', '/open', '/open', '/open']) {
        const { status, headers } = await fetch(`http://127.0.0.1:${port}${path}`, {
          headers: { Authorization: `Bearer ${key.key}` },
        });
        limits.push([path, status, headers.get('ratelimit-limit')]);
      }
      expect(limits).toEqual([
        ['/plain', 200, '1'],
        ['/plain', 429, '1'],
        ['/open', 200, '2'],
        ['/open', 200, '2'],
        ['/open', 429, '2'],
      ]);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('counts nothing where the database takes no write, and lets pass', async () => {
    const admitted = new OrganisationScope(first.dataSource, first.tenant.orgId).read((session) =>
      new ApiKeyRepository(session, first.secrets).admit(key.key, 1),
    );
    expect(await admitted).toMatchObject({ id: key.keyId, allowed: true, fullInUs: 0 });
    expect(await rows()).toEqual([]);
  });
});

describe('the rate of a busy key, with two API processes', () => {
  const BUSY = 6_000;
  let servers: readonly ApiServer[];
  let key: Tenant;
  beforeAll(async () => {
    const first = await ApiServer.start({ rateLimitPerMinute: BUSY });
    servers = [first, await first.sibling({ rateLimitPerMinute: BUSY })];
    key = await first.createKey(first.tenant.orgId);
  });
  afterAll(async () => {
    for (const server of [...servers].reverse()) await server.stop();
  });

  it('lets no more pass than the store has counted, and a revoked one none after a quarter of a second', async () => {
    const [first] = servers as [ApiServer];
    const begunMs = performance.now();
    let passed = 0;
    for (let n = 0; n < 40; n++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => servers[i % 2]!.get('/phone', { key: key.key })),
      );
      passed += answers.filter(({ status }) => status === 200).length;
    }
    expect(passed).toBe(800);
    const [{ used }] = await first.dataSource.query(
      `SELECT extract(epoch FROM full_at - clock_timestamp())::float8 * $2 / 60 AS used
       FROM api_key_rates WHERE key_id = $1`,
      [key.keyId, BUSY],
    );
    // All of them, less what came free again meanwhile.
    expect(used).toBeGreaterThanOrEqual(800 - ((performance.now() - begunMs) / 60_000) * BUSY - 1);
    await first.dataSource.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [key.keyId]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const server of servers) expect((await server.get('/phone', { key: key.key })).status).toBe(401);
  });
});
