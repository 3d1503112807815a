/** What a trunk carries at once and in a second, counted by the carrier. */
import { newNumber, OutboundCalls, TRUNK_PASSWORD, TRUNK_USERNAME } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import type { PhoneOptions } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import { scrapedMetric } from '../../support/scraped-metric';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

interface Waiting extends CallRecord {
  readonly queue: { readonly reason: string; readonly position: number; readonly next_try_at: string | null } | null;
}

describe('the capacity of a trunk', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let calls: OutboundCalls;
  const phones: Phone[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
    media = new PhoneMedia();
    calls = await OutboundCalls.create(stack);
  }, 90_000);

  afterAll(async () => {
    for (const phone of phones) phone.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  const open = async (options: Omit<PhoneOptions, 'media'>): Promise<Phone> => {
    const phone = await Phone.open({ media, ...options });
    phones.push(phone);
    return phone;
  };

  const queueOf = async (call: CallRecord): Promise<Waiting['queue']> => ((await calls.find(call.id)) as Waiting).queue;

  it('one call a second, five asked for in a row: all are placed, in their order, a second apart', async () => {
    const invites: { readonly number: string; readonly atMs: number }[] = [];
    const carrier = await open({
      // One with credentials takes no turn: it follows the one without at once.
      challenge: { username: TRUNK_USERNAME, password: TRUNK_PASSWORD },
      answer: ({ user }) => {
        invites.push({ number: decodeURIComponent(user), atMs: performance.now() });
        return { status: 486, reason: 'Busy Here' };
      },
    });
    const trunk = await calls.trunkTo(carrier.port, { max_calls_per_second: 1 });
    const numbers = Array.from({ length: 5 }, newNumber);
    const placing: Promise<CallRecord>[] = [];
    for (const number of numbers) {
      placing.push(calls.placeSurely(trunk, number, `in-a-row-${number}`));
      // The first may find a node that has not heard of the trunk yet, and comes again.
      await waitFor('the first INVITE', 15_000, () => (invites.length > 0 ? true : undefined));
      // In the ledger: not answered yet, where it waits for its turn on the node.
      await waitFor(`a record of ${number}`, 15_000, async () => {
        const list = `/phone/calls?phone_number=${encodeURIComponent(number)}`;
        return (await stack.api<{ items: CallRecord[] }>('GET', list)).body.items[0];
      });
    }
    const placed = await Promise.all(placing);
    for (const { id } of placed) expect(await calls.ended(id, 20_000)).toMatchObject({ disposition: 'busy' });
    expect(invites.map(({ number }) => number)).toEqual(numbers);
    const gaps = invites.slice(1).map(({ atMs }, n) => atMs - invites[n]!.atMs);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(950);
    expect(carrier.invites).toHaveLength(10);
  }, 60_000);

  it('one call at once: the second waits at position 1, and goes out when the first ends', async () => {
    const carrier = await open({ answer: () => ({ ring: 'forever' }) });
    const trunk = await calls.trunkTo(carrier.port, { max_concurrent_calls: 1 });
    const first = await calls.place(trunk, newNumber());
    await calls.until(first.id, 'ringing');
    const second = await calls.place(trunk, newNumber());
    expect(second.status).toBe('queued');
    expect(await queueOf(second)).toEqual({ reason: 'trunk_concurrency', position: 1, next_try_at: null });
    expect(carrier.invites).toHaveLength(1);
    await calls.hangup(first.id);
    await calls.until(second.id, 'ringing', 5_000);
    expect(carrier.invites).toHaveLength(2);
    expect(await queueOf(second)).toBeNull();
    await calls.hangup(second.id);
    await calls.ended(second.id);
  }, 60_000);

  it('a gateway that fails: the INVITE to the next one takes a turn of its own', async () => {
    const invites: number[] = [];
    const taken = (status: number) => () => {
      invites.push(performance.now());
      return { status, reason: 'No' };
    };
    const [full, free] = [await open({ answer: taken(503) }), await open({ answer: taken(486) })];
    const gateways = [
      { host: '127.0.0.1', port: full.port, priority: 1 },
      { host: '127.0.0.1', port: free.port, priority: 2 },
    ];
    const trunk = await calls.trunkTo(9, { gateways, max_calls_per_second: 1 });
    expect(await calls.ended((await calls.place(trunk, newNumber())).id)).toMatchObject({ disposition: 'busy' });
    expect(invites[1]! - invites[0]!).toBeGreaterThanOrEqual(950);
  }, 60_000);

  it('a call for later: it is listed as scheduled, changed, and goes out within a second of its time', async () => {
    const invites: number[] = [];
    const carrier = await open({
      answer: () => {
        invites.push(Date.now());
        return { status: 486, reason: 'Busy Here' };
      },
    });
    const trunk = await calls.trunkTo(carrier.port);
    const scheduled_at = new Date(Date.now() + 3_600_000).toISOString();
    const call = await calls.place(trunk, newNumber(), { scheduled_at });
    const other = await calls.place(trunk, newNumber(), { scheduled_at });
    expect(call).toMatchObject({ status: 'scheduled', scheduled_at });
    const listed = await stack.api<{ items: { id: string }[] }>('GET', '/phone/calls?status=scheduled');
    expect(listed.body.items.map(({ id }) => id).toSorted()).toEqual([call.id, other.id].toSorted());
    const soonMs = Date.now() + 2_000;
    const changed = { scheduled_at: new Date(soonMs).toISOString() };
    expect((await stack.api('PATCH', `/phone/calls/${call.id}`, changed)).body).toMatchObject(changed);
    expect((await stack.api('POST', `/phone/calls/${other.id}/cancel`)).status).toBe(200);
    expect(await calls.ended(call.id)).toMatchObject({ disposition: 'busy' });
    expect(await calls.ended(other.id)).toMatchObject({ disposition: 'canceled' });
    expect(invites).toHaveLength(1);
    expect(invites[0]! - soonMs).toBeGreaterThanOrEqual(0);
    expect(invites[0]! - soonMs).toBeLessThan(1_000);
  }, 60_000);

  it('a node that is killed: its places are free within 30 s, and who waited is dialled', async () => {
    const carrier = await open({ answer: () => ({ ring: 'forever' }) });
    const trunk = await calls.trunkTo(carrier.port, { max_concurrent_calls: 1 });
    const first = await calls.place(trunk, newNumber());
    await calls.until(first.id, 'ringing');
    const second = await calls.place(trunk, newNumber());
    expect(await queueOf(second)).toMatchObject({ position: 1 });
    await stack.waitForNewPid('media', stack.kill('media'));
    await stack.waitReady();
    await calls.until(second.id, 'ringing', 30_000);
    expect(await calls.ended(first.id)).toMatchObject({ end_reason: 'media_node_lost' });
    await calls.hangup(second.id);
    await calls.ended(second.id);
    await waitFor('no place in use', 15_000, async () =>
      (await scrapedMetric(stack.mediaUrl, 'trunkline_capacity_calls')) === 0 ? true : undefined,
    );
  }, 90_000);
});
