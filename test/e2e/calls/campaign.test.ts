/** A campaign from its draft to its end, with a phone as the carrier. */
import { CampaignCalls } from '../../support/campaign-calls';
import { newNumber, OutboundCalls } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import type { Answering } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

describe('a campaign', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let calls: OutboundCalls;
  let campaigns: CampaignCalls;
  const phones: Phone[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
    media = new PhoneMedia();
    calls = await OutboundCalls.create(stack);
    campaigns = new CampaignCalls(stack, calls);
  }, 90_000);

  afterAll(async () => {
    for (const phone of phones) phone.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  async function carrierOf(answer: (number: string) => Answering): Promise<Phone> {
    const phone = await Phone.open({ media, answer: ({ user }) => answer(decodeURIComponent(user)) });
    phones.push(phone);
    return phone;
  }
  const dialled = (carrier: Phone): string[] => carrier.invites.map(({ user }) => decodeURIComponent(user)).sort();

  it('calls each of its contacts once, says what became of them, and is completed', async () => {
    const [answers, busy] = [newNumber(), newNumber()];
    const carrier = await carrierOf((number) => ({ status: number === answers ? 200 : 486 }));
    const id = await campaigns.create(await calls.trunkTo(carrier.port), [answers, busy]);
    expect(await campaigns.act(id, 'start')).toMatchObject({ status: 'running', warnings: [{ path: 'window.legal' }] });
    const call = await carrier.nextCall();
    await call.hangup();
    await campaigns.is(id, 'completed');
    expect(dialled(carrier)).toEqual([answers, busy].sort());
    const contacts = await campaigns.contacts(id);
    expect(contacts.get(answers)).toMatchObject({ state: 'done', result: 'reached', attempts: 1 });
    expect(contacts.get(busy)).toMatchObject({ state: 'done', result: 'exhausted', last_disposition: 'busy' });
    const made = await campaigns.calls(id);
    expect(new Set(made.map(({ to, disposition }) => `${to} ${disposition}`))).toEqual(
      new Set([`${answers} answered`, `${busy} busy`]),
    );
    expect(await campaigns.timeline(id)).toEqual(['started', 'completed']);
  }, 60_000);

  it('paused it dials nobody any more, and resumed it calls nobody twice', async () => {
    const carrier = await carrierOf(() => ({ status: 486 }));
    const numbers = Array.from({ length: 6 }, newNumber);
    const id = await campaigns.create(await calls.trunkTo(carrier.port, { max_calls_per_second: 1 }), numbers);
    await campaigns.act(id, 'start');
    await waitFor('two INVITEs', 30_000, () => (carrier.invites.length >= 2 ? true : undefined));
    expect(await campaigns.act(id, 'pause')).toMatchObject({ status: 'paused', warnings: [{ path: 'window.legal' }] });
    const { length } = carrier.invites;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(carrier.invites).toHaveLength(length);
    expect(length).toBeLessThan(numbers.length);
    await campaigns.act(id, 'resume');
    await campaigns.is(id, 'completed');
    expect(dialled(carrier)).toEqual([...numbers].sort());
    expect(await campaigns.timeline(id)).toEqual(['started', 'paused', 'resumed', 'completed']);
  }, 90_000);

  it('canceled it hangs up the phones that ring, with CANCEL, and is done with all of its contacts', async () => {
    const carrier = await carrierOf(() => ({ ring: 'forever' }));
    const numbers = Array.from({ length: 5 }, newNumber);
    const trunk = await calls.trunkTo(carrier.port, { max_concurrent_calls: 2 });
    const id = await campaigns.create(trunk, numbers);
    await campaigns.act(id, 'start');
    await waitFor('two phones that ring', 30_000, () => (carrier.invites.length >= 2 ? true : undefined));
    await campaigns.act(id, 'cancel');
    await waitFor('their CANCELs', 10_000, () => (carrier.cancelled.length === 2 ? true : undefined));
    await waitFor('the end of all contacts', 20_000, async () => {
      const contacts = [...(await campaigns.contacts(id)).values()];
      return contacts.every(({ state }) => state === 'done') ? true : undefined;
    });
    expect(carrier.invites).toHaveLength(2);
    const results = [...(await campaigns.contacts(id)).values()].map(({ result }) => result);
    expect(new Set(results)).toEqual(new Set(['canceled']));
  }, 90_000);
});
