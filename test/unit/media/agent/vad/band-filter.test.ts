import { BandFilter, HISS_BAND, VOICE_BAND } from '../../../../../media/agent/vad/band-filter';
import { sine } from '../../../../support/tones';

function decimated(pcm: Int16Array, block: number, band = VOICE_BAND): number[] {
  const filter = new BandFilter(band, block);
  const output: number[] = [];
  for (let at = 0; at + block <= pcm.length; at += block) output.push(...filter.push(pcm.subarray(at, at + block)));
  return output;
}

const rmsOf = (values: readonly number[]): number => Math.hypot(...values) / Math.sqrt(values.length);

describe('BandFilter', () => {
  test('gives the same whatever the blocks', () => {
    const tone = sine(440, 3840);
    expect(decimated(tone, 160)).toEqual(decimated(tone, 256));
  });

  test('keeps what a quarter of the rate can hold, and no mirror image of what it cannot', () => {
    const loudness = (hz: number): number => rmsOf(decimated(sine(hz, 8000), 160).slice(50));
    expect(loudness(500)).toBeGreaterThan(2_000);
    for (const hz of [1_250, 1_500, 2_000, 3_400]) expect(loudness(hz)).toBeLessThan(loudness(500) / 50);
  });

  test('keeps of hisses what every line carries, and nothing of a voice', () => {
    const loudness = (hz: number): number => rmsOf(decimated(sine(hz, 8000), 160, HISS_BAND).slice(50));
    expect(loudness(2_300)).toBeGreaterThan(2_000);
    expect(loudness(2_700)).toBeGreaterThan(2_000);
    for (const hz of [300, 1_000, 1_700, 3_300]) expect(loudness(hz)).toBeLessThan(loudness(2_300) / 50);
  });

  test('begins anew as after silence', () => {
    const filter = new BandFilter(VOICE_BAND, 160);
    const first = [...filter.push(sine(300, 160))];
    filter.push(sine(700, 160));
    filter.reset();
    expect([...filter.push(sine(300, 160))]).toEqual(first);
  });
});
