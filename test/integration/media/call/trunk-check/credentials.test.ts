/** The check of an outbound trunk whose carrier asks who we are, in calls or for a registration. */
import type { KeptRegistration } from '../../../../../contract/trunk-check';
import { headerOf } from '../../../../support/phone/sip-text';
import { Registrar } from '../../../../support/registrar';
import type { RegistrarOptions } from '../../../../support/registrar';
import { challenging } from './challenging-carrier';
import { CREDENTIALS, NUMBER, TrunkCheckBench } from './trunk-check-bench';
import type { Checked } from './trunk-check-bench';

const bench = TrunkCheckBench.forEachTest();

describe('the credentials', () => {
  it('are taken', async () => {
    await bench.carrier({ options: challenging(CREDENTIALS) });
    const { ok, step } = await bench.check();
    expect([ok, step('authentication').ok]).toEqual([true, true]);
    expect(step('authentication').detail).toContain('challenged with 401');
  });

  it('have a wrong password: the carrier asks again, and nobody is called', async () => {
    const phone = await bench.carrier({ options: challenging({ ...CREDENTIALS, password: 'another' }, 403) });
    const { ok, step } = await bench.check(NUMBER);
    expect([ok, step('authentication').ok]).toEqual([false, false]);
    expect(step('authentication').cause).toContain('password is wrong');
    expect(step('test_call').detail).toContain('refused the credentials');
    expect(phone.invites).toEqual([]);
  });

  it('have a user name that the carrier does not know', async () => {
    await bench.carrier({ options: challenging({ ...CREDENTIALS, username: 'somebody-else' }, 403) });
    const { ok, step } = await bench.check();
    expect([ok, step('authentication').ok]).toEqual([false, false]);
    expect(step('authentication').cause).toContain('user name');
    expect(step('authentication').detail).toContain('403');
  });

  it.each([
    ['password', { ...CREDENTIALS, password: 'another' }, '407', 'password is wrong'],
    ['user name', { ...CREDENTIALS, username: 'somebody-else' }, '403', 'a user name that it does not know'],
  ])('of a carrier that asks for calls alone have a wrong %s', async (_, challenge, status, cause) => {
    const phone = await bench.carrier({ challenge, unknownUserStatus: 403 });
    const { ok, step, call } = await bench.check(NUMBER);
    expect([ok, step('authentication').ok]).toEqual([false, false]);
    expect(step('authentication').detail).toContain(status);
    expect(step('authentication').cause).toContain(cause);
    expect(call).toMatchObject({ disposition: 'trunk_denied', finalStatus: Number(status) });
    // The first, and the one with credentials.
    expect(phone.invites).toHaveLength(2);
  });
});

describe('the registration', () => {
  const KEPT: KeptRegistration = {
    nodeId: 'node-9',
    registration: { state: 'registered', expiresAtMs: 1_800_000_000_000, lastStatus: 200, lastError: null },
  };
  let registrar: Registrar;

  async function checked(options: RegistrarOptions): Promise<Checked> {
    registrar = await Registrar.open(options);
    registrar.bindings.set('sip:carrier-user@192.0.2.55:5060', 3_600);
    bench.trunk = { ...bench.trunk, register: true, port: registrar.port, transport: options.transport ?? 'udp' };
    return await bench.check(null, KEPT);
  }

  afterEach(() => registrar.close());

  it.each(['udp', 'tcp'] as const)('is asked for over %s, and stays as it is', async (transport) => {
    const { ok, outline, step } = await checked({ transport, credentials: CREDENTIALS });
    expect(ok).toBe(true);
    expect(outline).toMatch(/ authentication:null registration:true codecs:null /);
    expect(step('registration').detail).toMatch(/challenged with 401; .* 200 Test\. The carrier knows 1 contact/);
    expect(step('registration').detail).toContain('node-9 looks after it: registered until 2027-');
    expect([...registrar.bindings.keys()]).toEqual(['sip:carrier-user@192.0.2.55:5060']);
    for (const { message } of registrar.of('REGISTER')) {
      expect([headerOf(message, 'contact'), headerOf(message, 'expires')]).toEqual(['', '']);
    }
  });

  it('is refused for a wrong password, and nobody is called with it', async () => {
    registrar = await Registrar.open({ credentials: { ...CREDENTIALS, password: 'another' } });
    bench.trunk = { ...bench.trunk, register: true, port: registrar.port };
    const { ok, step } = await bench.check(NUMBER, KEPT);
    expect([ok, step('registration').ok]).toEqual([false, false]);
    expect(step('registration').cause).toContain('password is wrong');
    expect(step('test_call').detail).toContain('refused the credentials');
    expect(registrar.of('INVITE')).toEqual([]);
  });

  it('tells that the carrier is there where OPTIONS has no answer', async () => {
    registrar = await Registrar.open();
    registrar.answer = ({ method }) => (method === 'OPTIONS' ? 'silent' : null);
    bench.trunk = { ...bench.trunk, register: true, port: registrar.port };
    const { ok, outline } = await bench.check(null, { nodeId: null, registration: null });
    expect(ok).toBe(true);
    expect(outline).toMatch(/^dns:true transport:true options:null authentication:null registration:null /);
  });
});
