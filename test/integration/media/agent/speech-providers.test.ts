/** The embedded models themselves: their contracts, and what they make of each other over a telephone line. */
import { FliteTts } from '../../../../media/agent/providers/flite/flite-tts';
import { MoonshineStt } from '../../../../media/agent/providers/moonshine/moonshine-stt';
import { SpeechListener } from '../../../../media/agent/vad/speech-listener';
import type { CallerAudio } from '../../../../media/agent/vad/speech-listener';
import type { VadEvent } from '../../../../media/agent/vad/voice-activity';
import type { AudioBatch } from '../../../../media/audio/audio-batch';
import { decodeG711, encodeG711 } from '../../../../media/codec/g711';
import { CompiledDetector } from '../../../support/agent/compiled-detector';
import { describeSpeechToText } from '../../../support/agent/speech-to-text-contract';
import { describeTextToSpeech, spokenBy } from '../../../support/agent/text-to-speech-contract';
import { describeVoiceActivityDetector } from '../../../support/agent/voice-activity-contract';
import { childProcesses } from '../../../support/child-processes';
import { waitFor } from '../../../support/wait-for';
import { wordErrorRate } from '../../../support/word-error-rate';

const SENTENCES = [
  'Hi, thanks for calling! How can I help you today?',
  'What are your opening hours?',
  'I would like to book a table for two people on Friday evening.',
  'Can you tell me the address of your office?',
  'Our opening hours are nine to five on weekdays.',
  'I have a question about my last invoice.',
  'The package has not arrived yet, and I am getting worried.',
  'Could you please repeat what you said about the price?',
  'Thank you very much for your help.',
  'I will call you again tomorrow morning. Goodbye.',
];

async function startedTts(): Promise<FliteTts> {
  const tts = new FliteTts();
  await tts.start();
  return tts;
}

async function speechOf(text: string, voiceId: string | null = null): Promise<Int16Array> {
  const tts = await startedTts();
  try {
    return await spokenBy(tts, text, voiceId);
  } finally {
    await tts.close();
  }
}

/** As a caller's telephone sends it: G.711, with the hiss of a line, silence before and after. */
function overTheLine(speech: Int16Array, silenceBeforeMs = 500, silenceAfterMs = 1_000): Int16Array {
  const before = silenceBeforeMs * 8;
  const line = new Int16Array(before + speech.length + silenceAfterMs * 8);
  let seed = 1;
  for (let i = 0; i < line.length; i++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    line[i] = (seed % 41) - 20 + (speech[i - before] ?? 0);
  }
  const octets = new Uint8Array(line.length);
  encodeG711('PCMU', line, 0, line.length, octets);
  decodeG711('PCMU', octets, 0, octets.length, line);
  return line;
}

/** One frame of a call to which nothing is said meanwhile. */
function batch(mediaId: number, pcm: Int16Array): AudioBatch {
  return { mediaIds: Uint32Array.of(mediaId), pcm, received: Uint8Array.of(1), sent: new Int16Array(160) };
}

describeTextToSpeech('flite', startedTts);

describeSpeechToText('moonshine', async () => {
  const stt = new MoonshineStt();
  const [speech] = await Promise.all([speechOf('What are your opening hours?'), stt.start()]);
  return { stt, speech, word: 'opening' };
});

describeVoiceActivityDetector('silero', async () => {
  const detector = await CompiledDetector.load('SileroDetector', 'silero-detector');
  const speech = await speechOf('I would like to book a table for two people.');
  return { detector, speech, close: () => detector.close() };
});

describe('flite', () => {
  let tts: FliteTts;
  const restarts: string[] = [];
  beforeAll(async () => {
    tts = new FliteTts({ onRestart: (cause) => restarts.push(cause) });
    await tts.start();
  });
  afterAll(() => tts.close());

  test('has one default voice, and leaves out the one that only tells the time', () => {
    const ids = tts.voices().map((voice) => voice.id);
    expect(tts.voices().filter((voice) => voice.default)).toMatchObject([{ id: 'rms' }]);
    expect([...ids].sort()).toEqual(['awb', 'kal', 'kal16', 'rms', 'slt']);
  });

  test('speaks slower and faster as asked', async () => {
    const [slow, usual, fast] = await Promise.all(
      [50, 100, 200].map((pct) => spokenBy(tts, 'One two three four.', null, pct)),
    );
    expect(slow!.length / usual!.length).toBeGreaterThan(1.6);
    expect(fast!.length / usual!.length).toBeLessThan(0.65);
  });

  test('finds a repeated sentence in its cache', async () => {
    const chunksOf = async (): Promise<Int16Array[]> => {
      const chunks: Int16Array[] = [];
      const request = { text: 'Said before.', voiceId: null, speedPct: 100 };
      for await (const chunk of tts.synthesise(request)) chunks.push(chunk);
      return chunks;
    };
    const [first] = await chunksOf();
    const [second] = await chunksOf();
    expect(second).toBe(first);
  });

  test('says nothing for what cannot be said', async () => {
    expect(await spokenBy(tts, '…')).toHaveLength(0);
    expect(await spokenBy(tts, '😀')).toHaveLength(0);
  });

  test('finishes the sentence when its process is killed under it', async () => {
    const speaking = spokenBy(tts, 'This sentence outlives the process that began it.');
    const children = childProcesses(/flite-process/);
    expect(children).toHaveLength(1);
    process.kill(children[0]!, 'SIGKILL');
    expect((await speaking).length).toBeGreaterThan(8_000);
    // All of the sentence may have come before the kill: its end is heard a moment later then.
    await waitFor('the restart', 5_000, () => (restarts.length > 0 ? true : undefined));
    expect(restarts).toEqual(['SIGKILL']);
  });
});

describe('over a telephone line', () => {
  let tts: FliteTts;
  let stt: MoonshineStt;
  let listener: SpeechListener;
  let nextMediaId = 1;

  beforeAll(async () => {
    tts = new FliteTts();
    stt = new MoonshineStt();
    listener = new SpeechListener();
    await Promise.all([tts.start(), stt.start(), listener.start()]);
  }, 30_000);
  afterAll(() => Promise.all([tts.close(), stt.close(), listener.close()]));

  interface Heard {
    readonly events: readonly VadEvent[];
    readonly ear: CallerAudio;
  }

  /** Sends the line frame by frame, as fast as the thread takes it. */
  async function hear(line: Int16Array): Promise<Heard> {
    const mediaId = nextMediaId++;
    const events: VadEvent[] = [];
    const ear = listener.open(mediaId, (event) => events.push(event));
    const port = listener.audioPort();
    for (let at = 0; at + 160 <= line.length; at += 160) {
      const pcm = line.slice(at, at + 160);
      port.postMessage(batch(mediaId, pcm));
      if (at % 8_000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const deadline = Date.now() + 5_000;
    while (Date.now() < deadline && !events.some((event) => event.type === 'pause' && event.silenceMs > 500))
      await new Promise((resolve) => setTimeout(resolve, 10));
    return { events, ear };
  }

  test('ten sentences are understood with at most 20 % of words wrong', async () => {
    let errors = 0;
    let words = 0;
    for (const sentence of SENTENCES) {
      const { ear } = await hear(overTheLine(await spokenBy(tts, sentence)));
      const { text } = await stt.transcribe(await ear.utterance(), { keyterms: [] });
      const count = sentence.split(' ').length;
      errors += wordErrorRate(sentence, text) * count;
      words += count;
      ear.close();
    }
    expect(errors / words).toBeLessThanOrEqual(0.2);
  }, 60_000);

  test('said at once they are understood no worse than one by one', async () => {
    let [errors, words] = [0, 0];
    for (const voice of ['rms', 'slt']) {
      const said = await Promise.all(SENTENCES.map((sentence) => spokenBy(tts, sentence, voice)));
      const heard = await Promise.all(
        said.map((speech) => stt.transcribe(overTheLine(speech, 0, 300), { keyterms: [] })),
      );
      SENTENCES.forEach((sentence, n) => {
        const count = sentence.split(' ').length;
        errors += wordErrorRate(sentence, heard[n]!.text) * count;
        words += count;
      });
    }
    expect(errors / words).toBeLessThanOrEqual(0.2);
  }, 60_000);

  test('where among its samples an utterance begins does not decide how it is heard', async () => {
    // As the VAD cuts, from beginnings that are no multiple of the model's step. Of 190 words 43 were wrong by one way of
    // hearing alone, 8 are by two.
    const beginnings = [0, 53, 101, 157, 211];
    const sentences = [
      'Please remove my number from your list.',
      'Can you call me back tomorrow at ten?',
      'Where is your office?',
    ];
    let [errors, words] = [0, 0];
    for (const voice of ['rms', 'slt']) {
      for (const sentence of sentences) {
        const line = overTheLine(await spokenBy(tts, sentence, voice), 200, 200);
        const count = sentence.split(' ').length;
        for (const beginning of beginnings) {
          const { text } = await stt.transcribe(line.subarray(beginning), { keyterms: [] });
          errors += wordErrorRate(sentence, text) * count;
          words += count;
        }
      }
    }
    expect(errors / words).toBeLessThanOrEqual(0.1);
  }, 60_000);

  test('said by many at once, each hears what was said to it', async () => {
    const said = await Promise.all(
      ['What are your opening hours?', 'I have a question about my last invoice.'].map((text) => spokenBy(tts, text)),
    );
    const heard = await Promise.all(
      Array.from({ length: 16 }, (_, n) => stt.transcribe(said[n % 2]!, { keyterms: [] })),
    );
    heard.forEach(({ text }, n) => expect(text.toLowerCase()).toContain(n % 2 === 0 ? 'opening' : 'invoice'));
  }, 60_000);

  test('speech is noticed within 100 ms of its onset, as a rule', async () => {
    const lateMs: number[] = [];
    for (const voice of ['slt', 'rms', 'awb'])
      for (const sentence of ['Wait a moment, please.', 'Our office is closed.', 'Yes, that is right.']) {
        const { events, ear } = await hear(overTheLine(await spokenBy(tts, sentence, voice)));
        const [start] = events;
        expect(start).toMatchObject({ type: 'speech_start' });
        // The voice itself leaves 30 ms before its first sound.
        lateMs.push((start as Extract<VadEvent, { type: 'speech_start' }>).atSample / 8 + start!.speechMs - 530);
        ear.close();
      }
    lateMs.sort((a, b) => a - b);
    expect(lateMs[4]).toBeLessThanOrEqual(100);
    expect(lateMs.at(-1)).toBeLessThanOrEqual(250);
  });

  test('an utterance is cut with at most 0.4 s around it, and loses nothing', async () => {
    const speech = await spokenBy(tts, 'I have a question about my last invoice.');
    const { ear } = await hear(overTheLine(speech));
    const utterance = await ear.utterance();
    expect(utterance.length).toBeGreaterThan(speech.length - 0.15 * 8_000);
    expect(utterance.length).toBeLessThan(speech.length + 0.4 * 8_000);
    ear.close();
  });

  test('silence and line hiss open nothing', async () => {
    const mediaId = nextMediaId++;
    const events: VadEvent[] = [];
    const ear = listener.open(mediaId, (event) => events.push(event));
    const line = overTheLine(new Int16Array(0), 3_000, 0);
    const port = listener.audioPort();
    for (let at = 0; at + 160 <= line.length; at += 160) port.postMessage(batch(mediaId, line.slice(at, at + 160)));
    expect(await ear.utterance()).toHaveLength(0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(events).toEqual([]);
    ear.close();
  });

  test('hiss alone is not recognised as words the caller never said, beyond a few', async () => {
    const { text } = await stt.transcribe(overTheLine(new Int16Array(0), 2_000, 0), { keyterms: [] });
    expect(text.split(' ').length).toBeLessThanOrEqual(13);
  });
});
