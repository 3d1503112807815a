import type { VoiceActivityDetector } from '../../../media/agent/vad/voice-activity';

export interface VoiceActivityUnderTest {
  readonly detector: VoiceActivityDetector;
  readonly speech: Int16Array;
  readonly close?: () => Promise<void>;
}

/** What every detector does with 8 kHz speech (silence before and after it) in windows of its size. */
export function describeVoiceActivityDetector(name: string, make: () => Promise<VoiceActivityUnderTest>): void {
  describe(`voice activity contract: ${name}`, () => {
    let detector: VoiceActivityDetector;
    let speech: Int16Array;
    let close: VoiceActivityUnderTest['close'];
    beforeAll(async () => {
      ({ detector, speech, close } = await make());
    }, 30_000);
    afterAll(() => close?.());

    /** Probabilities of one stream's windows, alone or beside silent streams. */
    async function probabilities(pcm: Int16Array, neighbours: number): Promise<number[]> {
      const streams = Array.from({ length: neighbours + 1 }, () => detector.open());
      const { windowSamples } = detector;
      const result: number[] = [];
      for (let at = 0; at + windowSamples <= pcm.length; at += windowSamples) {
        const batch = new Int16Array(streams.length * windowSamples);
        batch.set(pcm.subarray(at, at + windowSamples), neighbours * windowSamples);
        result.push((await detector.detect(streams, batch))[neighbours]!);
      }
      return result;
    }

    const share = (values: readonly number[]): number => values.filter((value) => value >= 0.5).length / values.length;

    test('gives one probability per stream', async () => {
      const streams = [detector.open(), detector.open(), detector.open()];
      const result = await detector.detect(streams, new Int16Array(3 * detector.windowSamples));
      expect(result).toHaveLength(3);
      for (const value of result) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    });

    test('hears speech and does not hear silence', async () => {
      expect(share(await probabilities(speech, 0))).toBeGreaterThan(0.5);
      expect(share(await probabilities(new Int16Array(speech.length), 0))).toBe(0);
    });

    test('judges a stream the same whatever goes on beside it', async () => {
      const alone = await probabilities(speech, 0);
      const beside = await probabilities(speech, 4);
      alone.forEach((value, i) => expect(Math.abs(value - beside[i]!)).toBeLessThan(0.01));
    });
  });
}
