import { trimSpeech } from '../../../../media/agent/speech-trim';
import { sine } from '../../../support/tones';

describe('trimSpeech', () => {
  test('cuts silence and hiss to 30 ms before and 150 ms after the speech', () => {
    const pcm = sine(1_000, 16_000, 40);
    pcm.set(sine(300, 4_000), 8_000);
    const trimmed = trimSpeech(pcm);
    expect(trimmed.length).toBeGreaterThanOrEqual(240 + 4_000 + 1_200);
    expect(trimmed.length).toBeLessThanOrEqual(240 + 4_000 + 1_200 + 160);
    expect(Math.max(...trimmed.subarray(0, 160))).toBeLessThanOrEqual(40);
  });

  test('leaves speech without silence around it as it is', () => {
    expect(trimSpeech(sine(300, 4_000))).toHaveLength(4_000);
    expect(trimSpeech(new Int16Array(0))).toHaveLength(0);
    expect(trimSpeech(new Int16Array(8_000)).length).toBeLessThanOrEqual(240);
  });
});
