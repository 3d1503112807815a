import { ConsultSession } from '../../../../media/agent/consult-session';
import { FakeClock, settle } from '../../../fakes/fake-clock';
import { FakeCallAudio, FakeEars, FakeStt, FakeTts, TEST_PERSONA } from '../../../fakes/fake-speech';

const BRIEFING = 'A call for Sales.';
const STEP_MS = 20;

class Talk {
  readonly clock = new FakeClock();
  readonly audio = new FakeCallAudio();
  readonly ears = new FakeEars();
  readonly tts = new FakeTts();
  readonly stt = new FakeStt();
  readonly told: unknown[] = [];
  readonly session: ConsultSession;

  constructor(more: { readonly stt?: null } = {}) {
    const { clock, audio, ears, tts } = this;
    const deps = { clock, ears, tts, stt: more.stt === null ? null : this.stt, onProblem: () => undefined };
    this.session = new ConsultSession(deps, { ...TEST_PERSONA, consult: { briefing: BRIEFING } }, audio, {
      onTurn: () => this.told.push('turn'),
      onTransfer: () => false,
      onEnd: (reason) => this.told.push(reason),
      onAsked: () => this.told.push('asked'),
      onDecision: (accepted, by) => this.told.push([accepted, by]),
    });
    audio.onFinished = (id) => this.session.onPlaybackFinished(id);
  }

  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.clock.advance(STEP_MS);
      this.audio.advance(STEP_MS);
      await settle();
    }
  }

  async asked(): Promise<void> {
    this.session.start();
    await settle();
    while (this.audio.playing) await this.wait(STEP_MS);
  }

  async say(text: string): Promise<void> {
    this.stt.text = text;
    this.ears.emit({ type: 'speech_start', mediaId: 7, atSample: 0, speechMs: 64 });
    await this.wait(500);
    for (let silenceMs = 100; silenceMs <= 1_000; silenceMs += 100) {
      await this.wait(100);
      this.ears.emit({ type: 'pause', mediaId: 7, silenceMs, speechMs: 560 });
      await settle();
    }
  }

  questions(): number {
    return this.tts.asked.filter((text) => text.startsWith('Press 1')).length;
  }
}

test('tells what it was given and asks; a key accepts, and nothing more is said', async () => {
  const talk = new Talk();
  await talk.asked();
  expect(talk.tts.asked[0]).toBe(BRIEFING);
  expect(talk.told).toEqual(['asked']);
  talk.session.onDtmf('5');
  talk.session.onDtmf('1');
  talk.session.onDtmf('2');
  expect(talk.told).toEqual(['asked', [true, 'key']]);
  await talk.wait(60_000);
  expect(talk.told).toHaveLength(2);
  expect(talk.ears.closed).toBe(1);
});

test('a key counts while the briefing is being said', async () => {
  const talk = new Talk();
  talk.session.start();
  await settle();
  talk.session.onDtmf('2');
  expect(talk.told).toEqual([[false, 'key']]);
  await talk.session.finish();
  expect([talk.audio.playing, talk.audio.cleared]).toEqual([false, 1]);
  await talk.wait(60_000);
  expect(talk.told).toHaveLength(1);
});

test.each([
  ['Yes.', true],
  ['No, thank you.', false],
] as const)('takes %j for an answer', async (text, accepted) => {
  const talk = new Talk();
  await talk.asked();
  await talk.say(text);
  expect(talk.told).toEqual(['asked', [accepted, 'word']]);
});

test('whoever answers the phone with "Yes?" has accepted nothing', async () => {
  const talk = new Talk();
  talk.session.start();
  await settle();
  await talk.say('Yes?');
  expect(talk.told).toEqual([]);
});

test('what is neither yes nor no is asked about once more, and then waited out', async () => {
  const talk = new Talk();
  await talk.asked();
  await talk.say('Who is it?');
  expect(talk.questions()).toBeGreaterThanOrEqual(1);
  const once = talk.tts.asked.length;
  while (talk.audio.playing) await talk.wait(STEP_MS);
  await talk.say('Who is it?');
  expect(talk.tts.asked).toHaveLength(once);
  await talk.wait(20_000);
  expect(talk.told).toEqual(['asked', [false, 'silence']]);
});

test('asks twice, 20 s apart, and takes silence for a no', async () => {
  const talk = new Talk();
  await talk.asked();
  await talk.wait(19_900);
  expect(talk.questions()).toBe(1);
  await talk.wait(200);
  expect(talk.questions()).toBe(2);
  while (talk.audio.playing) await talk.wait(STEP_MS);
  await talk.wait(19_900);
  expect(talk.told).toEqual(['asked']);
  await talk.wait(200);
  expect(talk.told).toEqual(['asked', [false, 'silence']]);
});

test('asks for a key alone where nothing can be recognised', async () => {
  const talk = new Talk({ stt: null });
  await talk.asked();
  expect(talk.tts.asked.join(' ')).not.toContain('yes');
  expect(talk.ears.opened).toBe(0);
});

test('a voice that fails is an error, and what is closed tells nothing', async () => {
  const failing = new Talk();
  failing.tts.failing = true;
  failing.session.start();
  await settle();
  expect(failing.told).toEqual(['error']);
  const closed = new Talk();
  await closed.asked();
  closed.session.close();
  closed.session.onDtmf('1');
  await closed.wait(60_000);
  expect(closed.told).toEqual(['asked']);
});
