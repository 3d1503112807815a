import { AgentRepository } from '../../../store/repositories/agent-repository';
import { AuditRepository } from '../../../store/repositories/audit-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { IdempotencyRepository } from '../../../store/repositories/idempotency-repository';
import type {
  AnswerOnce,
  CallLease,
  IdempotentRequest,
  SavedAnswer,
} from '../../../store/repositories/idempotency-repository';
import { uuidV7 } from '../../../store/ids';
import { storedAudit } from '../../support/stored-rows';
import { codeOf, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

let store: StoreFixture;
let keys: IdempotencyRepository;
let orgId: string;
beforeAll(async () => {
  store = await openStore();
  keys = new IdempotencyRepository(store.dataSource, store.secrets);
  orgId = await store.newOrg();
});
afterAll(() => store.close());

const request = (fields: Partial<IdempotentRequest> = {}): IdempotentRequest => ({
  orgId,
  route: 'POST /phone',
  key: uuidV7(),
  bodyHash: 'hash',
  ...fields,
});
const answer = { status: 200, body: { id: 'x', auth_password: 'hunter2', list: [1, null] } };
const runOnce = (same: IdempotentRequest, work: () => Promise<SavedAnswer>): Promise<AnswerOnce> =>
  store.dataSource.transaction((manager) => keys.once(manager, same, work));
const age = (key: string, interval: string): Promise<unknown> =>
  store.dataSource.query(
    `UPDATE idempotency_keys SET created_at = created_at - $2::interval, lease_until = lease_until - $2::interval
     WHERE key = $1`,
    [key, interval],
  );

describe('plain creates', () => {
  it('run once and replay the saved answer, which is stored sealed', async () => {
    const same = request();
    let runs = 0;
    const run = (): Promise<unknown> =>
      runOnce(same, async () => {
        runs += 1;
        return answer;
      });
    expect(await run()).toEqual({ ...answer, replayed: false });
    expect(await run()).toEqual({ ...answer, replayed: true });
    expect(runs).toBe(1);
    const rows = await store.dataSource.query('SELECT * FROM idempotency_keys WHERE key = $1', [same.key]);
    expect(JSON.stringify(rows)).not.toContain('hunter2');
  });

  it('refuse another body and take the same key for another route or organisation', async () => {
    const first = request();
    await runOnce(first, async () => answer);
    const repeat = (fields: Partial<IdempotentRequest>): Promise<unknown> =>
      codeOf(runOnce({ ...first, ...fields }, async () => answer));
    expect(await repeat({ bodyHash: 'other' })).toBe('idempotency_mismatch');
    expect(await repeat({ bodyHash: 'other', route: 'POST /phone/numbers' })).toBe('no error');
    expect(await repeat({ bodyHash: 'other', orgId: uuidV7() })).toBe('no error');
  });

  it('answer a request whose key is in flight at once', async () => {
    const same = request();
    let finish = (): void => undefined;
    let begun = (): void => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    const first = runOnce(same, async () => {
      begun();
      await new Promise<void>((resolve) => (finish = resolve));
      return answer;
    });
    await isBegun;
    expect(await codeOf(runOnce(same, async () => answer))).toBe('idempotency_in_flight');
    finish();
    await first;
    expect(await runOnce(same, async () => answer)).toMatchObject({ replayed: true });
  });

  it('keep nothing of work that failed, and the key is free', async () => {
    const same = request();
    const failing = runOnce(same, async () => {
      throw new Error('refused');
    });
    await expect(failing).rejects.toThrow('refused');
    expect(await runOnce({ ...same, bodyHash: 'other' }, async () => answer)).toMatchObject({ replayed: false });
  });

  it('run anew after 24 hours', async () => {
    const same = request();
    await runOnce(same, async () => answer);
    await age(same.key, '24 hours 1 second');
    expect(await runOnce({ ...same, bodyHash: 'other' }, async () => ({ ...answer, status: 201 }))).toMatchObject({
      status: 201,
      replayed: false,
    });
    expect(await runOnce({ ...same, bodyHash: 'other' }, async () => answer)).toMatchObject({ status: 201 });
  });

  it('make the row, the resource and the audit entry in one configuration transaction, or none of them', async () => {
    const config = new ConfigRepository(store.dataSource);
    const agents = new AgentRepository(store.dataSource);
    const org = await store.newOrg();
    const create = (same: IdempotentRequest, fail: boolean): Promise<{ replayed: boolean }> =>
      config.transaction((tx) =>
        keys.once(tx.manager, same, async () => {
          const { id } = await agents.create(tx, org, { name: 'Once' });
          const entry = { action: 'create', resource: 'agent', resourceId: id, before: null, after: { name: 'Once' } };
          await new AuditRepository(tx).add({ orgId: org, keyId: null, requestId: 'r', ...entry });
          if (fail) throw new Error('killed');
          return { status: 200, body: { id } };
        }),
      );
    const same = request({ orgId: org });
    await expect(create(same, true)).rejects.toThrow('killed');
    expect(await agents.list(org)).toEqual([]);
    expect(await storedAudit(store.dataSource, org)).toEqual([]);
    expect((await create(same, false)).replayed).toBe(false);
    expect((await create(same, false)).replayed).toBe(true);
    expect(await agents.list(org)).toHaveLength(1);
    expect(await storedAudit(store.dataSource, org)).toMatchObject([
      { action: 'create', after: { name: 'Once' }, before: null },
    ]);
  });
});

describe('calls', () => {
  const running = (lease: CallLease): Extract<CallLease, { kind: 'run' }> => {
    if (lease.kind !== 'run') throw new Error('not leased');
    return lease;
  };

  it('hold their key for ten seconds, then the same request runs again with the same n', async () => {
    const same = request({ route: 'POST /phone/outbound-call' });
    const first = running(await keys.lease(same));
    expect(first.n).toBe(1);
    expect(await codeOf(keys.lease(same))).toBe('idempotency_in_flight');
    await age(same.key, '9 seconds');
    expect(await codeOf(keys.lease(same))).toBe('idempotency_in_flight');
    expect(await codeOf(keys.lease({ ...same, bodyHash: 'other' }))).toBe('idempotency_mismatch');
    await age(same.key, '2 seconds');
    expect(running(await keys.lease(same)).n).toBe(1);
  });

  it('lease once when many ask at the same time', async () => {
    const same = request();
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(keys.lease(same))));
    expect(codes.filter((code) => code === 'no error')).toHaveLength(1);
    expect(codes.filter((code) => code === 'idempotency_in_flight')).toHaveLength(7);
  });

  it('replay the saved answer with the id of the call', async () => {
    const same = request();
    const callId = uuidV7();
    expect(await keys.complete(same, running(await keys.lease(same)), callId, answer)).toBe(true);
    expect(await keys.lease(same)).toEqual({ kind: 'replay', n: 1, resourceId: callId, answer });
    expect(await codeOf(keys.lease({ ...same, bodyHash: 'other' }))).toBe('idempotency_mismatch');
  });

  it('a request whose lease was taken over does not overwrite the answer', async () => {
    const same = request();
    const slow = running(await keys.lease(same));
    await age(same.key, '11 seconds');
    const fast = running(await keys.lease(same));
    expect(await keys.complete(same, slow, uuidV7(), { status: 503, body: {} })).toBe(false);
    expect(await keys.complete(same, fast, uuidV7(), answer)).toBe(true);
    expect(await keys.lease(same)).toMatchObject({ kind: 'replay', answer: { status: 200 } });
  });

  it('a request that began nothing gives its key back, also for a corrected body', async () => {
    const same = request();
    await keys.release(same, running(await keys.lease(same)));
    const corrected = { ...same, bodyHash: 'corrected' };
    const lease = running(await keys.lease(corrected));
    expect(lease.n).toBe(1);
    await keys.complete(corrected, lease, uuidV7(), answer);
    expect(await codeOf(keys.lease(same))).toBe('idempotency_mismatch');
  });

  it('a request that was cut off keeps its key for its own body', async () => {
    const same = request();
    await keys.lease(same);
    await age(same.key, '1 hour');
    expect(await codeOf(keys.lease({ ...same, bodyHash: 'other' }))).toBe('idempotency_mismatch');
    expect(running(await keys.lease(same)).n).toBe(1);
  });

  it('after 24 hours, or when the call expired undialled, the key begins the next call', async () => {
    const same = request();
    await keys.complete(same, running(await keys.lease(same)), uuidV7(), answer);
    const second = running(await keys.leaseNext(same, 1));
    expect(second.n).toBe(2);
    expect(await codeOf(keys.leaseNext(same, 1))).toBe('idempotency_in_flight');
    await keys.complete(same, second, uuidV7(), answer);
    await age(same.key, '25 hours');
    expect(running(await keys.lease({ ...same, bodyHash: 'other' })).n).toBe(3);
  });

  it('find the next number when the row was lost', async () => {
    expect(running(await keys.leaseNext(request(), 4)).n).toBe(5);
  });
});

describe('old keys', () => {
  it('are removed two days later, without taking a key that is being used', async () => {
    const [old, leased, young] = [request(), request(), request()];
    await runOnce(old, async () => answer);
    await keys.lease(leased);
    await runOnce(young, async () => answer);
    for (const { key } of [old, leased]) await age(key, '49 hours');
    await store.dataSource.query(`UPDATE idempotency_keys SET lease_until = now() + interval '5 s' WHERE key = $1`, [
      leased.key,
    ]);
    expect(await keys.purge()).toBe(1);
    expect(await keys.purge()).toBe(0);
    const left: { key: string }[] = await store.dataSource.query(
      'SELECT key FROM idempotency_keys WHERE key = ANY($1::text[])',
      [[old.key, leased.key, young.key]],
    );
    expect(left.map(({ key }) => key).sort()).toEqual([leased.key, young.key].sort());
  });
});
