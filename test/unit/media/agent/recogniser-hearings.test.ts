import { firstHearing, isSure, secondHearing } from '../../../../media/agent/providers/moonshine/hearings';
import { amplitudeAt, rms, sine } from '../../../support/tones';

const MS = 16;
const toPcm = (samples: Float32Array): Int16Array => Int16Array.from(samples, (sample) => Math.round(sample * 32_768));

describe('what the recogniser is given of an utterance', () => {
  const tone = sine(1_000, 8_000);

  test('first: at once, at twice the rate, with 300 ms of silence behind it', () => {
    const heard = toPcm(firstHearing(tone));
    expect(heard).toHaveLength(16_000 + 300 * MS);
    expect(Array.from(heard.subarray(0, 16_000)).filter((_, n) => n % 2 === 0)).toEqual([...tone]);
    // Tones are counted in 8 kHz: at 16 kHz one of f is found at f / 2.
    expect(amplitudeAt(heard.subarray(400, 15_600), 500)).toBeGreaterThan(7_500);
    expect(rms(heard.subarray(16_000))).toBe(0);
  });

  test('second: 100 ms later, and without an image of it', () => {
    const heard = toPcm(secondHearing(tone));
    expect(heard).toHaveLength(16_000 + 400 * MS);
    expect(rms(heard.subarray(0, 100 * MS))).toBe(0);
    const sound = heard.subarray(100 * MS, 100 * MS + 16_000);
    expect(amplitudeAt(sound.subarray(400, 15_600), 500)).toBeGreaterThan(7_800);
    expect(amplitudeAt(sound.subarray(400, 15_600), 3_500)).toBeLessThan(10);
    expect(amplitudeAt(toPcm(firstHearing(tone)).subarray(400, 15_600), 3_500)).toBeGreaterThan(100);
    expect(rms(heard.subarray(100 * MS + 16_000))).toBe(0);
  });

  test('nothing remains nothing but silence', () => {
    expect(rms(toPcm(firstHearing(new Int16Array(0))))).toBe(0);
    expect(rms(toPcm(secondHearing(new Int16Array(0))))).toBe(0);
  });

  test('is asked for a second time where the first is not sure', () => {
    expect([0.57, 0.79, 0.8, 1].map((confidence) => isSure({ confidence }))).toEqual([false, false, true, true]);
  });
});
