import { Pacer } from '../../../../media/rtp/pacer';

import type { TimerHandle } from '../../../../media/clock';
import type { PacedSession, PacerClock } from '../../../../media/rtp/pacer';

const SLOTS = 10;

/** Timers fire in order; `stall` lets time pass without them. */
class FakeClock implements PacerClock {
  #now = 1000;
  #nextId = 1;
  fired = 0;
  #timers: { readonly id: number; readonly atMs: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  get armed(): number {
    return this.#timers.length;
  }

  setTimeout(callback: () => void, ms: number): TimerHandle {
    const timer = { id: this.#nextId++, atMs: this.#now + ms, callback };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout({ id }: TimerHandle): void {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  }

  stall(ms: number): void {
    this.#now += ms;
  }

  run(ms: number, latenessMs = 0): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs + latenessMs > end) break;
      this.clearTimeout(next);
      this.#now = Math.max(this.#now, next.atMs + latenessMs);
      this.fired++;
      next.callback();
    }
    this.#now = Math.max(this.#now, end);
  }
}

class Recorder implements PacedSession {
  readonly times: number[] = [];
  readonly skipped: number[] = [];

  onRead(_nowMs: number, skipped: number): void {
    this.skipped.push(skipped);
  }

  onSend(nowMs: number): void {
    this.times.push(nowMs);
  }
}

function pacer() {
  const clock = new FakeClock();
  let rounds = 0;
  const paced = new Pacer({ clock, onRound: () => rounds++ });
  return { clock, paced, rounds: () => rounds };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('Pacer', () => {
  it('serves a session every 20 ms of an absolute schedule, however late its timers are', () => {
    const { clock, paced } = pacer();
    const session = new Recorder();
    paced.add(session);
    clock.run(20_000, 0.9);
    expect(session.times.length).toBeGreaterThanOrEqual(999);
    expect(sum(session.skipped)).toBe(0);
    const drift = (session.times.at(-1) as number) - (session.times[0] as number) - (session.times.length - 1) * 20;
    expect(Math.abs(drift)).toBeLessThanOrEqual(1);
  });

  it.each([
    [1, 1],
    [8, 1],
    [9, 2],
    [100, SLOTS],
  ])('wakes for %i sessions at most %i times in 20 ms, and serves each of them once', (count, wakes) => {
    const { clock, paced, rounds } = pacer();
    const sessions = Array.from({ length: count }, () => new Recorder());
    for (const session of sessions) paced.add(session);
    clock.run(20);
    const [firedBefore, roundsBefore, servedBefore] = [
      clock.fired,
      rounds(),
      sessions.map(({ times }) => times.length),
    ];
    clock.run(1_000);
    expect(clock.fired - firedBefore).toBeLessThanOrEqual(50 * wakes);
    expect(rounds() - roundsBefore).toBe(50);
    expect(sessions.map(({ times }, i) => times.length - servedBefore[i]!)).toEqual(sessions.map(() => 50));
    expect(sum(sessions.flatMap(({ skipped }) => skipped))).toBe(0);
  });

  it('wakes for a few sessions that come at any time at most four times in 20 ms', () => {
    const { clock, paced } = pacer();
    for (let i = 0; i < 20; i++) {
      paced.add(new Recorder());
      clock.run(13);
    }
    const before = clock.fired;
    clock.run(1_000);
    expect(clock.fired - before).toBeLessThanOrEqual(50 * 4);
  });

  it('serves one that comes while it sleeps, of whatever slot, within 6 ms and then every 20', () => {
    for (let afterMs = 0; afterMs < 40; afterMs += 0.5) {
      const { clock, paced } = pacer();
      const first = new Recorder();
      paced.add(first);
      clock.run(afterMs);
      const second = new Recorder();
      const addedMs = clock.now();
      paced.add(second);
      clock.run(200);
      expect(second.times[0]! - addedMs).toBeLessThanOrEqual(6);
      for (const { times, skipped } of [first, second]) {
        // Timers count whole milliseconds: the first may be one late.
        expect(times.slice(1).every((time, i) => Math.abs(time - times[i]! - 20) <= 1)).toBe(true);
        expect(times.length).toBeGreaterThanOrEqual(9);
        expect(sum(skipped)).toBe(0);
      }
    }
  });

  it('serves a new session within 6 ms', () => {
    const { clock, paced } = pacer();
    const addedMs: number[] = [];
    const sessions = Array.from({ length: 40 }, () => new Recorder());
    for (const session of sessions) {
      addedMs.push(clock.now());
      paced.add(session);
      clock.run(7);
    }
    clock.run(20);
    sessions.forEach((session, i) => {
      expect((session.times[0] as number) - (addedMs[i] as number)).toBeLessThanOrEqual(6);
    });
  });

  it('spreads sessions over the frame', () => {
    const { clock, paced } = pacer();
    const sessions = Array.from({ length: 100 }, () => new Recorder());
    for (const session of sessions) {
      paced.add(session);
      clock.run(3);
    }
    clock.run(40);
    const start = clock.now() - 20;
    const perSlot = new Map<number, number>();
    for (const { times } of sessions) {
      const slot = Math.floor(((times.at(-1) as number) - start) / 2);
      perSlot.set(slot, (perSlot.get(slot) ?? 0) + 1);
    }
    expect(Math.max(...perSlot.values())).toBeLessThanOrEqual(14);
  });

  it('skips what a stall swallowed and never sends a burst', () => {
    const { clock, paced } = pacer();
    const session = new Recorder();
    paced.add(session);
    clock.run(100);
    const before = session.times.length;
    clock.stall(205);
    clock.run(100);
    const times = session.times.slice(before - 1);
    for (let i = 2; i < times.length; i++) {
      expect((times[i] as number) - (times[i - 1] as number)).toBeGreaterThan(2);
    }
    expect(sum(session.skipped)).toBeGreaterThanOrEqual(9);
    // Served plus skipped frames keep up with the clock.
    expect(session.times.length + sum(session.skipped)).toBe(Math.floor(405 / 20) + 1);
  });

  it('delays within a frame shift nothing afterwards', () => {
    const { clock, paced } = pacer();
    const session = new Recorder();
    paced.add(session);
    clock.run(100);
    const phase = (session.times[0] as number) % 20;
    clock.stall(15);
    clock.run(100);
    expect(sum(session.skipped)).toBe(0);
    expect((session.times.at(-1) as number) % 20).toBeCloseTo(phase, 0);
  });

  it('tells of each round once', () => {
    const { clock, paced, rounds } = pacer();
    paced.add(new Recorder());
    paced.add(new Recorder());
    clock.run(1000);
    expect(rounds()).toBeGreaterThanOrEqual(49);
    expect(rounds()).toBeLessThanOrEqual(51);
  });

  it('arms no timer without sessions, and goes on when one comes back', () => {
    const { clock, paced } = pacer();
    const session = new Recorder();
    paced.add(session);
    paced.add(session);
    expect(paced.size).toBe(1);
    clock.run(50);
    paced.remove(session);
    paced.remove(session);
    expect(clock.armed).toBe(0);
    clock.run(5000);
    const before = session.times.length;
    paced.add(session);
    clock.run(41);
    expect(session.times.length).toBe(before + 3);
    expect(sum(session.skipped)).toBe(0);
  });

  test.each(['onRead', 'onSend'] as const)('a session may leave while it is served, %s', (leaves) => {
    const { clock, paced } = pacer();
    const others = [new Recorder(), new Recorder()];
    const leaver = { calls: 0, onRead: (): void => undefined, onSend: (): void => undefined };
    leaver[leaves] = () => {
      leaver.calls++;
      paced.remove(leaver);
    };
    paced.add(others[0] as Recorder);
    paced.add(leaver, others[0]);
    paced.add(others[1] as Recorder, others[0]);
    clock.run(100);
    expect(leaver.calls).toBe(1);
    for (const other of others) {
      expect(other.times.length).toBeGreaterThanOrEqual(5);
      expect(other.skipped).toHaveLength(other.times.length);
    }
  });

  it('serves a session at once with whom it is beside: both read before either sends, in the order of their coming', () => {
    const { clock, paced } = pacer();
    const said: string[] = [];
    const session = (name: string): PacedSession => ({
      onRead: () => said.push(`${name} reads`),
      onSend: () => said.push(`${name} sends`),
    });
    const [one, other] = [session('one'), session('other')];
    paced.add(one);
    clock.run(8);
    paced.add(new Recorder());
    clock.run(5);
    said.length = 0;
    paced.add(other, one);
    clock.run(40);
    expect(said).toHaveLength(8);
    for (let round = 0; round < 2; round++) {
      const turn = said.splice(0, 4);
      expect(turn.slice(0, 2).toSorted()).toEqual(['one reads', 'other reads']);
      expect(turn.slice(2)).toEqual(['one sends', 'other sends']);
    }
  });

  it('serves a session by itself where the one beside it is gone', () => {
    const { clock, paced } = pacer();
    const session = new Recorder();
    paced.add(new Recorder());
    clock.run(9);
    paced.add(session, new Recorder());
    clock.run(6);
    expect(session.times).toHaveLength(1);
  });
});
