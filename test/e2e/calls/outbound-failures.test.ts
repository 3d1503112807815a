import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

import { freePort } from '../../support/free-ports';
import { newNumber, OutboundCalls } from '../../support/outbound';
import { hasSipp } from '../../support/sipp';
import { SippCarrier } from '../../support/sipp-carrier';
import { Stack } from '../../support/stack';

const describeWithSipp = hasSipp() ? describe : describe.skip;

const REFUSALS = [
  [486, 'Busy Here', 'busy'],
  [600, 'Busy Everywhere', 'busy'],
  [603, 'Decline', 'rejected'],
  [480, 'Temporarily Unavailable', 'no_answer'],
  [404, 'Not Found', 'invalid_number'],
  [503, 'Service Unavailable', 'congestion'],
  [403, 'Forbidden', 'trunk_denied'],
  [488, 'Not Acceptable Here', 'media_incompatible'],
] as const;

describeWithSipp('outbound calls that nobody answers', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  const carriers: SippCarrier[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
    calls = await OutboundCalls.create(stack);
  }, 90_000);

  afterAll(async () => {
    await Promise.all(carriers.map((carrier) => carrier.stop()));
    for (const socket of sockets) socket.close();
    await stack?.stop();
  }, 60_000);

  async function carrierOf(options: Parameters<typeof SippCarrier.start>[0]): Promise<SippCarrier> {
    const carrier = await SippCarrier.start(options);
    carriers.push(carrier);
    return carrier;
  }

  // These two wait long for nothing: they run beside the others.
  const slow: Partial<Record<'silence' | 'noAnswer', Promise<void>>> = {};

  it.each(REFUSALS)(
    'are refused with %i %s',
    async (status, phrase, disposition) => {
      slow.silence ??= silence();
      slow.noAnswer ??= noAnswer();
      const carrier = await carrierOf({ scenario: 'carrier-final.xml', keys: { status: String(status), phrase } });
      const number = newNumber();
      const call = await calls.place(await calls.trunkTo(carrier.port), number);
      const ended = await calls.ended(call.id);
      expect(ended).toMatchObject({
        disposition,
        end_reason: null,
        ended_by: 'callee',
        answered_at: null,
        truncated: false,
        sip: { final_status: status, reason: phrase },
      });
      expect(carrier.invites(number)).toHaveLength(1);
      expect(carrier.callIds(number)).toEqual([ended.sip.call_id]);
      await carrier.waitForRequest('ACK', number, 1_000);
    },
    30_000,
  );

  it('find a closed port unreachable at once', async () => {
    const call = await calls.place(await calls.trunkTo(await freePort()), newNumber());
    expect(await calls.ended(call.id, 5_000)).toMatchObject({
      disposition: 'trunk_unreachable',
      ended_by: 'system',
      sip: { final_status: null },
    });
  }, 30_000);

  it('find a closed TCP port unreachable at once', async () => {
    const call = await calls.place(await calls.trunkTo(await freePort(), { transport: 'tcp' }), newNumber());
    expect(await calls.ended(call.id, 10_000)).toMatchObject({ disposition: 'trunk_unreachable' });
  }, 30_000);

  it('find a host without an address unreachable, and send nothing', async () => {
    const call = await calls.place(await calls.trunkTo(5060, { host: 'nowhere.invalid' }), newNumber());
    expect(await calls.ended(call.id, 25_000)).toMatchObject({
      disposition: 'trunk_unreachable',
      ended_by: 'system',
      sip: { final_status: null },
    });
  }, 40_000);

  it('are cancelled when the ring timeout passes', async () => {
    await (slow.noAnswer ?? noAnswer());
  }, 60_000);

  it('find a carrier that never says anything unreachable', async () => {
    await (slow.silence ?? silence());
  }, 60_000);

  async function noAnswer(): Promise<void> {
    const carrier = await carrierOf({ scenario: 'carrier-ring.xml' });
    const number = newNumber();
    const startedMs = Date.now();
    const call = await calls.place(await calls.trunkTo(carrier.port), number, { ring_timeout_seconds: 5 });
    const cancel = await carrier.waitForRequest('CANCEL', number, 10_000);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(5_000);
    expect(cancel.branch).toBe(carrier.invites(number)[0]?.branch);
    expect(await calls.ended(call.id)).toMatchObject({
      disposition: 'no_answer',
      end_reason: null,
      ended_by: 'system',
      sip: { final_status: 487 },
    });
    expect(carrier.invites(number)).toHaveLength(1);
  }

  async function silence(): Promise<void> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    const received: string[] = [];
    socket.on('message', (bytes) => received.push(bytes.toString('latin1')));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    // What it hears is the call alone.
    const trunkId = await calls.trunkTo(socket.address().port, { options_ping: false });
    const call = await calls.place(trunkId, newNumber());
    expect(await calls.ended(call.id, 45_000)).toMatchObject({
      disposition: 'trunk_unreachable',
      ended_by: 'system',
      sip: { final_status: null },
    });
    // The same INVITE again and again (RFC 3261 timer A), never another.
    expect(received.length).toBeGreaterThan(1);
    expect(new Set(received).size).toBe(1);
    expect(received[0]).toMatch(/^INVITE /);
  }
});
