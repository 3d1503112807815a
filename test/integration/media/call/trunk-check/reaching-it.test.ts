/** The check of an outbound trunk that cannot be reached, or not where it is said to be: each thing that can be wrong, one test. */
import { DeafListener } from '../../../../support/deaf-listener';
import { freePort } from '../../../../support/free-ports';
import { challenging } from './challenging-carrier';
import { CREDENTIALS, NOTHING_BEYOND_DNS, NUMBER, TrunkCheckBench } from './trunk-check-bench';

const bench = TrunkCheckBench.forEachTest();

describe('the name of the host', () => {
  it('does not exist', async () => {
    bench.trunk = { ...bench.trunk, host: 'nobody.test' };
    const { ok, outline, step } = await bench.check(NUMBER);
    expect([ok, outline]).toEqual([false, NOTHING_BEYOND_DNS]);
    expect(step('dns').cause).toMatch(/know no address/);
    expect(step('test_call').detail).toMatch(/^Not placed/);
  });

  it('is asked of a name server that does not answer', async () => {
    bench.nameServer.planAll('slow.test', 'silent');
    bench.trunk = { ...bench.trunk, host: 'slow.test' };
    const { ok, outline, step } = await bench.check();
    expect([ok, outline]).toEqual([false, NOTHING_BEYOND_DNS]);
    expect(step('dns').cause).toMatch(/name server .* does not answer/);
    expect(step('dns').durationMs).toBeGreaterThan(1_000);
  });

  it('has records that a call would follow, and the step shows them', async () => {
    const phone = await bench.carrier();
    bench.nameServer.plan('_sip._udp.carrier.test', 'SRV', {
      records: [{ srv: [10, 5, phone.port, 'sbc.carrier.test'] }],
    });
    bench.nameServer.plan('sbc.carrier.test', 'A', { records: [{ a: '127.0.0.1' }] });
    bench.trunk = { ...bench.trunk, host: 'carrier.test', port: null, transport: 'udp' };
    const { ok, step } = await bench.check();
    expect(ok).toBe(true);
    expect(step('dns').detail).toContain(`SRV _sip._udp.carrier.test 10 5 ${phone.port} sbc.carrier.test`);
    expect(step('dns').detail).toContain(`127.0.0.1:${phone.port}/udp`);
  });

  it('leads to private addresses where none may be: which ones is not told', async () => {
    await bench.node.close();
    bench.allowPrivateTargets = false;
    await bench.startNode();
    bench.nameServer.plan('inside.test', 'A', { records: [{ a: '10.11.12.13' }] });
    bench.trunk = { ...bench.trunk, host: 'inside.test' };
    const { outline, step } = await bench.check();
    expect(outline).toBe(NOTHING_BEYOND_DNS);
    expect(step('dns').remedy).toContain('ALLOW_PRIVATE_TARGETS');
    expect(JSON.stringify(step('dns'))).not.toContain('10.11.12.13');
  });
});

describe('the gateways', () => {
  const gateway = { host: '127.0.0.1', port: 5060, transport: 'udp', priority: 0, weight: 1 } as const;

  it('are what is checked, as calls go there and not to the host', async () => {
    const phone = await bench.carrier({ options: challenging(CREDENTIALS) });
    bench.trunk = { ...bench.trunk, host: 'nobody.test', gateways: [{ ...gateway, port: phone.port }] };
    const { ok, outline, step } = await bench.check(NUMBER);
    expect(outline).toMatch(/^dns:true transport:true options:true authentication:true .* test_call:true$/);
    expect(ok).toBe(true);
    expect(step('dns').detail).not.toContain('nobody.test');
  });

  it('are tried in turn, and one without an address is named', async () => {
    const phone = await bench.carrier();
    const names = ['nobody.test', 'closed.test', 'carrier.test'];
    for (const name of names.slice(1)) bench.nameServer.plan(name, 'A', { records: [{ a: '127.0.0.1' }] });
    const ports = [5060, await freePort(), phone.port];
    bench.trunk = {
      ...bench.trunk,
      gateways: names.map((host, i) => ({ ...gateway, host, port: ports[i]!, priority: i })),
    };
    const { ok, step } = await bench.check();
    expect(ok).toBe(true);
    expect(step('dns').detail).toContain('nobody.test: no address');
    expect(step('transport').detail).toContain(`127.0.0.1:${ports[1]}/udp was of no use (connection refused)`);
  });

  it('without any address leave nothing to check', async () => {
    await bench.carrier();
    bench.trunk = { ...bench.trunk, gateways: ['nobody.test', 'none.test'].map((host) => ({ ...gateway, host })) };
    const { ok, outline, step } = await bench.check(NUMBER);
    expect([ok, outline]).toEqual([false, NOTHING_BEYOND_DNS]);
    expect(step('dns').detail).toContain('nobody.test');
  });
});

describe('the transport', () => {
  it.each(['udp', 'tcp'] as const)('finds the port closed over %s', async (transport) => {
    bench.trunk = { ...bench.trunk, port: await freePort(), transport };
    const { ok, outline, step } = await bench.check(NUMBER);
    expect(ok).toBe(false);
    expect(outline).toMatch(/^dns:true transport:false options:null authentication:null .* test_call:null$/);
    expect(step('transport').detail).toContain('connection refused');
    expect(step('transport').cause).toContain('nothing listens');
  });

  it('finds a host that takes no connection', async () => {
    const deaf = await DeafListener.start();
    try {
      bench.trunk = { ...bench.trunk, port: deaf.port, transport: 'tcp' };
      const { ok, step } = await bench.check();
      expect(ok).toBe(false);
      expect(step('transport').detail).toContain('connection timed out');
      expect(step('transport').cause).toMatch(/^Nobody answers/);
    } finally {
      await deaf.stop();
    }
  });

  it('does not know of a silent host over UDP before it was called', async () => {
    await bench.silentHost();
    const { ok, outline, step } = await bench.check();
    expect(ok).toBeNull();
    expect(outline).toMatch(/^dns:true transport:null options:null authentication:null/);
    expect(step('transport').remedy).toContain('test_number');
  });

  it('knows it once a call was as silent', async () => {
    await bench.silentHost();
    const { ok, outline, step, call } = await bench.check(NUMBER);
    expect(ok).toBe(false);
    expect(outline).toMatch(/^dns:true transport:false options:null authentication:null .* test_call:false$/);
    expect(step('transport').cause).toMatch(/^Nobody answers/);
    expect(call).toMatchObject({ disposition: 'trunk_unreachable', finalStatus: null, to: NUMBER });
  });
});

describe('OPTIONS', () => {
  it.each([404, 405, 501])('answered with %d is no failure', async (status) => {
    await bench.carrier({ options: () => ({ status, reason: 'Whatever' }) });
    const { ok, outline, step } = await bench.check();
    expect(ok).toBe(true);
    expect(outline).toMatch(/^dns:true transport:true options:true authentication:null/);
    expect(step('options').detail).toContain(`${status} Whatever`);
    expect(step('authentication').detail).toContain('give test_number');
  });

  it('not answered is no failure where calls are', async () => {
    await bench.carrier({ options: () => null });
    const { ok, outline, step } = await bench.check(NUMBER);
    expect(ok).toBe(true);
    expect(outline).toMatch(/^dns:true transport:true options:null .* test_call:true$/);
    expect(step('options').detail).toContain('not a failure by itself');
  });
});
