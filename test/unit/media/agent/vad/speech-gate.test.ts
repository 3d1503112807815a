import fc from 'fast-check';
import { SpeechGate } from '../../../../../media/agent/vad/speech-gate';
import type { VadEvent } from '../../../../../media/agent/vad/voice-activity';

const WINDOW = 256;

function run(probabilities: readonly number[]): VadEvent[] {
  const gate = new SpeechGate(3, WINDOW);
  return probabilities.flatMap((probability) => gate.push(probability) ?? []);
}

const times = (n: number, probability: number): number[] => Array.from({ length: n }, () => probability);

describe('SpeechGate', () => {
  test('opens after two windows that are sure together, with the onset at the first faint one before them', () => {
    expect(run([0.02, 0.2, 0.3, 0.8])).toEqual([{ type: 'speech_start', mediaId: 3, atSample: WINDOW, speechMs: 96 }]);
    expect(run([0.9, 0.02, 0.3, 0.6, 0.3, 0.6])).toEqual([]);
    expect(run([0.1, 0.9])).toEqual([]);
    expect(run([0.1, 0.9, 0.8])).toEqual([{ type: 'speech_start', mediaId: 3, atSample: 0, speechMs: 96 }]);
  });

  test('counts a hiss or a soft beginning, of which the detector is hardly aware, as speech: some 250 ms at most', () => {
    expect(run([0.01, 0.1, 0.22, 0.06, 0.09, 0.04, 0.82, 0.96])).toMatchObject([{ atSample: WINDOW, speechMs: 224 }]);
    expect(run([...times(40, 0.06), 0.9, 0.9])).toMatchObject([{ speechMs: 256 }]);
  });

  test('does not open for single loud windows', () => {
    expect(run([0.9, 0.1, 0.9, 0.1, 0.9, 0.1])).toEqual([]);
  });

  test('stays open for weak syllables, and counts the length of speech since its onset', () => {
    const events = run([0.9, 0.9, 0.4, 0.4, 0.9]);
    expect(events.map((event) => event.type)).toEqual(['speech_start', ...times(3, 0).map(() => 'speech_continues')]);
    expect(events.at(-1)).toMatchObject({ speechMs: 160 });
  });

  test('reports the growing silence, until two seconds', () => {
    const events = run([0.9, 0.9, ...times(100, 0)]);
    const pauses = events.filter((event) => event.type === 'pause');
    expect(pauses[0]).toEqual({ type: 'pause', mediaId: 3, silenceMs: 32, speechMs: 64 });
    expect(pauses.at(-1)!.silenceMs).toBeLessThanOrEqual(2_000);
    expect(pauses).toHaveLength(62);
  });

  test('takes up the same speech after a short pause and begins anew after a long one', () => {
    expect(run([0.9, 0.9, ...times(5, 0), 0.9]).at(-1)).toMatchObject({ type: 'speech_continues', speechMs: 256 });
    expect(run([0.9, 0.9, ...times(12, 0), 0.9, 0.9]).at(-1)).toMatchObject({
      type: 'speech_start',
      atSample: 14 * WINDOW,
    });
  });

  test('reports long speech about every 100 ms', () => {
    const events = run(times(100, 0.9));
    const late = events.filter((event) => event.type === 'speech_continues' && event.speechMs > 500);
    expect(late.length).toBeGreaterThan(15);
    expect(late.length).toBeLessThan(30);
  });

  test('never reports silence or continued speech before an onset, and never a negative length', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 }), (probabilities) => {
        const events = run(probabilities);
        if (events.length > 0) expect(events[0]!.type).toBe('speech_start');
        for (const event of events) expect(event.speechMs).toBeGreaterThanOrEqual(64);
      }),
    );
  });
});
