/** Trunks by name, over a name server of the test's own: real questions and answers, real sockets. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { InviteNotSentError } from '../../../../media/sip/invite';
import type { OutboundInvite } from '../../../../media/sip/invite';
import { OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { recordingDelegate, TestEndpoint } from '../../../fakes/media/sip/test-endpoint';
import { DeafListener } from '../../../support/deaf-listener';
import { freePort } from '../../../support/free-ports';
import { TestNameServer } from '../../../support/name-server';

type Target = OutboundInvite['target'];

let nameServer: TestNameServer;
let endpoint: TestEndpoint;
let carrier: SipPeer;
let events: string[];
let callNumber = 0;

beforeEach(async () => {
  nameServer = await TestNameServer.start();
  endpoint = await TestEndpoint.start({ nameServers: [nameServer.address] });
  carrier = await SipPeer.udp();
  events = [];
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  nameServer.close();
  expect(endpoint.errors).toEqual([]);
  expect(endpoint.server.dialogCount).toBe(0);
});

/** What came of the dial, and after how many ms. Whatever was sent is dropped. */
async function dial(target: Partial<Target>): Promise<{ readonly reason: string | null; readonly ms: number }> {
  callNumber += 1;
  const startedMs = performance.now();
  const outcome = await endpoint.server
    .invite(
      {
        sipCallId: `by-name-${callNumber}`,
        target: { user: '1', host: 'carrier.test', port: carrier.port, transport: 'udp', ...target },
        fromUser: '2',
        credentials: { username: 'bob', password: 'pw' },
        offer: () => OFFER,
      },
      recordingDelegate(events),
    )
    .catch((error: unknown) => error as Error);
  const ms = performance.now() - startedMs;
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(InviteNotSentError);
    return { reason: outcome.message, ms };
  }
  outcome.dispose();
  return { reason: null, ms };
}

/** Without waiting for a deadline, the first of which is 1.5 s; a busy machine may take its time. */
const AT_ONCE_MS = 1_300;

const a = (...addresses: string[]) => ({ records: addresses.map((address) => ({ a: address })) });

describe('the address of a name', () => {
  it('is asked for once while its TTL lasts, and again after it', async () => {
    nameServer.plan('carrier.test', 'A', { ...a('127.0.0.1'), ttl: 1 });
    await Promise.all([dial({}), dial({}), dial({ host: 'CARRIER.test' })]);
    await dial({});
    expect(nameServer.count('carrier.test', 'A')).toBe(1);
    await sleep(1_100);
    expect(await dial({})).toMatchObject({ reason: null });
    expect(nameServer.count('carrier.test', 'A')).toBe(2);
    for (let n = 0; n < 5; n++) await carrier.request('INVITE');
  });

  it('does not exist: at once, and asked for once', async () => {
    for (let n = 0; n < 3; n++) {
      const { reason, ms } = await dial({ host: 'nobody.test' });
      expect(reason).toBe('nobody.test: no such host name');
      expect(ms).toBeLessThan(AT_ONCE_MS);
    }
    expect(nameServer.count('nobody.test', 'A')).toBe(1);
  });

  it('cannot be had from a server that fails', async () => {
    nameServer.planAll('broken.test', 'SERVFAIL');
    const { reason, ms } = await dial({ host: 'broken.test' });
    expect(reason).toBe('broken.test: name server failed');
    expect(ms).toBeLessThan(3_000);
    const asked = nameServer.count('broken.test', 'A');
    expect(await dial({ host: 'broken.test' })).toMatchObject({ reason });
    expect(nameServer.count('broken.test', 'A')).toBe(asked);
  });

  it('keeps nobody waiting but those who asked for it, and them for 1.5 s', async () => {
    nameServer.planAll('dead.test', 'silent');
    nameServer.plan('good.test', 'A', a('127.0.0.1'));
    const dead = Array.from({ length: 50 }, () => dial({ host: 'dead.test' }));
    const firstDead = Promise.race(dead).then(() => 'one of the dead');
    await sleep(100);
    expect(await Promise.race([dial({ host: 'good.test' }), firstDead])).toMatchObject({ reason: null });
    for (const { reason, ms } of await Promise.all(dead)) {
      expect(reason).toBe('dead.test: name server does not answer');
      expect(ms).toBeGreaterThan(1_300);
      expect(ms).toBeLessThan(2_500);
    }
    // One question, repeated.
    expect(nameServer.count('dead.test', 'A')).toBeLessThanOrEqual(3);
  });

  it('of the machine itself needs no name server', async () => {
    nameServer.otherwise = 'silent';
    expect(await dial({ host: 'localhost' })).toMatchObject({ reason: null });
    await carrier.request('INVITE');
    expect(nameServer.asked).toEqual([]);
  });
});

describe('a trunk without a port', () => {
  const servers: Server[] = [];
  const accepted: Socket[] = [];

  afterEach(async () => {
    for (const socket of accepted.splice(0)) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  });

  async function tcpCarrier(): Promise<{ readonly port: number; readonly heard: Promise<string> }> {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const heard = new Promise<string>((resolve) => {
      server.on('connection', (socket) => {
        accepted.push(socket);
        socket.on('error', () => undefined);
        socket.once('data', (bytes) => resolve(bytes.toString('latin1')));
      });
    });
    return { port: (server.address() as AddressInfo).port, heard };
  }

  it('is found by SRV, the host of the next priority when the first cannot be reached', async () => {
    const closed = await freePort();
    nameServer.plan('_sip._udp.carrier.test', 'SRV', {
      records: [{ srv: [20, 0, carrier.port, 'b.carrier.test'] }, { srv: [10, 0, closed, 'a.carrier.test'] }],
    });
    nameServer.plan('a.carrier.test', 'A', a('127.0.0.1'));
    nameServer.plan('b.carrier.test', 'A', a('127.0.0.1'));
    const { sipCallId } = await endpoint.server.invite(
      {
        sipCallId: 'srv-failover',
        target: { user: '1', host: 'carrier.test', port: null, transport: 'udp' },
        fromUser: '2',
        credentials: { username: 'bob', password: 'pw' },
        offer: () => OFFER,
      },
      recordingDelegate(events),
    );
    const invite = await carrier.request('INVITE');
    expect(invite.callId).toBe(sipCallId);
    expect(invite.requestUri).toBe('sip:1@carrier.test');
    expect(events).toEqual([`unreachable 127.0.0.1:${closed}/udp connection refused`]);
    expect(nameServer.asked.map(({ type }) => type)).not.toContain('NAPTR');
  });

  it('and without a transport goes where NAPTR says: here by TCP', async () => {
    const { port, heard } = await tcpCarrier();
    nameServer.plan('carrier.test', 'NAPTR', {
      records: [
        { naptr: [20, 10, 's', 'SIP+D2U', '_sip._udp.carrier.test'] },
        { naptr: [10, 10, 's', 'SIP+D2T', '_sip._tcp.carrier.test'] },
      ],
    });
    nameServer.plan('_sip._udp.carrier.test', 'SRV', { records: [{ srv: [0, 0, carrier.port, 'sbc.carrier.test'] }] });
    nameServer.plan('_sip._tcp.carrier.test', 'SRV', { records: [{ srv: [0, 0, port, 'sbc.carrier.test'] }] });
    nameServer.plan('sbc.carrier.test', 'A', a('127.0.0.1'));
    expect(await dial({ port: null, transport: null })).toMatchObject({ reason: null });
    expect(await heard).toMatch(/^INVITE sip:1@carrier\.test SIP\/2\.0\r\n(?:.*\r\n)*?Via: SIP\/2\.0\/TCP /);
    expect(carrier.received).toEqual([]);
  });

  it('shares its hosts by weight', async () => {
    const other = await SipPeer.udp();
    nameServer.plan('_sip._udp.carrier.test', 'SRV', {
      records: [{ srv: [0, 3, carrier.port, 'sbc.carrier.test'] }, { srv: [0, 1, other.port, 'sbc.carrier.test'] }],
    });
    nameServer.plan('sbc.carrier.test', 'A', a('127.0.0.1'));
    for (let n = 0; n < 60; n++) await dial({ port: null });
    await sleep(50);
    const counts = [carrier.received.length, other.received.length];
    expect(counts[0]! + counts[1]!).toBe(60);
    expect(counts[1]).toBeGreaterThan(2);
    expect(counts[0]).toBeGreaterThan(counts[1]!);
  });
});

describe('a TCP trunk', () => {
  it('whose SYNs are dropped is given up within 3 s by all who wait, on one connection, and then at once', async () => {
    const deaf = await DeafListener.start();
    try {
      nameServer.plan('good.test', 'A', a('127.0.0.1'));
      const target = { host: '127.0.0.1', port: deaf.port, transport: 'tcp' } as const;
      const dead = Array.from({ length: 20 }, () => dial(target));
      const firstDead = Promise.race(dead).then(() => 'one of the dead');
      await sleep(100);
      expect(await Promise.race([dial({ host: 'good.test' }), firstDead])).toMatchObject({ reason: null });
      for (const { reason, ms } of await Promise.all(dead)) {
        expect(reason).toBe('connection timed out');
        expect(ms).toBeLessThan(3_500);
      }
      expect(events).toContain(`unreachable 127.0.0.1:${deaf.port}/tcp connection timed out`);
      const next = await dial(target);
      expect(next.reason).toBe('connection timed out');
      expect(next.ms).toBeLessThan(AT_ONCE_MS);
    } finally {
      await deaf.stop();
    }
  });

  it('that refuses is given up at once', async () => {
    const { reason, ms } = await dial({ host: '127.0.0.1', port: await freePort(), transport: 'tcp' });
    expect(reason).toBe('connection refused');
    expect(ms).toBeLessThan(AT_ONCE_MS);
  });
});
