import fc from 'fast-check';
import { KeyPresses } from '../../../../media/call/key-presses';

type Told = readonly [way: 'event' | 'info', digit: string, atMs: number, durationMs?: number];

function counted(...told: readonly Told[]): string {
  const presses = new KeyPresses();
  return told
    .filter(([way, digit, atMs, durationMs = 100]) =>
      way === 'event' ? presses.event(digit, durationMs, atMs) : presses.info(digit, atMs),
    )
    .map(([, digit]) => digit)
    .join('');
}

describe('KeyPresses', () => {
  it.each<[string, Told[], string]>([
    [
      'an INFO before its event',
      [
        ['info', '1', 0],
        ['event', '1', 120],
      ],
      '1',
    ],
    [
      'an event before its INFO',
      [
        ['event', '1', 0],
        ['info', '1', 300],
      ],
      '1',
    ],
    [
      'an INFO at the start of a long press',
      [
        ['info', '1', 0],
        ['event', '1', 9000, 8990],
      ],
      '1',
    ],
    [
      'events alone',
      [
        ['event', '1', 0],
        ['event', '1', 300],
      ],
      '11',
    ],
    [
      'INFOs alone',
      [
        ['info', '1', 0],
        ['info', '1', 300],
      ],
      '11',
    ],
    [
      'different digits',
      [
        ['info', '1', 0],
        ['event', '2', 100],
      ],
      '12',
    ],
    [
      'one digit twice',
      [
        ['info', '1', 0],
        ['event', '1', 100],
        ['info', '1', 300],
        ['event', '1', 400],
      ],
      '11',
    ],
    [
      'both INFOs first',
      [
        ['info', '1', 0],
        ['info', '1', 300],
        ['event', '1', 400],
        ['event', '1', 500],
      ],
      '11',
    ],
    [
      'one whose INFO is lost',
      [
        ['event', '1', 0],
        ['event', '1', 300],
        ['info', '1', 300],
      ],
      '11',
    ],
    [
      'the other way long after',
      [
        ['event', '1', 0],
        ['info', '1', 5000],
      ],
      '11',
    ],
  ])('%s', (_, told, digits) => {
    expect(counted(...told)).toBe(digits);
  });

  it('presses told by both ways, or one of them lost, are counted once each', () => {
    const press = fc.record({
      digit: fc.constantFrom('1', '2'),
      durationMs: fc.integer({ min: 40, max: 3000 }),
      pauseMs: fc.integer({ min: 60, max: 3000 }),
      infoAfterMs: fc.integer({ min: 0, max: 50 }),
      told: fc.constantFrom('both', 'event', 'info'),
    });
    fc.assert(
      fc.property(fc.array(press, { maxLength: 20 }), (list) => {
        const told: Told[] = [];
        let startMs = 0;
        for (const { digit, durationMs, pauseMs, infoAfterMs, told: by } of list) {
          if (by !== 'event') told.push(['info', digit, startMs + infoAfterMs]);
          if (by !== 'info') told.push(['event', digit, startMs + durationMs, durationMs]);
          startMs += durationMs + pauseMs;
        }
        told.sort((a, b) => a[2] - b[2]);
        const events = told.filter(([way]) => way === 'event').length;
        const heard = counted(...told).length;
        expect(heard).toBeGreaterThanOrEqual(Math.max(events, told.length - events));
        expect(heard).toBeLessThanOrEqual(list.length);
      }),
    );
  });
});
