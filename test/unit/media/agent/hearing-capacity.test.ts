import { callersHeard, measureRecognition } from '../../../../media/agent/hearing-capacity';
import type { SpeechToText } from '../../../../media/agent/speech-to-text';

/** Takes the given times, one after the other, on a clock of its own. */
class TimedStt implements SpeechToText {
  readonly name = 'timed';
  nowMs = 1_000;
  runs = 0;
  readonly #tookMs: readonly number[];

  constructor(...tookMs: number[]) {
    this.#tookMs = tookMs;
  }

  transcribe(): Promise<{ text: string; confidence: null }> {
    this.nowMs += this.#tookMs[this.runs++ % this.#tookMs.length]!;
    return Promise.resolve({ text: 'a table for two', confidence: null });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const measured = (stt: TimedStt, limitMs = 10_000): Promise<number> =>
  measureRecognition(stt, new Int16Array(24_000), { limitMs, now: () => stt.nowMs });

describe('what a recogniser can hear', () => {
  test('is measured by the better of five runs: one that was kept waiting does not count', async () => {
    const stt = new TimedStt(150, 140, 2_000, 160, 145);
    expect(await measured(stt)).toBe(145);
    expect(stt.runs).toBe(5);
  });

  test('is measured in the time there is, by one run at least', async () => {
    const slow = new TimedStt(400);
    expect(await measured(slow, 600)).toBe(400);
    expect(slow.runs).toBe(2);
    const slower = new TimedStt(5_000);
    expect(await measured(slower, 600)).toBe(5_000);
    expect(slower.runs).toBe(1);
  });

  test('is fewer callers the longer an utterance takes, and never none', () => {
    expect(callersHeard(150)).toBe(22);
    expect(callersHeard(75)).toBe(44);
    expect(callersHeard(400)).toBe(8);
    expect(callersHeard(60_000)).toBe(4);
  });

  test('is not known of a recogniser that fails', async () => {
    const broken = new TimedStt(1);
    broken.transcribe = () => Promise.reject(new Error('broken'));
    await expect(measured(broken)).rejects.toThrow('broken');
  });
});
