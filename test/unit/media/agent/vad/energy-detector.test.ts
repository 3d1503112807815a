import { EnergyDetector } from '../../../../../media/agent/vad/energy-detector';

function noise(amplitude: number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, i) => (i % 2 === 0 ? amplitude : -amplitude));
}

describe('EnergyDetector', () => {
  test('tells loud from quiet, each call by its own noise floor', async () => {
    const detector = new EnergyDetector();
    const [quiet, noisy] = [detector.open(), detector.open()];
    const both = new Int16Array(512);
    for (let i = 0; i < 400; i++) {
      both.set(noise(10));
      both.set(noise(1_000), 256);
      await detector.detect([quiet, noisy], both);
    }
    both.set(noise(3_000));
    both.set(noise(1_000), 256);
    const [speech, hum] = await detector.detect([quiet, noisy], both);
    expect(speech).toBeGreaterThan(0.9);
    expect(hum).toBeLessThan(0.3);
  });
});
