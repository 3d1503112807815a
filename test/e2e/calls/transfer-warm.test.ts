/** A caller is handed over to somebody who is asked first: who hears what of it, and what is left of each outcome. */
import { setTimeout as sleep } from 'node:timers/promises';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { spokenBy } from '../../support/agent/text-to-speech-contract';
import { newNumber } from '../../support/outbound';
import type { Answering } from '../../support/phone/options';
import type { PhoneCall } from '../../support/phone/phone-call';
import type { Stack } from '../../support/stack';
import { amplitudeAt, rms, sine } from '../../support/tones';
import { waitFor } from '../../support/wait-for';
import { besidesMusic } from '../../support/transfer/held-music';
import {
  AMPLITUDE,
  CALLER_HZ,
  expectTwoWayAudio,
  FAR_HZ,
  hears,
  SAMPLES_PER_MS,
  TransferStack,
} from '../../support/transfer/transfer-stack';

const LOUD = 100;
/** Of a tone that somebody plays: it may begin later on a busy machine. */
const HEARD = 1 / 4;
const BRIEFING = 'There is a caller here who would like to know everything about the warm transfer of telephone calls.';
const AFTER_RINGING: Answering = { status: 200, ringMs: 1_500 };

interface WarmTransfer {
  readonly phone: PhoneCall;
  readonly path: string;
  /** Whom it rings at. */
  readonly number: string;
  readonly id: string;
}

describe('a warm transfer', () => {
  let kit: TransferStack;
  let stack: Stack;

  beforeAll(async () => {
    kit = await TransferStack.start({ agent: { name: 'Ada' }, caller: { user: '+15557654321' } });
    ({ stack } = kit);
  }, 90_000);

  afterAll(async () => {
    await kit?.close();
  }, 60_000);

  /** Of a call that the agent has answered, to a number of its own. */
  async function begin(answer: Answering = AFTER_RINGING, body: object = {}): Promise<WarmTransfer> {
    const { phone, path } = await kit.answered();
    const number = newNumber();
    kit.answers.set(number, answer);
    const given = { type: 'phone', value: number, mode: 'warm', briefing: BRIEFING, ...body };
    return { phone, path, number, id: await kit.transfer(path, given) };
  }

  const invitesOf = ({ number }: WarmTransfer): readonly { readonly sipCallId: string }[] =>
    kit.far.invites.filter(({ user }) => user === number);

  const rings = (transfer: WarmTransfer): Promise<{ readonly sipCallId: string }> =>
    waitFor('the leg to ring', 5_000, () => invitesOf(transfer)[0]);

  const stepsOf = async (path: string): Promise<unknown[]> =>
    (await kit.events(path)).flatMap(({ type, data }) => (type === 'consult' ? [[data['step'], data['by']]] : []));

  /** An event may be read a moment later than what came of it. */
  async function lastStepIs(path: string, last: readonly [string, string | null]): Promise<void> {
    await waitFor(`a consult that ends with ${last.join(' by ')}`, 5_000, async () => {
      const steps = await stepsOf(path);
      return JSON.stringify(steps.at(-1)) === JSON.stringify(last) ? true : undefined;
    });
  }

  /** Somebody has answered, and is being told: a key that is pressed now is heard. */
  async function briefed({ id }: WarmTransfer): Promise<PhoneCall> {
    const there = await kit.callOf(id);
    await waitFor('the briefing', 15_000, async () => (rms(await hears(there, 200)) > LOUD ? true : undefined));
    return there;
  }

  /** Somebody has answered, and has been told and asked. */
  async function asked({ id, path }: WarmTransfer): Promise<PhoneCall> {
    const there = await kit.callOf(id);
    await waitFor('the question', 30_000, async () => {
      const steps = await stepsOf(path);
      return steps.length === 2 ? steps : undefined;
    });
    return there;
  }

  /** The agent says why, and goes on. */
  async function expectBackWithAgent(phone: PhoneCall, path: string): Promise<void> {
    expect((await kit.find(path)).status).toBe('in_progress');
    const { text } = await waitFor('the sentence in the transcript', 15_000, async () =>
      (await kit.turns(path)).find((turn) => turn.text.includes('You are back with me')),
    );
    expect(text).toMatch(/^I am sorry, the person I called cannot take the call right now/);
    expect((await stack.api('POST', `${path}/say`, { text: 'Can I help you otherwise?' })).status).toBe(200);
    await phone.hangup();
    expect(await kit.ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
  }

  // They wait for timers and for sentences to be spoken, each for those of its own call. The longest wait first.
  describe('in which nothing dies', () => {
    it.concurrent(
      'asks once more after 20 s of silence, and takes more of it for a no',
      async () => {
        const transfer = await begin(AFTER_RINGING, { briefing: 'A call.' });
        const { phone, path } = transfer;
        const there = await asked(transfer);
        const askedAt = performance.now();
        await sleep(2_000);
        expect(rms(await hears(there, 10_000))).toBeLessThan(LOUD);
        await waitFor('the question again', 15_000, async () =>
          rms(await hears(there, 500)) > LOUD ? true : undefined,
        );
        // On a busy machine the first question is noticed some seconds late.
        expect(performance.now() - askedAt).toBeGreaterThan(15_000);
        expect(await kit.outcomeOf(path, 40_000)).toMatchObject({ outcome: 'declined', failed_step: 'consult' });
        expect(performance.now() - askedAt).toBeGreaterThan(36_000);
        expect((await there.ended).by).toBe('them');
        await lastStepIs(path, ['declined', 'silence']);
        await expectBackWithAgent(phone, path);
        await kit.untilNoLegIsLeft([phone, there]);
      },
      120_000,
    );

    it.concurrent(
      'joins the caller to whoever accepts by key; until then the caller hears music, and nothing of the briefing',
      async () => {
        const { phone, path, id } = await begin();
        const there = await kit.callOf(id);
        // The briefing is heard there, the caller has music; neither hears the other.
        void phone.play(sine(CALLER_HZ, 4_000 * SAMPLES_PER_MS, AMPLITUDE));
        void there.play(sine(FAR_HZ, 4_000 * SAMPLES_PER_MS, AMPLITUDE));
        await sleep(500);
        const [music, briefing] = await Promise.all([hears(phone, 3_000), hears(there, 3_000)]);
        await there.sendDigits('1');
        expect(await kit.outcomeOf(path)).toMatchObject({
          mode: 'warm',
          outcome: 'transferred',
          sip_status: 200,
          failed_step: null,
          duration_ms: expect.any(Number),
        });
        await expectTwoWayAudio(phone, there, HEARD);
        await lastStepIs(path, ['accepted', 'key']);
        expect((await stepsOf(path))[0]).toEqual(['answered', null]);
        await phone.hangup();
        expect((await there.ended).by).toBe('them');
        expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred' });
        await kit.untilNoLegIsLeft([phone, there]);
        expect(rms(briefing)).toBeGreaterThan(LOUD);
        expect(amplitudeAt(briefing, CALLER_HZ)).toBeLessThan(AMPLITUDE / 20);
        expect(rms(music)).toBeGreaterThan(LOUD);
        expect(await besidesMusic(music)).toBeLessThan(0.05);
        // Which a voice, or the other's tone, in place of it would not be.
        expect(await besidesMusic(briefing)).toBeGreaterThan(0.5);
      },
      60_000,
    );

    it.concurrent(
      'joins the caller to whoever says yes',
      async () => {
        const voice = new FliteTts();
        await voice.start();
        const yes = await spokenBy(voice, 'Yes, I accept.', 'rms');
        await voice.close();
        const transfer = await begin();
        const { phone, path } = transfer;
        const there = await asked(transfer);
        await there.play(yes);
        expect(await kit.outcomeOf(path)).toMatchObject({ outcome: 'transferred' });
        await lastStepIs(path, ['accepted', 'word']);
        await expectTwoWayAudio(phone, there, HEARD);
        await there.hangup();
        expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred' });
        await kit.untilNoLegIsLeft([phone, there]);
      },
      90_000,
    );

    it.concurrent(
      'takes the key by INFO too',
      async () => {
        const transfer = await begin();
        const { phone, path } = transfer;
        const there = await briefed(transfer);
        expect((await there.request('INFO', 'Signal=1\r\nDuration=160\r\n', 'application/dtmf-relay'))?.status).toBe(
          200,
        );
        expect(await kit.outcomeOf(path)).toMatchObject({ outcome: 'transferred' });
        await phone.hangup();
        await kit.untilNoLegIsLeft([phone, there]);
      },
      60_000,
    );

    it.concurrent.each([
      ['presses 2', 'key', (there: PhoneCall) => there.sendDigits('2')],
      ['hangs up', 'hangup', (there: PhoneCall) => there.hangup()],
    ] as const)(
      'brings the caller back to the agent when whoever was called %s',
      async (_, by, decline) => {
        const transfer = await begin();
        const { phone, path } = transfer;
        const there = await briefed(transfer);
        // Hung up, a phone does not come to the end of its key.
        void decline(there);
        expect(await kit.outcomeOf(path)).toMatchObject({
          mode: 'warm',
          outcome: 'declined',
          sip_status: 200,
          failed_step: 'consult',
        });
        expect((await there.ended).by).toBe(by === 'hangup' ? 'us' : 'them');
        await lastStepIs(path, ['declined', by]);
        await expectBackWithAgent(phone, path);
        await kit.untilNoLegIsLeft([phone, there]);
      },
      60_000,
    );

    it.concurrent(
      'fails as a bridge does where nobody answers',
      async () => {
        const { phone, path } = await begin({ status: 486 });
        expect(await kit.outcomeOf(path)).toMatchObject({
          mode: 'warm',
          outcome: 'busy',
          sip_status: 486,
          failed_step: 'dial',
        });
        await phone.hangup();
        await kit.ended(path);
      },
      60_000,
    );

    it.concurrent(
      'of a pair the caller can be held, with music for both, and keys by INFO are pressed for the other',
      async () => {
        const transfer = await begin();
        const { phone, path } = transfer;
        const there = await briefed(transfer);
        await there.sendDigits('1');
        await kit.outcomeOf(path);
        await expectTwoWayAudio(phone, there, HEARD);
        expect((await stack.api('POST', `${path}/hold`)).status).toBe(200);
        expect((await kit.find(path)).status).toBe('held');
        void phone.play(sine(CALLER_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
        void there.play(sine(FAR_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
        await sleep(500);
        const waiting = await Promise.all([hears(phone, 2_000), hears(there, 2_000)]);
        expect((await stack.api('POST', `${path}/unhold`)).status).toBe(200);
        await sleep(1_000);
        await expectTwoWayAudio(phone, there, HEARD);
        const before = (await there.recording()).pressed;
        expect((await phone.request('INFO', 'Signal=7\r\nDuration=160\r\n', 'application/dtmf-relay'))?.status).toBe(
          200,
        );
        await waitFor('the key at the other end', 5_000, async () => {
          const { pressed } = await there.recording();
          return pressed.slice(before.length) === '7' ? pressed : undefined;
        });
        await there.hangup();
        await kit.ended(path);
        await kit.untilNoLegIsLeft([phone, there]);
        for (const heard of waiting) {
          expect(rms(heard)).toBeGreaterThan(LOUD);
          expect(await besidesMusic(heard)).toBeLessThan(0.05);
        }
      },
      60_000,
    );

    // Measured: nothing else goes on meanwhile.
    it.each(['ringing', 'being told'])(
      'lets go of whoever is %s at once when the caller hangs up',
      async (step) => {
        const transfer = await begin(step === 'ringing' ? { ring: 'forever' } : AFTER_RINGING);
        const { phone, path, id } = transfer;
        const invite = await rings(transfer);
        const there = step === 'ringing' ? null : await kit.callOf(id);
        await sleep(500);
        const hungUpAt = performance.now();
        void phone.hangup();
        if (there !== null) await there.ended;
        else {
          await waitFor('the CANCEL', 2_000, () => kit.far.cancelled.includes(invite.sipCallId) || undefined);
        }
        expect(performance.now() - hungUpAt).toBeLessThan(500);
        expect(await kit.ended(path)).toMatchObject({
          end_reason: 'caller_hangup',
          transfer: { outcome: 'call_ended', failed_step: 'consult' },
        });
      },
      60_000,
    );

    it('leaves no leg of any call', () => kit.untilNoLegIsLeft());
  });

  describe('of a product of which something dies', () => {
    /** What a test that failed has left. */
    afterEach(() => kit.hangUpAll());

    it.each(['worker', 'api', 'temporal'] as const)(
      'calls and joins once whom the death of the %s finds ringing, and who was asked by then',
      async (name) => {
        const told = await begin({ status: 200, ringMs: 500 }, { briefing: 'A call.' });
        await asked(told);
        const ringing = await begin({ status: 200, ringMs: 4_000 });
        await rings(ringing);
        const pid = stack.kill(name);
        // Asked, answered and joined whether it is back or not.
        await Promise.all(
          [told, ringing].map(async (transfer) => {
            const there = transfer === told ? await kit.callOf(told.id) : await briefed(transfer);
            await there.sendDigits('1');
            await expectTwoWayAudio(transfer.phone, there, HEARD);
          }),
        );
        await stack.waitForNewPid(name, pid, 30_000);
        await stack.waitReady(30_000);
        await Promise.all(
          [told, ringing].map(async (transfer) => {
            expect(await kit.outcomeOf(transfer.path, 60_000)).toMatchObject({ outcome: 'transferred' });
            expect(invitesOf(transfer)).toHaveLength(1);
            await (await kit.callOf(transfer.id)).hangup();
            expect(await kit.ended(transfer.path)).toMatchObject({ end_reason: 'transferred' });
          }),
        );
        await kit.untilNoLegIsLeft();
      },
      150_000,
    );
  });
});
