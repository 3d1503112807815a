import { WhisperEar } from '../../../../media/agent/whisper-ear';
import { FakeClock, settle } from '../../../fakes/fake-clock';
import { FakeEars, FakeStt } from '../../../fakes/fake-speech';

const MEDIA_ID = 7;

describe('what is whispered', () => {
  const clock = new FakeClock();
  let ears: FakeEars;
  let stt: FakeStt;
  let ear: WhisperEar;
  let said: (string | null)[];
  let problems: unknown[];

  beforeEach(() => {
    ears = new FakeEars();
    stt = new FakeStt();
    said = [];
    problems = [];
    const onProblem = (error: unknown): void => void problems.push(error);
    ear = new WhisperEar({ clock, ears, stt, onProblem }, MEDIA_ID, (text) => said.push(text));
  });

  /** Somebody speaks for a second, and is silent for another two. */
  async function speak(text: string): Promise<void> {
    stt.text = text;
    ears.emit({ type: 'speech_start', mediaId: MEDIA_ID, atSample: 0, speechMs: 64 });
    for (let silenceMs = 32; silenceMs <= 2_000; silenceMs += 32) {
      await clock.advance(32);
      ears.emit({ type: 'pause', mediaId: MEDIA_ID, silenceMs, speechMs: 1_000 });
      await settle();
    }
  }

  it('is told utterance by utterance', async () => {
    await speak('Offer ten percent.');
    await speak('And ask for the order number.');
    expect(said).toEqual(['Offer ten percent.', 'And ask for the order number.']);
  });

  it('is told of where it is not understood, and a cough is not', async () => {
    await speak('');
    expect(said).toEqual([]);
    stt.failing = true;
    await speak('Offer ten percent.');
    expect(said).toEqual([null]);
    expect(problems).toHaveLength(1);
  });

  it('is nobody’s once the ear is closed', async () => {
    ears.emit({ type: 'speech_start', mediaId: MEDIA_ID, atSample: 0, speechMs: 64 });
    ear.close();
    ear.close();
    await speak('Offer ten percent.');
    expect(said).toEqual([]);
  });
});
