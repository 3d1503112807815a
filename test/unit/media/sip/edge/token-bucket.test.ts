import { SourceRateLimiter } from '../../../../../media/sip/edge/token-bucket';
import { FakeClock } from '../../../../fakes/fake-clock';

describe('source rate limiter', () => {
  it('lets a burst through, then the steady rate, each source for itself', async () => {
    const clock = new FakeClock();
    const limiter = new SourceRateLimiter({ perSecond: 10, burst: 5 }, clock);
    const taken = (source: string, times: number): number =>
      Array.from({ length: times }, () => limiter.take(source)).filter(Boolean).length;
    expect(taken('a', 9)).toBe(5);
    expect(taken('b', 9)).toBe(5);
    await clock.advance(300);
    expect(taken('a', 9)).toBe(3);
    await clock.advance(60_000);
    expect(taken('a', 9)).toBe(5);
  });

  it('holds a bounded number of sources', () => {
    const limiter = new SourceRateLimiter({ perSecond: 1, burst: 1 }, new FakeClock());
    for (let i = 0; i < 30_000; i++) limiter.take(`source ${i}`);
    expect(limiter.size).toBe(20_000);
  });
});
