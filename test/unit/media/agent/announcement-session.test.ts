import { codeAnnouncement } from '../../../../activities/media/code-announcement';
import { AnnouncementSession } from '../../../../media/agent/announcement-session';
import { announcer } from '../../../../media/call/persona';
import { FakeClock, settle } from '../../../fakes/fake-clock';
import { FakeCallAudio, FakeTts, RecordingDelegate } from '../../../fakes/fake-speech';

const CODE = '481516';
const RECORD =
  'Hello. This call verifies your phone number. Your verification code is: [code]. ' +
  'Once again, your verification code is: [code]. Thank you. Goodbye.';

function announcement(): {
  readonly session: AnnouncementSession;
  readonly audio: FakeCallAudio;
  readonly tts: FakeTts;
  readonly delegate: RecordingDelegate;
} {
  const [clock, audio, tts, delegate] = [new FakeClock(), new FakeCallAudio(), new FakeTts(), new RecordingDelegate()];
  const said = codeAnnouncement(CODE);
  const persona = { ...announcer('call-1', said), announcement: said };
  const session = new AnnouncementSession({ clock, tts, onProblem: () => undefined }, persona, audio, delegate);
  audio.onFinished = (id) => session.onPlaybackFinished(id);
  return { session, audio, tts, delegate };
}

async function play(audio: FakeCallAudio, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    audio.advance(1_000);
    await settle();
  }
}

test('says the code twice, digit by digit, then ends the call; the transcript does not have it', async () => {
  const { session, audio, tts, delegate } = announcement();
  await session.warm();
  session.start();
  await settle();
  await play(audio, 20);
  expect(tts.asked.filter((text) => text.includes('4, 8, 1, 5, 1, 6'))).toHaveLength(2);
  expect([delegate.ends, delegate.turns.map(({ text }) => text)]).toEqual([['agent_goodbye'], [RECORD]]);
  await session.finish();
  expect(delegate.turns).toHaveLength(1);
  expect(JSON.stringify(delegate.turns)).not.toMatch(/4[ ,]*8[ ,]*1/);
});

test('a callee who hangs up has heard something, or nothing', async () => {
  const heard = announcement();
  heard.session.start();
  await settle();
  await heard.session.finish();
  expect([heard.delegate.ends, heard.delegate.turns.map(({ text }) => text)]).toEqual([[], [RECORD]]);
  const silent = announcement();
  await silent.session.finish();
  expect([silent.delegate.ends, silent.delegate.turns]).toEqual([[], []]);
});

test('keys, a hold and a closed call change nothing of it', async () => {
  const { session, audio, delegate } = announcement();
  session.start();
  await settle();
  session.onDtmf();
  session.hold();
  await play(audio, 3);
  expect(delegate.ends).toEqual([]);
  session.close();
  await play(audio, 20);
  expect([delegate.ends, delegate.turns]).toEqual([[], []]);
});

test('a voice that fails ends the call as an error', async () => {
  const { session, tts, delegate } = announcement();
  tts.failing = true;
  await expect(session.warm()).rejects.toThrow('announcement');
  session.start();
  await settle();
  expect(delegate.ends).toEqual(['error']);
});
