import { doubleRate, halveRate } from '../../../../media/audio/half-band';
import { amplitudeAt, rms, sine } from '../../../support/tones';

describe('half-band rate conversion', () => {
  // `sine` counts in 8 kHz: at 16 kHz a tone of f is written as f / 2.
  const at16k = (frequencyHz: number, samples: number): Int16Array => sine(frequencyHz / 2, samples);

  test.each([300, 1_000, 2_000, 3_400])('halving keeps a tone of %i Hz', (frequency) => {
    const half = halveRate(at16k(frequency, 16_000)).subarray(200, 7_800);
    expect(amplitudeAt(half, frequency)).toBeGreaterThan(7_800);
    expect(amplitudeAt(half, frequency)).toBeLessThan(8_200);
  });

  test.each([4_400, 5_000, 7_000])('halving leaves nothing of %i Hz to fold back', (frequency) => {
    expect(rms(halveRate(at16k(frequency, 16_000)).subarray(200, 7_800))).toBeLessThan(10);
  });

  test('doubling keeps the tone and adds no image of it', () => {
    const doubled = doubleRate(sine(1_000, 8_000));
    const pcm = Int16Array.from(doubled, (sample) => Math.round(sample * 32_768)).subarray(400, 15_600);
    expect(amplitudeAt(pcm, 500)).toBeGreaterThan(7_800);
    expect(amplitudeAt(pcm, 3_500)).toBeLessThan(10);
    expect(doubled).toHaveLength(16_000);
  });

  test('down and up again is the same speech, sample for sample in time', () => {
    const original = sine(700, 4_000);
    const back = halveRate(Int16Array.from(doubleRate(original), (sample) => Math.round(sample * 32_768)));
    for (let i = 200; i < 3_800; i++) expect(Math.abs(back[i]! - original[i]!)).toBeLessThan(30);
  });

  test('loud input is clipped, never wrapped', () => {
    const square = Int16Array.from({ length: 400 }, (_, i) => (Math.floor(i / 50) % 2 === 0 ? 32_767 : -32_768));
    const half = halveRate(square);
    for (let i = 30; i < 45; i++) expect(Math.sign(half[i]!)).toBe(Math.sign(square[2 * i]!));
    expect(halveRate(new Int16Array(0))).toHaveLength(0);
  });
});
