import type { OutboundTrunkProfile } from '../../../../contract/directory';
import { systemClock } from '../../../../media/clock';
import { Registration } from '../../../../media/sip/registration/registration';
import { pingTrunk } from '../../../../media/trunk/ping';
import { SipRequest } from '../../../../media/sip/message/message';
import { Caller } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';
import { TRUNK } from '../../../fakes/fake-directory';
import { DeafListener } from '../../../support/deaf-listener';
import { freePort } from '../../../support/free-ports';
import { headerOf } from '../../../support/phone/sip-text';
import { Registrar } from '../../../support/registrar';
import type { RegistrarOptions } from '../../../support/registrar';

const CREDENTIALS = { username: 'pbx-7', password: 'a secret' };

let endpoint: TestEndpoint;
let registrar: Registrar;
const registrations: Registration[] = [];

beforeEach(async () => {
  endpoint = await TestEndpoint.start();
});

afterEach(async () => {
  await Promise.all(registrations.splice(0).map((registration) => registration.stop({ unregister: false })));
  registrar?.close();
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
});

function trunkTo(port: number, changes: Partial<OutboundTrunkProfile> = {}): OutboundTrunkProfile {
  return { ...TRUNK, ...CREDENTIALS, host: '127.0.0.1', port, register: true, ...changes };
}

async function register(
  options: RegistrarOptions = {},
  changes: Partial<OutboundTrunkProfile> = {},
): Promise<Registration> {
  registrar = await Registrar.open(options);
  const registration = new Registration({
    trunk: trunkTo(registrar.port, { transport: options.transport ?? 'udp', ...changes }),
    before: null,
    outOfDialog: endpoint.server.outOfDialog,
    lines: endpoint.server.lines,
    clock: systemClock,
    random: Math.random,
    mayAct: () => true,
    onChange: () => undefined,
  });
  registrations.push(registration);
  registration.start(0);
  return registration;
}

const bound = (): string => [...registrar.bindings.keys()][0] ?? '';

describe('registering with a carrier over the wire', () => {
  it.each([
    ['udp', 'MD5'],
    ['udp', 'SHA-256'],
    ['tcp', 'MD5'],
    ['tcp', 'SHA-256'],
  ] as const)('answers its challenge: %s, %s', async (transport, algorithm) => {
    const registration = await register({ transport, algorithm, credentials: CREDENTIALS, grantedSeconds: 120 });
    await until(() => registration.current.state === 'registered');
    expect(registrar.of('REGISTER')).toHaveLength(2);
    expect(bound()).toMatch(new RegExp(`^sip:pbx-7@127\\.0\\.0\\.1:${endpoint.port};`));
    expect(bound().includes(';transport=tcp')).toBe(transport === 'tcp');
    const leftMs = registration.current.expiresAtMs! - Date.now();
    expect(leftMs).toBeGreaterThan(110_000);
    expect(leftMs).toBeLessThanOrEqual(120_000);
  });

  it('is refreshed under one Call-ID, also with a nonce that has become stale, and taken back', async () => {
    const registration = await register({ credentials: CREDENTIALS });
    await until(() => registration.current.state === 'registered');
    registrar.forgetNonce();
    registration.refresh();
    await until(() => registrar.of('REGISTER').length === 4);
    await until(() => registration.current.state === 'registered');
    const seen = registrar.of('REGISTER').map(({ message }) => message);
    expect(new Set(seen.map((message) => headerOf(message, 'call-id'))).size).toBe(1);
    expect(seen.map((message) => headerOf(message, 'cseq'))).toEqual(['1', '2', '3', '4'].map((n) => `${n} REGISTER`));
    expect(registrar.bindings.size).toBe(1);
    await registration.stop({ unregister: true });
    expect(registrar.bindings.size).toBe(0);
  });

  it('leaves what others have registered for the same user', async () => {
    const registration = await register();
    registrar.bindings.set('sip:pbx-7@192.0.2.55:5060', 3_600);
    await until(() => registration.current.state === 'registered');
    await registration.stop({ unregister: true });
    expect([...registrar.bindings.keys()]).toEqual(['sip:pbx-7@192.0.2.55:5060']);
  });

  it('asks for longer where the carrier wants that', async () => {
    const registration = await register({ minimumSeconds: 1_800 });
    await until(() => registration.current.state === 'registered');
    expect([...registrar.bindings.values()]).toEqual([1_800]);
  });

  it('tells a wrong password from everything else', async () => {
    const registration = await register({ credentials: { ...CREDENTIALS, password: 'another' } });
    await until(() => registration.current.state === 'refused');
    expect(registration.current).toMatchObject({ lastStatus: 401, expiresAtMs: null });
    expect(registrar.of('REGISTER')).toHaveLength(2);
  });

  it('tells that nobody listens', async () => {
    const registration = await register({}, { port: await freePort() });
    await until(() => registration.current.state === 'failed');
    expect(registration.current.lastError).toBe('connection refused');
  });

  it('registers anew when the connection breaks', async () => {
    const registration = await register({ transport: 'tcp' });
    await until(() => registration.current.state === 'registered');
    const { port } = registrar;
    registrar.close();
    registrar = await Registrar.open({ transport: 'tcp', port });
    await until(() => registrar.bindings.size === 1, 10_000);
  });
});

describe('a call that comes over a registration', () => {
  async function registered(): Promise<void> {
    const registration = await register({ credentials: CREDENTIALS });
    await until(() => registration.current.state === 'registered');
  }

  /** An INVITE of the registrar's own socket. */
  function invite(uri: string, more: readonly string[] = []): string {
    const callId = `over-${Math.random()}`;
    const lines = [
      `INVITE ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${registrar.port};branch=z9hG4bK${callId}`,
      'From: <sip:+15557654321@carrier.test>;tag=1',
      'To: <sip:+15551234567@carrier.test>',
      `Call-ID: ${callId}`,
      'CSeq: 1 INVITE',
      `Contact: <sip:carrier@127.0.0.1:${registrar.port}>`,
      ...more,
      'Content-Length: 0',
    ];
    registrar.send(`${lines.join('\r\n')}\r\n\r\n`, { address: '127.0.0.1', port: endpoint.port });
    return callId;
  }

  it('is taken without credentials of ours, for the number that was dialled', async () => {
    await registered();
    invite(bound());
    await until(() => endpoint.calls.length === 1);
    const [call] = endpoint.calls;
    expect(call?.dialog.invite).toMatchObject({
      requestUser: '+15551234567',
      caller: { user: '+15557654321' },
      identity: { trunkId: TRUNK.id, orgId: TRUNK.orgId },
    });
    call?.dialog.reject(486);
    invite(bound(), ['P-Called-Party-ID: <sip:+15550001111@carrier.test>']);
    await until(() => endpoint.calls.length === 2);
    expect(endpoint.calls[1]?.dialog.invite.requestUser).toBe('+15550001111');
    endpoint.calls[1]?.dialog.reject(486);
    invite(bound().replace('pbx-7@', '+15559990000@'));
    await until(() => endpoint.calls.length === 3);
    expect(endpoint.calls[2]?.dialog.invite.requestUser).toBe('+15559990000');
    endpoint.calls[2]?.dialog.reject(486);
  });

  it('is challenged where it is not to that Contact', async () => {
    await registered();
    invite(bound().replace(/;line=.*$/, ''));
    invite(bound().replace(/;line=.*$/, `;line=${'0'.repeat(32)}`));
    await until(() => registrar.answers.filter(({ status }) => status === 401).length === 2);
    expect(endpoint.calls).toEqual([]);
  });

  it('is challenged where it comes from somewhere else', async () => {
    await registered();
    const stranger = await SipPeer.udp(endpoint.port, '127.0.0.2');
    const caller = new Caller(stranger, endpoint.port);
    stranger.send(caller.invite().replace(/^INVITE \S+/, `INVITE ${bound()}`));
    expect((await stranger.response(401)).status).toBe(401);
    expect(endpoint.calls).toEqual([]);
  });

  it('is challenged when the registration has been taken back', async () => {
    await registered();
    const contact = bound();
    await registrations[0]!.stop({ unregister: true });
    invite(contact);
    await until(() => registrar.answers.some(({ status }) => status === 401));
    expect(endpoint.calls).toEqual([]);
  });
});

describe('a ping over the wire', () => {
  const ping = (port: number, changes: Partial<OutboundTrunkProfile> = {}): ReturnType<typeof pingTrunk> =>
    pingTrunk(endpoint.server.outOfDialog, trunkTo(port, changes), { watched: true });

  it.each(['udp', 'tcp'] as const)('has its answer, and no credentials: %s', async (transport) => {
    registrar = await Registrar.open({ transport });
    registrar.answer = () => ({ status: 407, headers: [['Proxy-Authenticate', 'Digest realm="x", nonce="y"']] });
    expect(await ping(registrar.port, { transport })).toMatchObject({ kind: 'good', reasons: [] });
    const [options] = registrar.of('OPTIONS');
    expect(registrar.requests).toHaveLength(1);
    expect(headerOf(options!.message, 'authorization') + headerOf(options!.message, 'proxy-authorization')).toBe('');
    expect(headerOf(options!.message, 'via')).toContain(
      `SIP/2.0/${transport.toUpperCase()} 127.0.0.1:${endpoint.port}`,
    );
  });

  it('goes to the gateways, where calls go, and not to the host', async () => {
    registrar = await Registrar.open();
    registrar.answer = () => ({ status: 200 });
    const gateway = { host: '127.0.0.1', transport: 'udp', priority: 0, weight: 1 } as const;
    const [closed, port] = [await freePort(), registrar.port];
    expect(await ping(closed, { gateways: [{ ...gateway, port }] })).toMatchObject({ kind: 'good', reasons: [] });
    const both = [
      { ...gateway, port },
      { ...gateway, port: closed },
    ];
    const verdict = await ping(closed, { gateways: both });
    expect([verdict.kind, verdict.reasons.map(({ code }) => code)]).toEqual(['impaired', ['connection_refused']]);
  });

  it('is repeated until it is heard', async () => {
    registrar = await Registrar.open();
    let left = 3;
    registrar.answer = () => (--left > 0 ? 'silent' : { status: 200 });
    expect(await ping(registrar.port)).toMatchObject({ kind: 'good' });
    expect(left).toBe(0);
    expect(registrar.requests).toHaveLength(1);
  }, 10_000);

  it('waits for more than a provisional answer', async () => {
    registrar = await Registrar.open();
    let left = 2;
    registrar.answer = () => (--left > 0 ? { status: 100 } : { status: 404 });
    expect(await ping(registrar.port)).toMatchObject({ kind: 'good' });
  }, 10_000);

  it('that nobody answers is told from one that nobody listens to', async () => {
    registrar = await Registrar.open();
    registrar.answer = () => 'silent';
    const deaf = await DeafListener.start();
    const closed = await freePort();
    try {
      const pings = [
        ping(registrar.port),
        ping(closed),
        ping(closed, { transport: 'tcp' }),
        ping(deaf.port, { transport: 'tcp' }),
      ];
      const verdicts = await Promise.all(pings);
      expect(verdicts.map(({ kind }) => kind)).toEqual(Array(4).fill('bad'));
      expect(verdicts.map(({ reasons }) => reasons[0]?.code)).toEqual([
        'no_answer',
        'connection_refused',
        'connection_refused',
        'connection_timed_out',
      ]);
    } finally {
      await deaf.stop();
    }
  }, 20_000);

  it('is answered by a node of ours as by any', async () => {
    const other = await TestEndpoint.start();
    try {
      expect(await ping(other.port)).toMatchObject({ kind: 'good' });
      other.available = false;
      expect(await ping(other.port)).toMatchObject({ kind: 'impaired', retryAfterSeconds: 3 });
    } finally {
      await other.server.close();
    }
  });

  it('belongs to no dialog: answers that nobody asked for are dropped', async () => {
    const peer = await SipPeer.udp(0);
    const waiting = ping(peer.port);
    const options = await peer.request('OPTIONS');
    expect(options).toBeInstanceOf(SipRequest);
    const lines = ['SIP/2.0 200 OK', `Via: ${options.first('via')!.replace(/branch=[^;]+/, 'branch=z9hG4bKother')}`];
    peer.send(`${[...lines, 'CSeq: 1 OPTIONS', 'Content-Length: 0'].join('\r\n')}\r\n\r\n`);
    await until(() => (endpoint.rejected.unroutable_response ?? 0) > 0);
    const right = ['SIP/2.0 200 OK', `Via: ${options.first('via')}`, 'CSeq: 1 OPTIONS', 'Content-Length: 0'];
    peer.send(`${right.join('\r\n')}\r\n\r\n`);
    expect(await waiting).toMatchObject({ kind: 'good' });
  });
});
