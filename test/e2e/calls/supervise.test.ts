/** Somebody listens in on a call: who hears whom by each mode, and what is left of it when any of them goes. */
import { setTimeout as sleep } from 'node:timers/promises';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { newNumber, OutboundCalls } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import type { Answering } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack, waitFor } from '../../support/stack';
import { amplitudeAt, rms, sine } from '../../support/tones';

const DIALED = '+15551234567';
const SAMPLES_PER_MS = 8;
const CALLER_HZ = 700;
const FAR_HZ = 1_150;
const SUPERVISOR_HZ = 1_700;
const AMPLITUDE = 5_000;
const TONES = { caller: CALLER_HZ, far: FAR_HZ, supervisor: SUPERVISOR_HZ } as const;

type Party = keyof typeof TONES;

interface Call {
  readonly id: string;
  readonly status: string;
  readonly end_reason: string | null;
  readonly sip: { readonly call_id: string };
  readonly transfer: { readonly outcome: string | null } | null;
}

interface Event {
  readonly source: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Refusal {
  readonly code: string;
  readonly call_status: string;
  readonly sip_status?: number | null;
  readonly outcome?: string;
}

describe('a supervisor', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let caller: Phone;
  let far: Phone;
  let lead: Phone;
  let voice: FliteTts;
  let answering: Answering;

  beforeAll(async () => {
    voice = new FliteTts();
    [stack] = await Promise.all([Stack.start(), voice.start()]);
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: '', silence_timeout_seconds: 60 });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    media = new PhoneMedia();
    caller = await Phone.open({
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
    });
    // Another codec than the caller's.
    far = await Phone.open({ media, codecs: ['PCMA'], answer: () => ({ status: 200, ringMs: 300 }) });
    lead = await Phone.open({ media, codecs: ['PCMA'], answer: () => answering });
    const calls = await OutboundCalls.create(stack);
    await calls.trunkTo(far.port);
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    for (const phone of [caller, far, lead]) phone?.close();
    await media?.close();
    await Promise.all([voice?.close(), stack?.stop()]);
  }, 60_000);

  beforeEach(() => {
    answering = { status: 200, ringMs: 300 };
  });

  async function answered(): Promise<{ phone: PhoneCall; path: string }> {
    const phone = await caller.call(DIALED);
    const { id } = await waitFor('the call', 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?status=in_progress');
      return page.body.items.find((item) => item.sip.call_id === phone.sipCallId);
    });
    return { phone, path: `/phone/calls/${id}` };
  }

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

  const find = async (path: string): Promise<Call> => (await stack.api<Call>('GET', path)).body;

  const ended = (path: string): Promise<Call> =>
    waitFor('the end of the call', 15_000, async () => {
      const call = await find(path);
      return call.status === 'completed' ? call : undefined;
    });

  /** What its record has of the supervisor. */
  const told = async (path: string): Promise<unknown[]> =>
    (await stack.api<{ items: Event[] }>('GET', `${path}/events?limit=100`)).body.items
      .filter(({ type }) => type.startsWith('supervisor_'))
      .map(({ type, data }) => [
        type,
        data['mode'] ?? data['outcome'],
        ...(data['why'] === undefined ? [] : [data['why']]),
      ]);

  async function bridged(path: string): Promise<PhoneCall> {
    const body = { type: 'phone', value: newNumber(), mode: 'bridge' };
    expect((await stack.api('POST', `${path}/transfer`, body)).status).toBe(200);
    const there = await far.nextCall();
    await waitFor('the outcome', 15_000, async () => ((await find(path)).transfer?.outcome ? true : undefined));
    return there;
  }

  async function hears(call: PhoneCall, ms: number): Promise<Int16Array> {
    const before = (await call.recording()).pcm.length;
    await sleep(ms);
    return (await call.recording()).pcm.slice(before);
  }

  /** Each plays a tone of its own; whose tones each of them hears, which is all of it or nothing. */
  async function whoHears(calls: Partial<Record<Party, PhoneCall>>): Promise<Partial<Record<Party, Party[]>>> {
    const parties = Object.entries(calls) as [Party, PhoneCall][];
    for (const [party, call] of parties) void call.play(sine(TONES[party], 2_000 * SAMPLES_PER_MS, AMPLITUDE));
    await sleep(500);
    const heard = await Promise.all(
      parties.map(async ([party, call]) => {
        const pcm = await hears(call, 1_000);
        const voices = (Object.keys(TONES) as Party[]).filter((other) => {
          const amplitude = amplitudeAt(pcm, TONES[other]);
          if (amplitude > AMPLITUDE / 20 && amplitude < AMPLITUDE / 2)
            throw new Error(`${party}: ${other} ${amplitude}`);
          return amplitude >= AMPLITUDE / 2;
        });
        return [party, voices] as const;
      }),
    );
    await sleep(800);
    return Object.fromEntries(heard);
  }

  /** Not a packet less in the caller's stream. */
  async function expectWhole(phone: PhoneCall): Promise<void> {
    const { lost } = await phone.recording();
    expect(lost).toBe(0);
  }

  async function legsLeft(): Promise<void> {
    await waitFor('no leg to be left', 5_000, () =>
      Promise.resolve(
        [caller, far, lead].every((phone) => [...phone.calls.values()].every(({ over }) => over)) ? true : undefined,
      ),
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
    expect(await whoHears({ caller: phone, supervisor: there })).toEqual({ caller: [], supervisor: ['caller'] });
    for (const [mode, heardByCaller] of [
      ['whisper', []],
      ['barge', ['supervisor']],
      ['listen', []],
    ] as const) {
      expect((await supervise(path, mode))[0]).toBe(200);
      expect(await whoHears({ caller: phone, supervisor: there })).toEqual({
        caller: heardByCaller,
        supervisor: ['caller'],
      });
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
    expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    await legsLeft();
  }, 90_000);

  it('hears both after a bridge, is heard by whom the mode says, and goes with the caller', async () => {
    const { phone, path } = await answered();
    const there = await bridged(path);
    const supervisor = await joined(path, 'whisper');
    const room = { caller: phone, far: there, supervisor };
    const heard: Party[] = ['caller', 'far'];
    expect(await whoHears(room)).toEqual({ caller: ['far'], far: ['caller', 'supervisor'], supervisor: heard });
    expect((await supervise(path, 'barge'))[0]).toBe(200);
    expect(await whoHears(room)).toEqual({
      caller: ['far', 'supervisor'],
      far: ['caller', 'supervisor'],
      supervisor: heard,
    });
    expect((await supervise(path, 'listen'))[0]).toBe(200);
    expect(await whoHears(room)).toEqual({ caller: ['far'], far: ['caller'], supervisor: heard });
    await expectWhole(phone);
    await phone.hangup();
    expect((await supervisor.ended).by).toBe('them');
    expect((await there.ended).by).toBe('them');
    expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
    expect((await told(path)).at(-1)).toEqual(['supervisor_left', 'listen', 'call_ended']);
    await legsLeft();
  }, 90_000);

  it('stays through a bridge that is made meanwhile, and is sent away', async () => {
    const { phone, path } = await answered();
    const supervisor = await joined(path, 'listen');
    const there = await bridged(path);
    expect(await whoHears({ caller: phone, far: there, supervisor })).toEqual({
      caller: ['far'],
      far: ['caller'],
      supervisor: ['caller', 'far'],
    });
    expect((await stack.api('DELETE', `${path}/supervise`)).status).toBe(200);
    expect((await supervisor.ended).by).toBe('them');
    const again = await stack.api<Refusal>('DELETE', `${path}/supervise`);
    expect([again.status, again.body.code]).toEqual([409, 'not_supervised']);
    expect(await whoHears({ caller: phone, far: there })).toEqual({ caller: ['far'], far: ['caller'] });
    await expectWhole(phone);
    await there.hangup();
    await phone.ended;
    expect((await told(path)).at(-1)).toEqual(['supervisor_left', 'listen', 'sent_away']);
    await legsLeft();
  }, 90_000);

  it('whispers to the agent, which knows it from then on, and the caller hears nothing of it', async () => {
    const { phone, path } = await answered();
    const supervisor = await joined(path, 'whisper');
    const whispering = supervisor.play(await speech('Our opening hours are nine to five on weekdays.'));
    const heard = await hears(phone, 4_000);
    await whispering;
    expect(rms(heard)).toBeLessThan(10);
    await waitFor(
      'the whisper to be understood',
      15_000,
      async () =>
        (await told(path)).some((event) => JSON.stringify(event) === '["supervisor_whispered","instructed"]') ||
        undefined,
    );
    await phone.play(await speech('Are your opening hours nine to five on weekdays?'));
    await waitFor('the answer', 20_000, async () => {
      const { body } = await stack.api<{ turns: { speaker: string; text: string }[] }>('GET', `${path}/transcript`);
      return body.turns.find(({ speaker, text }) => speaker === 'agent' && /nine to five/i.test(text));
    });
    await expectWhole(phone);
    await phone.hangup();
    expect((await supervisor.ended).by).toBe('them');
    await legsLeft();
  }, 90_000);

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
      expect(await whoHears({ caller: phone, supervisor: there })).toEqual({ caller: [], supervisor: ['caller'] });
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
    expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    expect(await supervise(path, 'listen')).toMatchObject([409, { code: 'ended' }]);
    await legsLeft();
  }, 90_000);

  it('is called once when the worker dies while it rings', async () => {
    const { phone, path } = await answered();
    answering = { status: 200, ringMs: 3_000 };
    const before = lead.invites.length;
    const asked = supervise(path, 'barge');
    await waitFor('the leg to ring', 5_000, () => Promise.resolve(lead.invites[before]));
    const pid = stack.kill('worker');
    const there = await lead.nextCall();
    await stack.waitForNewPid('worker', pid, 30_000);
    expect((await asked)[0]).toBe(200);
    await stack.api('POST', `${path}/mute`);
    expect(await whoHears({ caller: phone, supervisor: there })).toEqual({
      caller: ['supervisor'],
      supervisor: ['caller'],
    });
    expect(lead.invites).toHaveLength(before + 1);
    await expectWhole(phone);
    await phone.hangup();
    await there.ended;
    await legsLeft();
  }, 90_000);

  async function speech(text: string): Promise<Int16Array> {
    const chunks: Int16Array[] = [];
    for await (const chunk of voice.synthesise({ text, voiceId: 'rms', speedPct: 100 })) chunks.push(chunk);
    const pcm = new Int16Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      pcm.set(chunk, at);
      at += chunk.length;
    }
    return pcm;
  }
});
