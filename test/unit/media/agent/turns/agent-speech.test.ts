import type { TextToSpeech, TtsRequest } from '../../../../../media/agent/text-to-speech';
import { AgentSpeech } from '../../../../../media/agent/turns/agent-speech';
import { SynthesisedSentence } from '../../../../../media/agent/turns/synthesised-sentence';
import { settle } from '../../../../fakes/fake-clock';
import { FakeCallAudio, FakeTts } from '../../../../fakes/fake-speech';

/** Gives each chunk when the test says so. */
class ManualTts extends FakeTts implements TextToSpeech {
  readonly #waiting: (() => void)[] = [];
  aborted = 0;

  override async *synthesise(request: TtsRequest): AsyncGenerator<Int16Array> {
    this.asked.push(request.text);
    request.signal?.addEventListener('abort', () => this.aborted++);
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      yield new Int16Array(1_600);
    }
  }

  async chunk(): Promise<void> {
    await settle();
    this.#waiting.shift()?.();
    await settle();
  }
}

describe('AgentSpeech', () => {
  let audio: FakeCallAudio;
  let happened: string[];

  beforeEach(() => {
    audio = new FakeCallAudio();
    happened = [];
  });

  function speechOn(tts: TextToSpeech): AgentSpeech {
    let id = 1;
    const speech = new AgentSpeech({
      audio,
      synthesise: (text) =>
        SynthesisedSentence.start(tts, { text, voiceId: null, speedPct: 100 }, () => happened.push('error')),
      nextPlaybackId: () => id++,
      delegate: {
        onFirstAudio: () => happened.push('first audio'),
        onFinished: () => happened.push('finished'),
        onFailed: () => happened.push('failed'),
      },
    });
    audio.onFinished = (playbackId) => speech.onPlaybackFinished(playbackId);
    return speech;
  }

  test('plays the first chunks before the sentence is complete', async () => {
    const tts = new ManualTts();
    speechOn(tts).say('A long sentence.');
    await tts.chunk();
    expect(happened).toEqual([]);
    await tts.chunk();
    expect(happened).toEqual(['first audio']);
    expect(audio.playing).toBe(true);
  });

  test('has the next sentence synthesised while one plays, and no more than that', async () => {
    const tts = new FakeTts();
    const speech = speechOn(tts);
    for (const text of ['One.', 'Two.', 'Three.', 'Four.']) speech.say(text);
    speech.end();
    await settle();
    expect(tts.asked).toEqual(['One.', 'Two.']);
    audio.advance(240);
    await settle();
    expect(tts.asked).toEqual(['One.', 'Two.', 'Three.']);
    for (let i = 0; i < 10; i++) {
      audio.advance(240);
      await settle();
    }
    expect(happened).toEqual(['first audio', 'finished']);
    expect(audio.playedIds).toEqual([1, 2, 3, 4]);
  });

  test('finishes when it is told that nothing follows, even if all was heard before', async () => {
    const speech = speechOn(new FakeTts());
    speech.say('One.');
    await settle();
    audio.advance(1_000);
    expect(happened).toEqual(['first audio']);
    speech.end();
    expect(happened).toEqual(['first audio', 'finished']);
  });

  test('tells exactly which sentences were heard when it is cut', async () => {
    const speech = speechOn(new FakeTts());
    speech.say('First sentence.');
    speech.say('Second one here.');
    speech.end();
    await settle();
    audio.advance('First sentence.'.length * 60);
    await settle();
    expect(await speech.cut()).toBe('First sentence.');
    expect(audio.playing).toBe(false);
    audio.advance(5_000);
    expect(happened).toEqual(['first audio']);
  });

  test('aborts synthesis when it is cut, and asks the line nothing when nothing was heard', async () => {
    const tts = new ManualTts();
    const speech = speechOn(tts);
    speech.say('Never heard.');
    await settle();
    expect(await speech.cut()).toBe('');
    expect(tts.aborted).toBe(1);
    expect(audio.cleared).toBe(0);
  });

  test('reports a voice that fails once, and speaks no further', async () => {
    const tts = new FakeTts();
    tts.failing = true;
    const speech = speechOn(tts);
    speech.say('One.');
    speech.say('Two.');
    speech.end();
    await settle();
    expect(happened).toEqual(['error', 'failed']);
  });
});
