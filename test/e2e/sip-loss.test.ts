import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber, OutboundCalls } from '../support/outbound';
import { hasSipp, runSipp } from '../support/sipp';
import { SippCarrier } from '../support/sipp-carrier';
import { Stack } from '../support/stack';
import { waitFor } from '../support/wait-for';
import { openUdpRelay } from '../support/udp-relay';
import type { UdpRelay } from '../support/udp-relay';

const DIALED = '+15551234567';
const CALLS = 200;
const describeWithSipp = hasSipp() ? describe : describe.skip;

interface Recorded {
  readonly items: readonly {
    readonly disposition: string | null;
    readonly end_reason: string | null;
    readonly sip: { readonly call_id: string };
  }[];
  readonly next: string | null;
}

describeWithSipp('SIP over a network that loses a tenth of all datagrams each way', () => {
  let stack: Stack;
  let relay: UdpRelay;

  beforeAll(async () => {
    stack = await Stack.start();
    relay = await openUdpRelay({ target: { address: stack.sipHost, port: stack.sipPort }, loss: 0.1, seed: 4_711 });
  }, 90_000);

  afterAll(async () => {
    relay?.close();
    await stack?.stop();
  }, 60_000);

  it(`answers all of ${CALLS} digest calls, and records each once`, async () => {
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: 'Hello!' });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    await runSipp({
      scenario: 'digest-call.xml',
      remotePort: relay.port,
      service: DIALED,
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
      calls: CALLS,
      perSecond: 10,
      pauseMs: 1_000,
      timeoutSeconds: 100,
    });
    expect(relay.counts.lost / (relay.counts.lost + relay.counts.forwarded)).toBeGreaterThan(0.07);
    let recorded: Recorded['items'] = [];
    await waitFor(`${CALLS} records`, 30_000, async () => {
      recorded = await completed();
      return recorded.length >= CALLS ? true : undefined;
    }).catch(async (error: unknown) => {
      const open = await stack.api<{ items: object[] }>('GET', '/phone/calls?limit=100');
      const others = open.body.items.filter((call) => !('status' in call && call.status === 'completed'));
      throw new Error(`${recorded.length} records, and ${JSON.stringify(others)}`, { cause: error });
    });
    expect(recorded).toHaveLength(CALLS);
    expect(new Set(recorded.map(({ sip }) => sip.call_id)).size).toBe(CALLS);
    expect(new Set(recorded.map(({ disposition }) => disposition))).toEqual(new Set(['answered']));
    expect(new Set(recorded.map(({ end_reason }) => end_reason))).toEqual(new Set(['caller_hangup']));
  }, 180_000);

  it('places outbound calls, each dialled once', async () => {
    const calls = await OutboundCalls.create(stack);
    const carrier = await SippCarrier.start({ scenario: 'carrier-hangup.xml', pauseMs: 500 });
    const line = await openUdpRelay({ target: { address: '127.0.0.1', port: carrier.port }, loss: 0.1, seed: 815 });
    try {
      const trunk = await calls.trunkTo(line.port);
      const numbers = Array.from({ length: 20 }, newNumber);
      const placed = await Promise.all(
        numbers.map(async (number, at) => {
          await sleep(at * 200);
          return calls.placeSurely(trunk, number, number);
        }),
      );
      const ended = await Promise.all(placed.map(({ id }) => calls.ended(id, 40_000)));
      expect(line.counts.lost).toBeGreaterThan(0);
      for (const [at, call] of ended.entries()) {
        expect(call).toMatchObject({ disposition: 'answered', end_reason: 'callee_hangup' });
        expect(carrier.callIds(numbers[at] ?? '')).toEqual([call.sip.call_id]);
        expect(carrier.invites(numbers[at] ?? '')).toHaveLength(1);
      }
    } finally {
      line.close();
      await carrier.stop();
    }
  }, 90_000);

  async function completed(): Promise<Recorded['items']> {
    const found: Recorded['items'][number][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await stack.api<Recorded>('GET', `/phone/calls?status=completed&limit=100${query}`);
      found.push(...page.body.items);
      cursor = page.body.next;
    }
    return found;
  }
});
