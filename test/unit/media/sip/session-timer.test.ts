import fc from 'fast-check';

import { SessionTimer } from '../../../../media/sip/session-timer';
import { FakeClock } from '../../../fakes/fake-clock';

import type { SessionInterval } from '../../../../media/sip/session-expires';

function timer(): { readonly clock: FakeClock; readonly timer: SessionTimer; readonly told: string[] } {
  const clock = new FakeClock();
  const told: string[] = [];
  const note = (what: string) => (): number => told.push(`${what} ${clock.now() / 1_000}`);
  return { clock, told, timer: new SessionTimer({ clock, onRefresh: note('refresh'), onExpired: note('expired') }) };
}

describe('a session timer', () => {
  it.each<[number, number]>([
    [1_800, 1_768],
    [90, 60],
    [96, 64],
    [3, 2],
  ])('of the peer’s, %d s, ends the session after %d s without a refresh', async (seconds, at) => {
    const { clock, timer: session, told } = timer();
    session.start({ seconds, refresher: 'peer' });
    expect(session.state).toBe('watching');
    await clock.advance(at * 1_000 - 1);
    expect(told).toEqual([]);
    await clock.advance(seconds * 1_000);
    expect(told).toEqual([`expired ${at}`]);
    expect([session.state, clock.armed]).toEqual(['expired', 0]);
  });

  it('goes on with each refresh of the peer’s', async () => {
    const { clock, timer: session, told } = timer();
    for (let i = 0; i < 5; i++) {
      session.start({ seconds: 90, refresher: 'peer' });
      await clock.advance(59_000);
    }
    expect(told).toEqual([]);
    await clock.advance(1_000);
    expect(told).toEqual(['expired 296']);
  });

  it('of ours asks for a refresh at half the interval, and after each', async () => {
    const { clock, timer: session, told } = timer();
    session.start({ seconds: 90, refresher: 'us' });
    for (let i = 0; i < 3; i++) {
      await clock.advance(45_000);
      expect(session.state).toBe('refreshing');
      session.start({ seconds: 90, refresher: 'us' });
    }
    expect(told).toEqual(['refresh 45', 'refresh 90', 'refresh 135']);
    session.stop();
    expect([session.state, session.interval, clock.armed]).toEqual(['off', null, 0]);
  });

  it('tries again while there is time, and then the session is over', async () => {
    const { clock, timer: session, told } = timer();
    session.start({ seconds: 90, refresher: 'us' });
    await clock.advance(45_000);
    session.retryAfter(4_000);
    await clock.advance(4_000);
    session.retryAfter(60_000);
    await clock.advance(60_000);
    expect(told).toEqual(['refresh 45', 'refresh 49', 'expired 60']);
    expect(clock.armed).toBe(0);
  });

  it('no interval: nothing ever happens', async () => {
    const { clock, timer: session, told } = timer();
    session.start(null);
    await clock.advance(86_400_000);
    expect([session.state, told]).toEqual(['off', []]);
  });

  it('is tried again only where a refresh was under way', () => {
    const { timer: session } = timer();
    expect(() => session.retryAfter(1)).toThrow('refreshes nothing while it is off');
  });

  it('has armed timers in the states that wait, and in no other, whatever comes', async () => {
    const step = fc.oneof(
      fc.record({
        seconds: fc.integer({ min: 1, max: 4_000 }),
        refresher: fc.constantFrom('us' as const, 'peer' as const),
      }),
      fc.constantFrom(null, 'retry' as const, 'stop' as const),
      fc.integer({ min: 1, max: 4_000_000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, timer: session, told } = timer();
        for (const what of steps) {
          if (typeof what === 'number') await clock.advance(what);
          else if (what === 'stop') session.stop();
          else if (what !== 'retry') session.start(what satisfies SessionInterval | null);
          else if (session.state === 'refreshing') session.retryAfter(1_000);
          const armed = { off: 0, waiting: 2, refreshing: 1, watching: 1, expired: 0 }[session.state];
          expect(clock.armed).toBe(armed);
        }
        session.stop();
        const before = told.length;
        await clock.advance(10_000_000);
        expect([clock.armed, told.length]).toEqual([0, before]);
      }),
      { numRuns: 200 },
    );
  });
});
