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

test('strain is the time without a rest, and none is left once there was one', () => {
  const { strain, turns } = loop();
  turns(1, 5, 10);
  turns(100, 5);
  expect(strain.strainMs).toBe(500);
  turns(1, 5, 0.1);
  expect(strain.strainMs).toBe(0);
});

test.each([60, 100, 1_000, 10_000])('one stall of %d ms is no strain, nor is the work that it leaves', (stallMs) => {
  const { strain, turns } = loop();
  turns(1, 5, 10);
  turns(10, 5);
  turns(1, stallMs);
  expect(strain.strainMs).toBe(75);
  turns(30, 5);
  expect(strain.strainMs).toBe(225);
  turns(1, 5, 1);
  expect(strain.strainMs).toBe(0);
});

test('stall after stall without a rest is strain', () => {
  const { strain, turns } = loop();
  turns(1, 5, 10);
  turns(21, 100);
  expect(strain.strainMs).toBe(525);
});

test('what is read after a rest has not waited; otherwise it may have since the last turn', () => {
  const { turns, unread, pass } = loop();
  expect(unread()).toBe(0);
  turns(1, 5, 10);
  pass(40);
  expect(unread()).toBe(40);
});
