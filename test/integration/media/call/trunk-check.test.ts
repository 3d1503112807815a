/** The check of an outbound trunk against real peers: each thing that can be wrong with it, one test. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';

import type { OutboundTrunkProfile } from '../../../../contract/directory';
import type { CheckStep, KeptRegistration, OutboundTrunkReport } from '../../../../contract/trunk-check';
import { createBenchDirectory, createEchoAgent } from '../../../../media-node/bench-mode';
import { systemClock } from '../../../../media/clock';
import { MediaService } from '../../../../media/media-service';
import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import { SipServer } from '../../../../media/sip/sip-server';
import { TRUNK } from '../../../fakes/fake-directory';
import { FakeCapacity } from '../../../fakes/fake-capacity';
import { NO_OBSERVER } from '../../../fakes/no-observer';
import { RecordingEvents } from '../../../fakes/recording-events';
import { DeafListener } from '../../../support/deaf-listener';
import { freePort, rtpPortRange } from '../../../support/free-ports';
import { TestNameServer } from '../../../support/name-server';
import { PhoneMedia } from '../../../support/phone/media';
import type { OptionsAnswer, PhoneOptions } from '../../../support/phone/options';
import { Phone } from '../../../support/phone/phone';
import { checkDigest, headerOf } from '../../../support/phone/sip-text';
import type { SipText } from '../../../support/phone/sip-text';
import { Registrar } from '../../../support/registrar';
import type { RegistrarOptions } from '../../../support/registrar';
import { sine } from '../../../support/tones';

const CREDENTIALS = { username: 'carrier-user', password: 'a-password-that-nobody-sees' };
const NUMBER = '+15557654321';

let media: PhoneMedia;
let rtp: ThreadedRtpEngine;
let nameServer: TestNameServer;
let node: MediaService;
let trunk: OutboundTrunkProfile;
let allowPrivateTargets = true;
let sipPort: number;
const phones: Phone[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  media = new PhoneMedia();
  const { min, max } = rtpPortRange();
  rtp = new ThreadedRtpEngine({ portMin: min, portMax: max });
  await rtp.start();
});

afterAll(async () => {
  await rtp.close();
  await media.close();
});

async function startNode(): Promise<void> {
  sipPort = await freePort();
  node = new MediaService({
    nodeId: 'node-1',
    bootId: 'boot-1',
    maxCalls: 10,
    clock: systemClock,
    events: new RecordingEvents(),
    directory: {
      ...createBenchDirectory(),
      outboundTrunk: (id) => (id === trunk.id ? trunk : undefined),
      inboundTrunk: (username) =>
        username === CREDENTIALS.username
          ? { ...CREDENTIALS, id: 'trunk-in', orgId: 'org-1', phoneNumbers: [], mediaTimeoutSeconds: 30 }
          : undefined,
    },
    rtp,
    createAgent: createEchoAgent,
    capacity: new FakeCapacity(),
    observer: NO_OBSERVER,
    logger: pino({ level: 'silent' }),
    createEndpoint: (delegate) =>
      new SipServer({
        delegate,
        listen: [{ host: '127.0.0.1', port: sipPort }],
        nonceKey: Buffer.alloc(32, 1),
        nameServers: [nameServer.address],
        allowPrivateTargets,
      }),
  });
  await node.open();
}

beforeEach(async () => {
  allowPrivateTargets = true;
  nameServer = await TestNameServer.start();
  trunk = { ...TRUNK, ...CREDENTIALS, host: '127.0.0.1' };
  await startNode();
});

afterEach(async () => {
  for (const phone of phones.splice(0)) phone.close();
  for (const socket of sockets.splice(0)) socket.close();
  expect(node.calls.size).toBe(0);
  expect(rtp.sessionCount).toBe(0);
  await node.close();
  nameServer.close();
});

async function carrier(options: Partial<PhoneOptions> = {}): Promise<Phone> {
  const answer = (): { status: number } => ({ status: 200 });
  const phone = await Phone.open({ media, answer, ...options });
  phones.push(phone);
  trunk = { ...trunk, port: phone.port, transport: options.transport ?? 'udp' };
  return phone;
}

/** A host that takes every packet and says nothing. */
async function silentHost(): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  sockets.push(socket);
  trunk = { ...trunk, port: socket.address().port };
}

interface Checked {
  readonly ok: OutboundTrunkReport['ok'];
  readonly call: OutboundTrunkReport['call'];
  readonly step: (name: string) => CheckStep;
  /** Step by step: `dns:true transport:false options:null` … */
  readonly outline: string;
}

async function check(
  testNumber: string | null = null,
  keptRegistration: KeptRegistration | null = null,
): Promise<Checked> {
  const sipCallId = `check-${Math.random()}`;
  const asked = { orgId: trunk.orgId, trunkId: trunk.id, testNumber, sipCallId, keptRegistration };
  const report = await node.control.checkOutboundTrunk(asked);
  if (report === null) throw new Error('the trunk is unknown');
  expect(JSON.stringify(report)).not.toContain(trunk.password);
  for (const { ok, cause, remedy, detail } of report.steps) {
    expect(detail).not.toBe('');
    if (ok === false) expect([typeof cause, typeof remedy]).toEqual(['string', 'string']);
  }
  return {
    ok: report.ok,
    call: report.call,
    step: (name) => report.steps.find(({ step }) => step === name)!,
    outline: report.steps.map(({ step, ok }) => `${step}:${ok}`).join(' '),
  };
}

/** A carrier that wants credentials for OPTIONS. */
function challenging(known: { username: string; password: string }, unknownUserStatus = 401) {
  const nonce = 'one-nonce';
  return (request: SipText): OptionsAnswer => {
    const authorization = headerOf(request, 'authorization');
    const challenge = `Digest realm="carrier.test", nonce="${nonce}", algorithm=MD5, qop="auth"`;
    const unauthorized: OptionsAnswer = {
      status: 401,
      reason: 'Unauthorized',
      headers: [['WWW-Authenticate', challenge]],
    };
    if (authorization === '') return unauthorized;
    if (checkDigest(authorization, known, 'OPTIONS', nonce)) return { status: 200, reason: 'OK' };
    const stranger = !authorization.includes(`username="${known.username}"`);
    return stranger && unknownUserStatus !== 401 ? { status: unknownUserStatus, reason: 'Forbidden' } : unauthorized;
  };
}

const NOTHING_BEYOND_DNS =
  'dns:false transport:null options:null authentication:null codecs:null sdp_address:null test_call:null';

describe('the name of the host', () => {
  it('does not exist', async () => {
    trunk = { ...trunk, host: 'nobody.test' };
    const { ok, outline, step } = await check(NUMBER);
    expect([ok, outline]).toEqual([false, NOTHING_BEYOND_DNS]);
    expect(step('dns').cause).toMatch(/know no address/);
    expect(step('test_call').detail).toMatch(/^Not placed/);
  });

  it('is asked of a name server that does not answer', async () => {
    nameServer.planAll('slow.test', 'silent');
    trunk = { ...trunk, host: 'slow.test' };
    const { ok, outline, step } = await check();
    expect([ok, outline]).toEqual([false, NOTHING_BEYOND_DNS]);
    expect(step('dns').cause).toMatch(/name server .* does not answer/);
    expect(step('dns').durationMs).toBeGreaterThan(1_000);
  });

  it('has records that a call would follow, and the step shows them', async () => {
    const phone = await carrier();
    nameServer.plan('_sip._udp.carrier.test', 'SRV', { records: [{ srv: [10, 5, phone.port, 'sbc.carrier.test'] }] });
    nameServer.plan('sbc.carrier.test', 'A', { records: [{ a: '127.0.0.1' }] });
    trunk = { ...trunk, host: 'carrier.test', port: null, transport: 'udp' };
    const { ok, step } = await check();
    expect(ok).toBe(true);
    expect(step('dns').detail).toContain(`SRV _sip._udp.carrier.test 10 5 ${phone.port} sbc.carrier.test`);
    expect(step('dns').detail).toContain(`127.0.0.1:${phone.port}/udp`);
  });

  it('leads to private addresses where none may be: which ones is not told', async () => {
    await node.close();
    allowPrivateTargets = false;
    await startNode();
    nameServer.plan('inside.test', 'A', { records: [{ a: '10.11.12.13' }] });
    trunk = { ...trunk, host: 'inside.test' };
    const { outline, step } = await check();
    expect(outline).toBe(NOTHING_BEYOND_DNS);
    expect(step('dns').remedy).toContain('ALLOW_PRIVATE_TARGETS');
    expect(JSON.stringify(step('dns'))).not.toContain('10.11.12.13');
  });
});

describe('the gateways', () => {
  const gateway = { host: '127.0.0.1', port: 5060, transport: 'udp', priority: 0, weight: 1 } as const;

  it('are what is checked, as calls go there and not to the host', async () => {
    const phone = await carrier({ options: challenging(CREDENTIALS) });
    trunk = { ...trunk, host: 'nobody.test', gateways: [{ ...gateway, port: phone.port }] };
    const { ok, outline, step } = await check(NUMBER);
    expect(outline).toMatch(/^dns:true transport:true options:true authentication:true .* test_call:true$/);
    expect(ok).toBe(true);
    expect(step('dns').detail).not.toContain('nobody.test');
  });

  it('are tried in turn, and one without an address is named', async () => {
    const phone = await carrier();
    const names = ['nobody.test', 'closed.test', 'carrier.test'];
    for (const name of names.slice(1)) nameServer.plan(name, 'A', { records: [{ a: '127.0.0.1' }] });
    const ports = [5060, await freePort(), phone.port];
    trunk = { ...trunk, gateways: names.map((host, i) => ({ ...gateway, host, port: ports[i]!, priority: i })) };
    const { ok, step } = await check();
    expect(ok).toBe(true);
    expect(step('dns').detail).toContain('nobody.test: no address');
    expect(step('transport').detail).toContain(`127.0.0.1:${ports[1]}/udp was of no use (connection refused)`);
  });

  it('without any address leave nothing to check', async () => {
    await carrier();
    trunk = { ...trunk, gateways: ['nobody.test', 'none.test'].map((host) => ({ ...gateway, host })) };
    const { ok, outline, step } = await check(NUMBER);
    expect([ok, outline]).toEqual([false, NOTHING_BEYOND_DNS]);
    expect(step('dns').detail).toContain('nobody.test');
  });
});

describe('the transport', () => {
  it.each(['udp', 'tcp'] as const)('finds the port closed over %s', async (transport) => {
    trunk = { ...trunk, port: await freePort(), transport };
    const { ok, outline, step } = await check(NUMBER);
    expect(ok).toBe(false);
    expect(outline).toMatch(/^dns:true transport:false options:null authentication:null .* test_call:null$/);
    expect(step('transport').detail).toContain('connection refused');
    expect(step('transport').cause).toContain('nothing listens');
  });

  it('finds a host that takes no connection', async () => {
    const deaf = await DeafListener.start();
    try {
      trunk = { ...trunk, port: deaf.port, transport: 'tcp' };
      const { ok, step } = await check();
      expect(ok).toBe(false);
      expect(step('transport').detail).toContain('connection timed out');
      expect(step('transport').cause).toMatch(/^Nobody answers/);
    } finally {
      await deaf.stop();
    }
  });

  it('does not know of a silent host over UDP before it was called', async () => {
    await silentHost();
    const { ok, outline, step } = await check();
    expect(ok).toBeNull();
    expect(outline).toMatch(/^dns:true transport:null options:null authentication:null/);
    expect(step('transport').remedy).toContain('test_number');
  });

  it('knows it once a call was as silent', async () => {
    await silentHost();
    const { ok, outline, step, call } = await check(NUMBER);
    expect(ok).toBe(false);
    expect(outline).toMatch(/^dns:true transport:false options:null authentication:null .* test_call:false$/);
    expect(step('transport').cause).toMatch(/^Nobody answers/);
    expect(call).toMatchObject({ disposition: 'trunk_unreachable', finalStatus: null, to: NUMBER });
  });
});

describe('OPTIONS', () => {
  it.each([404, 405, 501])('answered with %d is no failure', async (status) => {
    await carrier({ options: () => ({ status, reason: 'Whatever' }) });
    const { ok, outline, step } = await check();
    expect(ok).toBe(true);
    expect(outline).toMatch(/^dns:true transport:true options:true authentication:null/);
    expect(step('options').detail).toContain(`${status} Whatever`);
    expect(step('authentication').detail).toContain('give test_number');
  });

  it('not answered is no failure where calls are', async () => {
    await carrier({ options: () => null });
    const { ok, outline, step } = await check(NUMBER);
    expect(ok).toBe(true);
    expect(outline).toMatch(/^dns:true transport:true options:null .* test_call:true$/);
    expect(step('options').detail).toContain('not a failure by itself');
  });
});

describe('the credentials', () => {
  it('are taken', async () => {
    await carrier({ options: challenging(CREDENTIALS) });
    const { ok, step } = await check();
    expect([ok, step('authentication').ok]).toEqual([true, true]);
    expect(step('authentication').detail).toContain('challenged with 401');
  });

  it('have a wrong password: the carrier asks again, and nobody is called', async () => {
    const phone = await carrier({ options: challenging({ ...CREDENTIALS, password: 'another' }, 403) });
    const { ok, step } = await check(NUMBER);
    expect([ok, step('authentication').ok]).toEqual([false, false]);
    expect(step('authentication').cause).toContain('password is wrong');
    expect(step('test_call').detail).toContain('refused the credentials');
    expect(phone.invites).toEqual([]);
  });

  it('have a user name that the carrier does not know', async () => {
    await carrier({ options: challenging({ ...CREDENTIALS, username: 'somebody-else' }, 403) });
    const { ok, step } = await check();
    expect([ok, step('authentication').ok]).toEqual([false, false]);
    expect(step('authentication').cause).toContain('user name');
    expect(step('authentication').detail).toContain('403');
  });

  it.each([
    ['password', { ...CREDENTIALS, password: 'another' }, '407', 'password is wrong'],
    ['user name', { ...CREDENTIALS, username: 'somebody-else' }, '403', 'a user name that it does not know'],
  ])('of a carrier that asks for calls alone have a wrong %s', async (_, challenge, status, cause) => {
    const phone = await carrier({ challenge, unknownUserStatus: 403 });
    const { ok, step, call } = await check(NUMBER);
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
    trunk = { ...trunk, register: true, port: registrar.port, transport: options.transport ?? 'udp' };
    return await check(null, KEPT);
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
    trunk = { ...trunk, register: true, port: registrar.port };
    const { ok, step } = await check(NUMBER, KEPT);
    expect([ok, step('registration').ok]).toEqual([false, false]);
    expect(step('registration').cause).toContain('password is wrong');
    expect(step('test_call').detail).toContain('refused the credentials');
    expect(registrar.of('INVITE')).toEqual([]);
  });

  it('tells that the carrier is there where OPTIONS has no answer', async () => {
    registrar = await Registrar.open();
    registrar.answer = ({ method }) => (method === 'OPTIONS' ? 'silent' : null);
    trunk = { ...trunk, register: true, port: registrar.port };
    const { ok, outline } = await check(null, { nodeId: null, registration: null });
    expect(ok).toBe(true);
    expect(outline).toMatch(/^dns:true transport:true options:null authentication:null registration:null /);
  });
});

describe('the media', () => {
  const G729 = (sdp: string): string =>
    sdp
      .replace(/^(m=audio \d+ RTP\/AVP) .*$/m, '$1 18')
      .replaceAll(/^a=(?:rtpmap|fmtp):.*\r\n/gm, '')
      .replace('a=ptime', 'a=rtpmap:18 G729/8000\r\na=ptime');
  const OPTIONS_SDP = (address: string, formats: string): string =>
    `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio 0 RTP/AVP ${formats}\r\n`;

  it('have no codec in common, says the refusal of the call', async () => {
    await carrier({ answer: () => ({ status: 488, reason: 'Not Acceptable Here' }) });
    const { ok, step, call } = await check(NUMBER);
    expect([ok, step('codecs').ok]).toEqual([false, false]);
    expect(step('codecs').detail).toContain('488');
    expect(step('codecs').remedy).toContain('G.711');
    expect(call).toMatchObject({ disposition: 'media_incompatible' });
  });

  it('have no codec in common, says the SDP of its answer', async () => {
    await carrier({ sdpText: G729 });
    const { ok, step } = await check(NUMBER);
    expect([ok, step('codecs').ok, step('test_call').ok]).toEqual([false, false, false]);
    expect(step('codecs').detail).toContain('G729');
  });

  it('are told by the answer to OPTIONS where it has an SDP', async () => {
    const body = OPTIONS_SDP('127.0.0.1', '18 8');
    await carrier({ options: () => ({ status: 200, reason: 'OK', body }) });
    const good = await check();
    expect([good.ok, good.step('codecs').ok, good.step('sdp_address').ok]).toEqual([true, true, true]);
    expect(good.step('codecs').detail).toContain('PCMA');
    await carrier({ options: () => ({ status: 200, reason: 'OK', body: OPTIONS_SDP('192.168.77.5', '18') }) });
    const bad = await check();
    expect([bad.ok, bad.step('codecs').ok, bad.step('sdp_address').ok]).toEqual([false, false, false]);
  });

  it('go to a private address that the SDP names', async () => {
    await carrier({ sdpText: (sdp) => sdp.replace(/^c=.*$/m, 'c=IN IP4 10.20.30.40') });
    const { ok, step } = await check(NUMBER);
    expect([ok, step('sdp_address').ok]).toEqual([false, false]);
    expect(step('sdp_address').detail).toContain('10.20.30.40 (private)');
    expect(step('sdp_address').cause).toContain('NAT');
  });

  it('go one way', async () => {
    await carrier({ sendsAudio: false });
    const { ok, step, call } = await check(NUMBER);
    expect([ok, step('test_call').ok]).toEqual([false, false]);
    expect(step('test_call').detail).toContain('one-way audio');
    expect(step('test_call').remedy).toContain('RTP_PORT_MIN');
    expect(call).toMatchObject({ disposition: 'answered', endReason: 'api_hangup', finalStatus: 200 });
  });

  it('come from another host than the SDP names', async () => {
    await carrier({ mediaAddress: '127.0.0.2' });
    const { ok, step } = await check(NUMBER);
    expect([ok, step('test_call').ok]).toEqual([false, false]);
    expect(step('test_call').detail).toContain('another address');
  });
});

describe('the test call', () => {
  it.each(['udp', 'tcp'] as const)('over %s hears both ways, says a tone, and is hung up', async (transport) => {
    const phone = await carrier({ transport, challenge: CREDENTIALS });
    const calling = phone.nextCall();
    const checking = check(NUMBER);
    const call = await calling;
    void call.play(sine(600, 8_000));
    const { ok, outline, step, call: record } = await checking;
    expect(ok).toBe(true);
    expect(outline).toBe(
      'dns:true transport:true options:true authentication:true codecs:true sdp_address:true test_call:true',
    );
    expect(step('authentication').detail).toContain('challenged with 407');
    expect(step('test_call').detail).toMatch(/audio both ways.*with sound in them/);
    expect(await call.ended).toMatchObject({ by: 'them' });
    const heard = await call.recording();
    expect(heard.packets).toBeGreaterThan(100);
    expect(record).toMatchObject({ disposition: 'answered', endedBy: 'api', from: trunk.callerNumber, to: NUMBER });
    expect(record!.endedAtMs).toBeGreaterThanOrEqual(record!.answeredAtMs!);
    expect(phone.invites.map(({ user }) => user)).toEqual([NUMBER, NUMBER]);
  });

  it('says of a callee who is busy neither that the trunk works nor that it does not', async () => {
    await carrier({ answer: () => ({ status: 486, reason: 'Busy Here', ringMs: 50 }) });
    const { ok, step, call } = await check(NUMBER);
    expect([ok, step('test_call').ok]).toEqual([true, null]);
    expect(step('test_call').detail).toContain('486');
    expect(call).toMatchObject({ disposition: 'busy', answeredAtMs: null });
  });

  it('rings some seconds, and is cancelled', async () => {
    const phone = await carrier({ answer: () => ({ ring: 'forever' }) });
    const startedMs = performance.now();
    const { step, call } = await check(NUMBER);
    expect(performance.now() - startedMs).toBeLessThan(23_000);
    expect(step('test_call').ok).toBeNull();
    expect(call).toMatchObject({ disposition: 'no_answer' });
    expect(phone.cancelled).toHaveLength(1);
  }, 40_000);

  it('is hung up when its trunk is deleted', async () => {
    const phone = await carrier();
    const checking = check(NUMBER);
    const call = await phone.nextCall();
    while ((await call.recording()).packets === 0) await sleep(10);
    node.control.trunkRevoked(trunk.id);
    expect((await checking).call).toMatchObject({ disposition: 'answered', endReason: 'api_hangup' });
    expect(await call.ended).toMatchObject({ by: 'them' });
  });

  it('is not placed by a node that takes no more calls', async () => {
    const phone = await carrier();
    void node.calls.drain();
    const { ok, step, call } = await check(NUMBER);
    expect([ok, step('test_call').ok, call]).toEqual([true, null, null]);
    expect(step('test_call').detail).toContain('node_draining');
    expect(phone.invites).toEqual([]);
  });
});

describe('an inbound trunk', () => {
  const asked = (): { trunkId: string; username: string; sipEndpoint: string } => ({
    trunkId: 'trunk-in',
    username: CREDENTIALS.username,
    sipEndpoint: `127.0.0.1:${sipPort}`,
  });

  async function caller(options: Partial<PhoneOptions>): Promise<Phone> {
    const phone = await Phone.open({ media, server: { address: '127.0.0.1', port: sipPort }, ...options });
    phones.push(phone);
    return phone;
  }

  it('is known, its endpoint answers, and a port can be opened', async () => {
    expect(await node.control.checkInboundTrunk(asked())).toMatchObject({
      knowsTrunk: true,
      unavailable: null,
      endpoint: { addresses: ['127.0.0.1'], status: 200, ours: true, error: null },
      attempts: [],
      mediaPort: { port: expect.any(Number), error: null },
    });
    expect(await node.control.checkInboundTrunk({ ...asked(), trunkId: 'another' })).toMatchObject({
      knowsTrunk: false,
    });
  });

  it('whose endpoint is another server, or nobody, is told apart', async () => {
    const phone = await carrier();
    const elsewhere = { ...asked(), sipEndpoint: `127.0.0.1:${phone.port}` };
    expect((await node.control.checkInboundTrunk(elsewhere)).endpoint).toMatchObject({ status: 200, ours: false });
    const closed = { ...asked(), sipEndpoint: `127.0.0.1:${await freePort()}` };
    const refused = { status: null, error: 'connection refused' };
    expect((await node.control.checkInboundTrunk(closed)).endpoint).toMatchObject(refused);
    const nameless = { ...asked(), sipEndpoint: 'nobody.test' };
    expect((await node.control.checkInboundTrunk(nameless)).endpoint).toMatchObject({ addresses: [], status: null });
  });

  it('remembers who tried in vain, and why', async () => {
    const stranger = await caller({ credentials: { ...CREDENTIALS, password: 'wrong' } });
    await expect(stranger.call('123')).rejects.toThrow();
    const foreign = await caller({ credentials: CREDENTIALS, sdpText: (sdp) => sdp.replaceAll('RTP/AVP', 'RTP/SAVP') });
    await expect(foreign.call('123')).rejects.toThrow();
    const good = await caller({ credentials: CREDENTIALS });
    const call = await good.call('123');
    await call.hangup();
    const { attempts } = await node.control.checkInboundTrunk(asked());
    expect(attempts.map(({ status, why, source }) => [status, why, source])).toEqual([
      [200, 'answered', '127.0.0.1'],
      [488, 'sdp_transport', '127.0.0.1'],
      [403, 'wrong_password', '127.0.0.1'],
    ]);
    await untilIdle();
  });

  /** The echo agent's call is over when its media is. */
  async function untilIdle(): Promise<void> {
    for (let n = 0; n < 200 && (node.calls.size > 0 || rtp.sessionCount > 0); n++) {
      await sleep(10);
    }
  }
});
