/** The simulated carrier against the test phone: what it notes of a campaign can be counted on. */
import { SimulatedCarrier } from '../../support/campaign/carrier';
import type { CarrierCall } from '../../support/campaign/carrier';
import type { CarrierMix } from '../../support/campaign/carrier-mix';
import { CallRefused } from '../../support/phone/dialling';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import { rms } from '../../support/tones';

const RULES = { seed: 7, ringMs: [20, 60], talkMs: [1_000, 1_200] } as const;
const media = new PhoneMedia();
const opened: { readonly phone: Phone; readonly carrier: SimulatedCarrier }[] = [];

afterEach(async () => {
  for (const { phone, carrier } of opened.splice(0)) {
    phone.close();
    await carrier.stop();
  }
});

afterAll(() => media.close());

async function pair(mix: CarrierMix): Promise<{ readonly phone: Phone; readonly carrier: SimulatedCarrier }> {
  const carrier = await SimulatedCarrier.start({ ...RULES, mix, retryAfterSeconds: 3 });
  const server = { address: '127.0.0.1', port: carrier.port };
  const pairOf = { carrier, phone: await Phone.open({ media, server, user: '+15550001' }) };
  opened.push(pairOf);
  return pairOf;
}

const refusal = (phone: Phone, number: string): Promise<CallRefused> =>
  phone.call(number).then(
    () => Promise.reject(new Error('it was answered')),
    (error: unknown) => (error instanceof CallRefused ? error : Promise.reject(error as Error)),
  );

it.each([
  ['busy', 486],
  ['declined', 603],
  ['blocked', 607],
  ['rejected', 608],
  ['congested', 503],
] as const)('%s is %i, noted once with its time and its numbers', async (outcome, status) => {
  const { phone, carrier } = await pair({ [outcome]: 1 });
  const beforeMs = Date.now();
  const refused = await refusal(phone, '+15551000001');
  expect(refused.status).toBe(status);
  if (outcome === 'congested') expect(refused.response?.headers).toContainEqual(['retry-after', '3']);
  const [call, ...others] = await carrier.log();
  expect(others).toEqual([]);
  expect(call).toMatchObject({
    number: '+15551000001',
    fromNumber: '+15550001',
    outcome,
    transactions: 1,
    cancelledAtMs: null,
    over: false,
  });
  expect(call!.atMs).toBeGreaterThanOrEqual(beforeMs - 5);
  expect(call!.atMs).toBeLessThan(Date.now() + 5);
});

it('whoever answers hangs up after a while; a machine speaks first', async () => {
  const { phone, carrier } = await pair({ voicemail: 1 });
  const call = await phone.call('+15551000002');
  expect(await call.ended).toMatchObject({ by: 'them' });
  expect(rms((await call.recording()).pcm)).toBeGreaterThan(500);
  await expect(until(carrier, ([noted]) => noted?.over === true)).resolves.toMatchObject([{ outcome: 'voicemail' }]);
});

it('one that is not answered rings until its CANCEL, which is noted', async () => {
  const { phone, carrier } = await pair({ no_answer: 1 });
  const dialling = await phone.dial('+15551000003');
  const refused = dialling.answered.catch((error: unknown) => error);
  await dialling.ringing;
  expect((await carrier.log())[0]!.cancelledAtMs).toBeNull();
  dialling.cancel();
  expect(await refused).toMatchObject({ status: 487 });
  const [call] = await carrier.log();
  expect(call!.cancelledAtMs).toBeGreaterThan(call!.atMs);
});

async function until(
  carrier: SimulatedCarrier,
  is: (log: readonly CarrierCall[]) => boolean,
): Promise<readonly CarrierCall[]> {
  for (;;) {
    const log = await carrier.log();
    if (is(log)) return log;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
