/** Somebody listens in on a call: who hears whom by each mode, and what is left of it when any of them goes. */
import { setTimeout as sleep } from 'node:timers/promises';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { spokenBy } from '../../support/agent/text-to-speech-contract';
import { newNumber } from '../../support/outbound';
import { CallRefused } from '../../support/phone/dialling';
import type { Answering } from '../../support/phone/options';
import type { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import type { Stack } from '../../support/stack';
import { amplitudeAt, rms, sine } from '../../support/tones';
import { waitFor } from '../../support/wait-for';
import { DIALED } from '../../support/transfer/matrix-stack';
import { hears, SAMPLES_PER_MS, TransferStack } from '../../support/transfer/transfer-stack';

const CALLER_HZ = 700;
const FAR_HZ = 1_160;
const SUPERVISOR_HZ = 1_700;
const AMPLITUDE = 5_000;
/** 50 ms: whole periods of each tone. */
const WINDOW_SAMPLES = 400;
const TONES = { caller: CALLER_HZ, far: FAR_HZ, supervisor: SUPERVISOR_HZ } as const;

type Party = keyof typeof TONES;
type Room = Partial<Record<Party, PhoneCall>>;

interface Refusal {
  readonly code: string;
  readonly call_status: string;
  readonly sip_status?: number | null;
  readonly outcome?: string;
}

describe('a supervisor', () => {
  let kit: TransferStack;
  let stack: Stack;
  let lead: Phone;
  let voice: FliteTts;
  let answering: Answering;

  beforeAll(async () => {
    voice = new FliteTts();
    [kit] = await Promise.all([TransferStack.start({ agent: { name: 'Support Agent' } }), voice.start()]);
    ({ stack } = kit);
    lead = await kit.openFar({ answer: () => answering });
  }, 90_000);

  afterAll(async () => {
    lead?.close();
    await Promise.all([voice?.close(), kit?.close()]);
  }, 60_000);

  beforeEach(() => {
    answering = { status: 200, ringMs: 300 };
  });
  afterEach(async () => {
    await kit.hangUpAll();
  });

  /** As phones do: once more where a busy server says 503. */
  const called = (): Promise<PhoneCall> =>
    waitFor('an answer', 30_000, () =>
      kit.caller.call(DIALED).catch((error: unknown) => {
        if (error instanceof CallRefused && error.status === 503) return undefined;
        throw error;
      }),
    );

  const answered = () => kit.answered(called);

  const destination = (): string => `sip:lead@127.0.0.1:${lead.port}`;

  /** The status of the answer, and where it is no call its code. */
  async function supervise(path: string, mode: string, more: object = {}): Promise<[number, Refusal]> {
    const body = { destination: destination(), mode, ...more };
    const answer = await stack.api<Refusal>('POST', `${path}/supervise`, body);
    return [answer.status, answer.body];
  }

  async function joined(path: string, mode: string): Promise<PhoneCall> {
    expect((await supervise(path, mode))[0]).toBe(200);
    return lead.nextCall();
  }

  /** What its record has of the supervisor. */
  const told = async (path: string): Promise<unknown[]> =>
    (await kit.events(path))
      .filter(({ type }) => type.startsWith('supervisor_'))
      .map(({ type, data }) => [
        type,
        data['mode'] ?? data['outcome'],
        ...(data['why'] === undefined ? [] : [data['why']]),
      ]);

  async function bridged(path: string): Promise<PhoneCall> {
    await kit.transfer(path, { type: 'phone', value: newNumber(), mode: 'bridge' });
    const there = await kit.far.nextCall();
    await kit.outcomeOf(path);
    return there;
  }

  /**
   * Each plays a tone of its own, and each hears the others as expected and nobody else: a tone as loud as it is played, or
   * nothing of it. Once more where a busy machine has cut them in pieces.
   */
  async function expectHeard(calls: Room, expected: Partial<Record<Party, readonly Party[]>>): Promise<void> {
    for (let tries = 0; ; tries++) {
      const heard = await whoHears(calls);
      if (tries < 4 && JSON.stringify(heard) !== JSON.stringify(expected)) continue;
      expect(heard).toEqual(expected);
      return;
    }
  }

  async function whoHears(calls: Room): Promise<Partial<Record<Party, string[]>>> {
    const parties = Object.entries(calls) as [Party, PhoneCall][];
    const playing = parties.map(([party, call]) => call.play(sine(TONES[party], 2_500 * SAMPLES_PER_MS, AMPLITUDE)));
    await sleep(700);
    const heard = await Promise.all(
      parties.map(async ([party, call]) => {
        const pcm = await hears(call, 1_000);
        const voices = (Object.keys(TONES) as Party[]).flatMap((other) => {
          const best = loudest(pcm, TONES[other]);
          if (best >= AMPLITUDE / 2) return [other];
          const amplitude = amplitudeAt(pcm, TONES[other]);
          return amplitude < AMPLITUDE / 20 ? [] : [`${other} at ${Math.round(amplitude)}`];
        });
        return [party, voices] as const;
      }),
    );
    await Promise.all(playing);
    await sleep(200);
    return Object.fromEntries(heard);
  }

  /** Not a packet less in the caller's stream. */
  async function expectWhole(phone: PhoneCall): Promise<void> {
    const { lost } = await phone.recording();
    expect(lost).toBe(0);
  }

  async function legsLeft(): Promise<void> {
    await kit.untilNoLegIsLeft();
    await waitFor('no supervisor to be left', 5_000, () =>
      Promise.resolve([...lead.calls.values()].every(({ over }) => over) ? true : undefined),
    );
  }

  it('hears the caller and the agent, is heard by whom the mode says, and hangs up without an end of the call', async () => {
    const { phone, path } = await answered();
    const there = await joined(path, 'listen');
    // The agent, before it is kept from answering tones.
    expect((await stack.api('POST', `${path}/say`, { text: 'One moment, I am looking that up for you.' })).status).toBe(
      200,
    );
    const [callerHeard, leadHeard] = await Promise.all([hears(phone, 1_500), hears(there, 1_500)]);
    expect(rms(callerHeard)).toBeGreaterThan(100);
    expect(rms(leadHeard) / rms(callerHeard)).toBeGreaterThan(0.5);
    await stack.api('POST', `${path}/mute`);
    await expectHeard({ caller: phone, supervisor: there }, { caller: [], supervisor: ['caller'] });
    for (const [mode, heardByCaller] of [
      ['whisper', []],
      ['barge', ['supervisor']],
      ['listen', []],
    ] as const) {
      expect((await supervise(path, mode))[0]).toBe(200);
      await expectHeard(
        { caller: phone, supervisor: there },
        {
          caller: heardByCaller,
          supervisor: ['caller'],
        },
      );
    }
    expect(lead.invites).toHaveLength(1);
    await there.hangup();
    await sleep(500);
    expect(phone.over).toBe(false);
    expect(await told(path)).toEqual([
      ['supervisor_joined', 'listen'],
      ['supervisor_mode_changed', 'whisper'],
      ['supervisor_mode_changed', 'barge'],
      ['supervisor_mode_changed', 'listen'],
      ['supervisor_left', 'listen', 'hangup'],
    ]);
    await expectWhole(phone);
    await phone.hangup();
    expect(await kit.ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    await legsLeft();
  }, 90_000);

  it('hears both after a bridge, is heard by whom the mode says, and goes with the caller', async () => {
    const { phone, path } = await answered();
    const there = await bridged(path);
    const supervisor = await joined(path, 'whisper');
    const room = { caller: phone, far: there, supervisor };
    const heard: Party[] = ['caller', 'far'];
    await expectHeard(room, { caller: ['far'], far: ['caller', 'supervisor'], supervisor: heard });
    expect((await supervise(path, 'barge'))[0]).toBe(200);
    await expectHeard(room, {
      caller: ['far', 'supervisor'],
      far: ['caller', 'supervisor'],
      supervisor: heard,
    });
    expect((await supervise(path, 'listen'))[0]).toBe(200);
    await expectHeard(room, { caller: ['far'], far: ['caller'], supervisor: heard });
    await expectWhole(phone);
    await phone.hangup();
    expect((await supervisor.ended).by).toBe('them');
    expect((await there.ended).by).toBe('them');
    expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred' });
    expect((await told(path)).at(-1)).toEqual(['supervisor_left', 'listen', 'call_ended']);
    await legsLeft();
  }, 90_000);

  it('stays through a bridge that is made meanwhile, and is sent away', async () => {
    const { phone, path } = await answered();
    const supervisor = await joined(path, 'listen');
    const there = await bridged(path);
    await expectHeard(
      { caller: phone, far: there, supervisor },
      {
        caller: ['far'],
        far: ['caller'],
        supervisor: ['caller', 'far'],
      },
    );
    expect((await stack.api('DELETE', `${path}/supervise`)).status).toBe(200);
    expect((await supervisor.ended).by).toBe('them');
    const again = await stack.api<Refusal>('DELETE', `${path}/supervise`);
    expect([again.status, again.body.code]).toEqual([409, 'not_supervised']);
    await expectHeard({ caller: phone, far: there }, { caller: ['far'], far: ['caller'] });
    await expectWhole(phone);
    await there.hangup();
    await phone.ended;
    expect((await told(path)).at(-1)).toEqual(['supervisor_left', 'listen', 'sent_away']);
    await legsLeft();
  }, 90_000);

  it('whispers to the agent, which knows it from then on, and the caller hears nothing of it', async () => {
    const { phone, path } = await answered();
    const supervisor = await joined(path, 'whisper');
    const whisper = await speech('Our opening hours are nine to five on weekdays.');
    // A recogniser on a busy machine may be too late.
    await waitFor('the whisper to be understood', 60_000, async () => {
      const whispering = supervisor.play(whisper);
      expect(rms(await hears(phone, 4_000))).toBeLessThan(10);
      await whispering;
      await sleep(3_000);
      return JSON.stringify(await told(path)).includes('["supervisor_whispered","instructed"]') || undefined;
    });
    const question = await speech('Are your opening hours nine to five on weekdays?');
    await waitFor('the answer', 60_000, async () => {
      await phone.play(question);
      await sleep(6_000);
      return (await kit.turns(path)).find(({ speaker, text }) => speaker === 'agent' && /nine to five/i.test(text));
    });
    await expectWhole(phone);
    await phone.hangup();
    expect((await supervisor.ended).by).toBe('them');
    await legsLeft();
  }, 180_000);

  it.each([
    ['is busy', { status: 486 } as Answering, { sip_status: 486, outcome: 'busy' }],
    ['declines', { status: 603 } as Answering, { sip_status: 603, outcome: 'rejected' }],
    ['does not answer', { ring: 'forever' } as Answering, { sip_status: null, outcome: 'no_answer' }],
  ])(
    'that %s is told of, and the call goes on',
    async (_, answer, expected) => {
      const { phone, path } = await answered();
      answering = answer;
      const [status, body] = await supervise(path, 'listen', { ring_timeout_seconds: 5 });
      expect([status, body]).toEqual([
        409,
        expect.objectContaining({ code: 'supervisor_not_reached', call_status: 'in_progress', ...expected }),
      ]);
      expect(await told(path)).toEqual([]);
      answering = { status: 200 };
      const there = await joined(path, 'listen');
      await stack.api('POST', `${path}/mute`);
      await expectHeard({ caller: phone, supervisor: there }, { caller: [], supervisor: ['caller'] });
      await phone.hangup();
      await there.ended;
      await legsLeft();
    },
    90_000,
  );

  it('is cancelled at once when the caller hangs up, and when it is sent away', async () => {
    const { phone, path } = await answered();
    answering = { ring: 'forever' };
    const ringing = async (before: number): Promise<string> =>
      waitFor('the leg to ring', 5_000, () => Promise.resolve(lead.invites[before]?.sipCallId));
    let before = lead.invites.length;
    const first = supervise(path, 'listen');
    const firstLeg = await ringing(before);
    const busy = await stack.api<Refusal>('POST', `${path}/supervise`, { destination: newNumber(), mode: 'listen' });
    expect([busy.status, busy.body.code]).toEqual([409, 'supervised']);
    expect((await stack.api('DELETE', `${path}/supervise`)).status).toBe(200);
    expect(await first).toMatchObject([409, { code: 'supervisor_not_reached', outcome: 'canceled' }]);
    await waitFor('the CANCEL', 2_000, () => Promise.resolve(lead.cancelled.includes(firstLeg) || undefined));
    before = lead.invites.length;
    const second = supervise(path, 'listen');
    const secondLeg = await ringing(before);
    await sleep(300);
    await phone.hangup();
    await waitFor('the CANCEL', 2_000, () => Promise.resolve(lead.cancelled.includes(secondLeg) || undefined));
    expect(await second).toMatchObject([409, { code: 'ended', call_status: 'completed' }]);
    expect(await kit.ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    expect(await supervise(path, 'listen')).toMatchObject([409, { code: 'ended' }]);
    await legsLeft();
  }, 90_000);

  it('is called once when the worker dies while it rings', async () => {
    const { phone, path } = await answered();
    answering = { status: 200, ringMs: 3_000 };
    const before = lead.invites.length;
    const asked = supervise(path, 'barge').catch(() => null);
    await waitFor('the leg to ring', 5_000, () => Promise.resolve(lead.invites[before]));
    const pid = stack.kill('worker');
    const there = await lead.nextCall();
    await stack.waitForNewPid('worker', pid, 30_000);
    await stack.waitReady(30_000);
    // Who has given up waiting may ask again: nobody is called twice for it.
    expect((await asked)?.[0] ?? 200).toBe(200);
    const again = await waitFor('an answer', 60_000, () => supervise(path, 'barge').catch(() => undefined));
    expect(again[0]).toBe(200);
    await stack.api('POST', `${path}/mute`);
    await expectHeard(
      { caller: phone, supervisor: there },
      {
        caller: ['supervisor'],
        supervisor: ['caller'],
      },
    );
    expect(lead.invites).toHaveLength(before + 1);
    await expectWhole(phone);
    await phone.hangup();
    await there.ended;
    await legsLeft();
  }, 180_000);

  function loudest(pcm: Int16Array, frequencyHz: number): number {
    let best = 0;
    for (let at = 0; at + WINDOW_SAMPLES <= pcm.length; at += WINDOW_SAMPLES) {
      best = Math.max(best, amplitudeAt(pcm.subarray(at, at + WINDOW_SAMPLES), frequencyHz));
    }
    return best;
  }

  const speech = (text: string): Promise<Int16Array> => spokenBy(voice, text, 'rms');
});
