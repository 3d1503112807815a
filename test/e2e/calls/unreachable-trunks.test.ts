/** Trunks that cannot be reached, and what they cost the calls of others: nothing. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

import { DeafListener } from '../../support/deaf-listener';
import { freePort } from '../../support/free-ports';
import { TestNameServer } from '../../support/name-server';
import { newNumber, OutboundCalls } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { Stack } from '../../support/stack';

interface StoredCall extends CallRecord {
  readonly sip: CallRecord['sip'] & { readonly reason: string | null };
}

describe('trunks that cannot be reached', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  let nameServer: TestNameServer;
  let deaf: DeafListener;
  let carrier: Socket;
  /** When each number's INVITE came. */
  const invites = new Map<string, number>();

  beforeAll(async () => {
    nameServer = await TestNameServer.start();
    deaf = await DeafListener.start();
    carrier = createSocket('udp4');
    await new Promise<void>((resolve) => carrier.bind(0, '127.0.0.1', resolve));
    carrier.on('message', (bytes, from) => {
      const request = bytes.toString('latin1');
      const number = /^INVITE sip:([^@]+)@/.exec(request)?.[1];
      if (number === undefined) return;
      if (!invites.has(number)) invites.set(number, performance.now());
      const headers = request.split('\r\n').filter((line) => /^(via|from|call-id|cseq):/i.test(line));
      const to = `${/^to:.*$/im.exec(request)![0].trimEnd()};tag=busy`;
      carrier.send(
        ['SIP/2.0 486 Busy Here', ...headers, to, 'Content-Length: 0', '', ''].join('\r\n'),
        from.port,
        from.address,
      );
    });
    nameServer.planAll('dead.test', 'silent');
    nameServer.plan('good.test', 'A', { records: [{ a: '127.0.0.1' }] });
    nameServer.plan('_sip._udp.portless.test', 'SRV', {
      records: [{ srv: [0, 0, carrier.address().port, 'good.test'] }],
    });
    stack = await Stack.start({ env: { DNS_SERVERS: nameServer.address } });
    calls = await OutboundCalls.create(stack);
  }, 120_000);

  afterAll(async () => {
    await stack?.stop();
    carrier?.close();
    await deaf?.stop();
    nameServer?.close();
  }, 60_000);

  async function timedDial(trunkId: string): Promise<number> {
    const number = newNumber();
    const startedMs = performance.now();
    const call = await calls.place(trunkId, number);
    expect(await calls.ended(call.id)).toMatchObject({ disposition: 'busy' });
    return invites.get(number)! - startedMs;
  }

  async function unreachable(callId: string, limitMs: number): Promise<{ call: StoredCall; types: string[] }> {
    const call = (await calls.ended(callId, limitMs)) as StoredCall;
    expect(call).toMatchObject({
      disposition: 'trunk_unreachable',
      end_reason: null,
      ended_by: 'system',
      truncated: false,
      sip: { final_status: null },
    });
    return { call, types: (await calls.events(callId)).map(({ type }) => type) };
  }

  it('leave the dials of another as fast as they are alone', async () => {
    const good = await calls.trunkTo(carrier.address().port, { host: 'good.test' });
    const alone: number[] = [];
    for (let n = 0; n < 5; n++) alone.push(await timedDial(good));
    const dead = await calls.trunkTo(5060, { host: 'dead.test' });
    const silent = await calls.trunkTo(deaf.port, { transport: 'tcp' });
    const doomed = await Promise.all(
      Array.from({ length: 16 }, (_, n) => calls.place(n % 2 === 0 ? dead : silent, newNumber())),
    );
    const beside: number[] = [];
    for (let n = 0; n < 5; n++) beside.push(await timedDial(good));
    expect(Math.min(...beside)).toBeLessThan(Math.max(...alone) + 100);
    expect(Math.max(...beside)).toBeLessThan(Math.max(...alone) + 700);
    const reasons = new Set<string | null>();
    for (const { id } of doomed) {
      const { call, types } = await unreachable(id, 10_000);
      reasons.add(call.sip.reason);
      expect(types).toContain('target_unreachable');
      expect(types).not.toContain('dial_sent');
    }
    expect(reasons).toEqual(new Set(['connection timed out', 'dead.test: name server does not answer']));
  }, 120_000);

  it('that refuse the connection are tried once, and the record says why', async () => {
    const port = await freePort();
    const trunk = await calls.trunkTo(port, { transport: 'tcp' });
    const startedMs = performance.now();
    const placed = await calls.place(trunk, newNumber());
    const { call, types } = await unreachable(placed.id, 3_000);
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    expect(call.sip.reason).toBe('connection refused');
    expect(types.filter((type) => type === 'target_unreachable')).toHaveLength(1);
  }, 30_000);

  it('can be hung up while they are waited for', async () => {
    // Another one: that this one does not answer is not known yet.
    const other = await DeafListener.start();
    try {
      const call = await calls.place(await calls.trunkTo(other.port, { transport: 'tcp' }), newNumber());
      expect((await calls.hangup(call.id)).status).toBe(200);
      expect(await calls.ended(call.id, 5_000)).toMatchObject({
        disposition: 'canceled',
        end_reason: 'api_hangup',
        ended_by: 'api',
        truncated: false,
      });
    } finally {
      await other.stop();
    }
  }, 30_000);

  it('are found by SRV where they have no port', async () => {
    const trunk = await calls.trunkTo(5060, { host: 'portless.test', port: null, transport: null });
    const number = newNumber();
    const call = await calls.place(trunk, number);
    expect(await calls.ended(call.id)).toMatchObject({ disposition: 'busy' });
    expect(invites.has(number)).toBe(true);
  }, 30_000);
});
