import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import { Registry } from 'prom-client';

import { createApp } from '../../../api/app';
import type { AppDeps } from '../../../api/app';
import { KeyAuthenticator } from '../../../api/key-authenticator';
import type { ApiStore, OrgStore } from '../../../api/store';
import { createLogger } from '../../../ops/logger';
import { StoreError } from '../../../store/errors';

const KEY = 'tl_live_abcdefghijklmnopqrstuvwxyz';
const RATES = { perMinute: 100, streamingPerMinute: 1000 };
const rights = { scopes: ['full'], operator: true, suspended: false, expiresAt: null };
const admitted = { id: 'key-1', orgId: 'org-1', ...rights, allowed: true, fullInUs: 600_000 };

interface Reply {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
}

/** The parts given, in and beside any organisation. */
function storeOf(parts: { [Part in keyof (OrgStore & ApiStore)]?: object }): ApiStore {
  const work = <T>(inside: (org: OrgStore) => Promise<T>): Promise<T> => inside(parts as unknown as OrgStore);
  return { ...parts, forOrg: () => ({ read: work, write: work }) } as unknown as ApiStore;
}

/** Store parts that a test does not give are absent. */
function appWith(store: { [Part in keyof (OrgStore & ApiStore)]?: object }, logs: string[] = []): AppDeps {
  const logger = createLogger({ name: 'api', level: 'debug', destination: { write: (line) => void logs.push(line) } });
  const apiKeys = {
    admit: (key: string) => Promise.resolve(key === KEY ? admitted : null),
    touch: () => Promise.resolve(),
  };
  const whole = storeOf({ apiKeys, ...store });
  return {
    options: {
      sip: { hosts: ['0.0.0.0'], port: 5060, publicHost: 'sip.example.com' },
      outboundAllowedCountries: [],
      allowPrivateTargets: true,
      verification: { inboundCallAllowed: false },
      version: '1.2.3',
    },
    store: whole,
    workflows: {
      accept: () => Promise.resolve('accepted'),
      describe: () => Promise.resolve(null),
      control: () => Promise.resolve({ outcome: 'done' }),
      reschedule: () => Promise.resolve({ outcome: 'gone' }),
      transfer: () => Promise.resolve({ outcome: 'accepted' }),
    },
    trunks: { sync: () => Promise.resolve({ outcome: 'unavailable' }), tell: () => undefined },
    trunkChecks: { check: () => Promise.resolve('running') },
    verifications: { begin: () => Promise.resolve(), over: () => Promise.resolve() },
    campaigns: { settled: () => Promise.resolve(true), moved: () => undefined },
    secrets: { seal: () => 'sealed', open: () => '{}', derive: () => Buffer.alloc(32) },
    authenticator: new KeyAuthenticator(whole, logger, RATES),
    probes: [],
    registry: new Registry(),
    logger,
  };
}

/** One request through the application, without a socket. */
async function send(deps: AppDeps, method: string, url: string, headers: Record<string, string> = {}): Promise<Reply> {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { method, url, headers: { authorization: `Bearer ${KEY}`, ...headers } });
  request.push(null);
  const response = new ServerResponse(request);
  let body = '';
  const done = new Promise<void>((resolve) => {
    response.end = ((chunk?: string) => {
      body = chunk ?? '';
      resolve();
      return response;
    }) as typeof response.end;
  });
  void createApp(deps).callback()(request, response);
  await done;
  return { status: response.statusCode, headers: response.getHeaders(), body: JSON.parse(body) };
}

describe('an error body', () => {
  it('has the shape of the contract', async () => {
    const reply = await send(appWith({}), 'GET', '/nowhere', { 'x-request-id': 'req-7' });
    expect(reply).toMatchObject({
      status: 404,
      headers: { 'x-request-id': 'req-7' },
      body: {
        statusCode: 404,
        message: 'No such route',
        error: 'Not Found',
        code: 'route_not_found',
        requestId: 'req-7',
      },
    });
  });

  it('says nothing of what went wrong inside; the log does', async () => {
    const logs: string[] = [];
    const agents = { list: () => Promise.reject(new TypeError('secret detail of the inside')) };
    const { status, body } = await send(appWith({ agents }, logs), 'GET', '/phone');
    expect([status, body['code']]).toEqual([500, 'internal_error']);
    expect(JSON.stringify(body)).not.toContain('secret detail');
    expect(logs.join('')).toContain('secret detail of the inside');
    expect(logs.join('')).not.toContain(KEY);
  });

  it('of a database that is away is a 503 with Retry-After', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const apiKeys = { admit: () => Promise.reject(refused) };
    const { status, body, headers } = await send(appWith({ apiKeys }), 'GET', '/phone');
    expect([status, body['code'], headers['retry-after']]).toEqual([503, 'database_unavailable', '2']);
  });

  it.each([
    ['not_found', { resource: 'outbound_trunk' }, 404, 'outbound_trunk_not_found'],
    ['number_taken', { phoneNumber: '+15551234567' }, 409, 'number_taken'],
    ['number_assigned', { phoneNumber: '+15551234567', agentName: 'A', agentId: 'a' }, 409, 'number_assigned'],
    ['number_not_verified', { phoneNumber: '+15551234567' }, 422, 'number_not_verified'],
    ['idempotency_mismatch', {}, 422, 'idempotency_mismatch'],
    ['idempotency_in_flight', {}, 409, 'idempotency_in_flight'],
    ['invalid_cursor', {}, 400, 'validation_failed'],
    ['attempt_exists', {}, 500, 'internal_error'],
  ] as const)("translates the store's %s", async (cause, details, status, code) => {
    const agents = { list: () => Promise.reject(new StoreError(cause, 'x', details)) };
    const reply = await send(appWith({ agents }), 'GET', '/phone');
    expect([reply.status, reply.body['code']]).toEqual([status, code]);
  });
});

describe('the routes without a key', () => {
  it('have one spelling each, so that nobody fills the metrics with others', async () => {
    const deps = appWith({});
    expect((await send(deps, 'GET', '/HEALTH')).status).toBe(404);
    expect((await send({ ...deps, registry: new Registry() }, 'GET', '/health/')).status).toBe(404);
    expect(await deps.registry.metrics()).not.toContain('HEALTH');
  });
});

describe('a key', () => {
  it('is remembered as used once a minute at most, and its failure there concerns nobody', async () => {
    let touched = 0;
    let nowMs = 0;
    const apiKeys = {
      admit: () => Promise.resolve(admitted),
      touch: () => {
        touched += 1;
        return touched === 1 ? Promise.reject(new Error('away')) : Promise.resolve();
      },
    };
    const logger = createLogger({ name: 'api', level: 'silent' });
    const authenticator = new KeyAuthenticator(storeOf({ apiKeys }), logger, { ...RATES, nowMs: () => nowMs });
    await authenticator.authenticate(KEY, '192.0.2.1');
    await new Promise((resolve) => setImmediate(resolve));
    for (let n = 0; n < 3; n += 1) await authenticator.authenticate(KEY, '192.0.2.1');
    expect(touched).toBe(2);
    nowMs = 60_000;
    await authenticator.authenticate(KEY, '192.0.2.1');
    expect(touched).toBe(3);
  });

  it('that could not be looked up counts for nobody as unknown', async () => {
    let away = true;
    const apiKeys = {
      admit: () => (away ? Promise.reject(new Error('away')) : Promise.resolve(admitted)),
      touch: () => Promise.resolve(),
    };
    const authenticator = new KeyAuthenticator(storeOf({ apiKeys }), createLogger({ name: 'api', level: 'silent' }), {
      ...RATES,
      nowMs: () => 0,
    });
    for (let n = 0; n < 3_100; n += 1) {
      await expect(authenticator.authenticate(KEY, '192.0.2.1')).rejects.toThrow('away');
    }
    away = false;
    expect(await authenticator.authenticate(KEY, '192.0.2.1')).toBeDefined();
  });

  it('that nobody uses is looked up so often and no more, without keeping out those in use', async () => {
    let asked = 0;
    let nowMs = 0;
    const apiKeys = {
      admit: (key: string) => {
        asked += 1;
        return Promise.resolve(key === KEY ? admitted : null);
      },
      touch: () => Promise.resolve(),
    };
    const logger = createLogger({ name: 'api', level: 'silent' });
    const authenticator = new KeyAuthenticator(storeOf({ apiKeys }), logger, { ...RATES, nowMs: () => nowMs });
    await authenticator.authenticate(KEY, '192.0.2.1');
    const addresses = ['192.0.2.1', '2001:db8::1', '2001:db8:0:0:ffff::2'];
    const guesses = Array.from({ length: 12_000 }, (_, n) =>
      authenticator.authenticate(`guess-${n}`, addresses[n % 3]!),
    );
    const refused = (await Promise.allSettled(guesses)).filter(({ status }) => status === 'rejected');
    // One of IPv4, and the two addresses of one /64.
    expect(refused).toHaveLength(12_000 - 2 * 3_000);
    expect(refused[0]).toMatchObject({
      reason: { status: 429, code: 'rate_limited', options: { headers: { 'RateLimit-Remaining': '0' } } },
    });
    expect(asked).toBe(1 + 2 * 3_000);
    expect(await authenticator.authenticate(KEY, '192.0.2.1')).toBeDefined();
    expect(await authenticator.authenticate('guess', '192.0.2.2')).toBeUndefined();
    nowMs = 1000;
    expect(await authenticator.authenticate('guess', '192.0.2.1')).toBeUndefined();
  });
});
