import fc from 'fast-check';

import { NonceCountWindow } from '../../../../../media/sip/auth/nonce-count';
import { FakeClock } from '../../../../fakes/fake-clock';

describe('nonce count window', () => {
  it('accepts each count once, and none that is 32 or more behind', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 100 }), (counts) => {
        const window = new NonceCountWindow(new FakeClock(), 1_000);
        const used = new Set<number>();
        let highest = -1;
        for (const count of counts) {
          const expected = !used.has(count) && (highest < 0 || count > highest - 32);
          expect(window.use('n', count)).toBe(expected);
          if (!expected) continue;
          used.add(count);
          highest = Math.max(highest, count);
        }
      }),
    );
  });

  it('forgets nonces that have expired anyway, and stays bounded', async () => {
    const clock = new FakeClock();
    const window = new NonceCountWindow(clock, 1_000);
    for (let i = 0; i < 100; i++) window.use(`n${i}`, 1);
    expect(window.use('n0', 1)).toBe(false);
    await clock.advance(1_001);
    for (let i = 0; i < 100; i++) expect(window.use(`n${i}`, 1)).toBe(true);
    for (let i = 0; i < 60_000; i++) window.use(`m${i}`, 1);
    expect(window.use('m59999', 1)).toBe(false);
    expect(window.use('m10001', 1)).toBe(false);
    expect(window.use('m9999', 1)).toBe(true);
  });
});
