import { LoopStrain } from '../../../../media/sip/loop-strain';

/** A loop whose turns take as long as is said; between them it rests, or does not. */
function loop() {
  const strain = new LoopStrain();
  let nowMs = 1_000;
  let restedMs = 0;
  const turns = (count: number, eachMs: number, restMs = 0): void => {
    for (let n = 0; n < count; n++) {
      nowMs += eachMs + restMs;
      restedMs += restMs;
      strain.turn(nowMs, restedMs);
    }
  };
  return {
    strain,
    turns,
    unread: () => nowMs - strain.unreadSinceMs(nowMs, restedMs),
    pass: (ms: number) => (nowMs += ms),
  };
}

test('a thread is strained when it has not rested for a while, and no more once it has', () => {
  const { strain, turns } = loop();
  turns(1, 5, 10);
  turns(100, 5);
  expect(strain.strained).toBe(false);
  turns(1, 5);
  expect(strain.strained).toBe(true);
  turns(1, 5, 0.1);
  expect(strain.strained).toBe(false);
});

test.each([60, 100, 1_000, 10_000])('one stall of %d ms is no strain, nor is the work that it leaves', (stallMs) => {
  const { strain, turns } = loop();
  turns(1, 5, 10);
  turns(10, 5);
  turns(1, stallMs);
  expect(strain.strained).toBe(false);
  turns(30, 5);
  expect(strain.strained).toBe(false);
  turns(1, 5, 1);
  expect(strain.strained).toBe(false);
});

test('stall after stall without a rest is strain', () => {
  const { strain, turns } = loop();
  turns(1, 5, 10);
  turns(21, 100);
  expect(strain.strained).toBe(true);
});

test('what is read after a rest has not waited; otherwise it may have since the last turn', () => {
  const { turns, unread, pass } = loop();
  expect(unread()).toBe(0);
  turns(1, 5, 10);
  pass(40);
  expect(unread()).toBe(40);
});
