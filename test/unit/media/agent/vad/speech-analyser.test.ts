import { SpeechAnalyser } from '../../../../../media/agent/vad/speech-analyser';
import type { VadEvent, VoiceActivityDetector } from '../../../../../media/agent/vad/voice-activity';
import type { AudioBatch } from '../../../../../media/audio/audio-batch';

/** Loud is speech; remembers how many windows each run had. */
class LevelDetector implements VoiceActivityDetector<null> {
  readonly name = 'level';
  readonly windowSamples = 256;
  readonly runs: number[] = [];

  open(): null {
    return null;
  }

  detect(streams: readonly null[], pcm: Int16Array): Promise<Float32Array> {
    this.runs.push(streams.length);
    const loud = streams.map((_, i) => (Math.abs(pcm[i * 256 + 128]!) > 500 ? 1 : 0));
    return Promise.resolve(Float32Array.from(loud));
  }
}

function batch(frames: Readonly<Record<number, number>>): AudioBatch {
  const ids = Object.keys(frames).map(Number);
  const pcm = new Int16Array(ids.length * 160);
  ids.forEach((id, i) => pcm.fill(frames[id]!, i * 160, (i + 1) * 160));
  const received = new Uint8Array(ids.length).fill(1);
  return { mediaIds: Uint32Array.from(ids), pcm, received, sent: new Int16Array(pcm.length) };
}

describe('SpeechAnalyser', () => {
  let detector: LevelDetector;
  let events: VadEvent[];
  let analyser: SpeechAnalyser<null>;

  beforeEach(() => {
    detector = new LevelDetector();
    events = [];
    analyser = new SpeechAnalyser(detector, (more) => events.push(...more));
  });

  async function hear(frames: number, levels: Readonly<Record<number, number>>): Promise<void> {
    for (let i = 0; i < frames; i++) await analyser.push(batch(levels));
  }

  test('runs the windows of all calls together and keeps them apart', async () => {
    analyser.open(1);
    analyser.open(2);
    await hear(16, { 1: 2_000, 2: 0 });
    expect(new Set(detector.runs)).toEqual(new Set([2]));
    expect(new Set(events.map((event) => event.mediaId))).toEqual(new Set([1]));
  });

  test('cuts an utterance 200 ms before its first and 200 ms after its last speech', async () => {
    analyser.open(1);
    await hear(50, { 1: 0 });
    await hear(40, { 1: 2_000 });
    await hear(50, { 1: 0 });
    const utterance = analyser.utterance(1);
    const first = utterance.indexOf(2_000);
    const last = utterance.lastIndexOf(2_000);
    expect(last - first).toBeGreaterThan(6_100);
    expect(first / 8).toBeGreaterThanOrEqual(168);
    expect(first / 8).toBeLessThanOrEqual(232);
    expect((utterance.length - last) / 8).toBeLessThanOrEqual(232);
  });

  test('begins the next utterance after a commit, at once when the caller goes on speaking', async () => {
    analyser.open(1);
    await hear(40, { 1: 2_000 });
    analyser.commit(1);
    expect(analyser.utterance(1).length).toBeLessThan(1_000);
    await hear(40, { 1: 3_000 });
    const utterance = analyser.utterance(1);
    expect(utterance.length).toBeGreaterThan(5_000);
    expect(utterance.filter((sample) => sample === 2_000).length).toBeLessThan(500);
  });

  test('has nothing to give for silence, for an unknown call and after a close', async () => {
    analyser.open(1);
    await hear(20, { 1: 0, 9: 2_000 });
    expect(analyser.utterance(1)).toHaveLength(0);
    expect(analyser.utterance(9)).toHaveLength(0);
    analyser.close(1);
    await hear(20, { 1: 2_000 });
    expect(events).toEqual([]);
  });
});
