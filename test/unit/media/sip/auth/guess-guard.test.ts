import { GuessGuard } from '../../../../../media/sip/auth/guess-guard';
import { FakeClock } from '../../../../fakes/fake-clock';

import type { GuessReport } from '../../../../../media/sip/auth/guess-log';

const from = (address: string, port = 5060): { address: string; flow: string } => ({
  address,
  flow: `udp ${address} ${port}`,
});

describe('guess guard', () => {
  let clock: FakeClock;
  let reports: GuessReport[];
  let guard: GuessGuard;

  beforeEach(() => {
    clock = new FakeClock();
    reports = [];
    guard = new GuessGuard({ clock, onGuesses: (report) => reports.push(report) });
  });

  afterEach(() => {
    guard.close();
    expect(clock.armed).toBe(0);
  });

  /** Tries as fast as it is let, and fails each time; how often it was let. */
  async function guess(
    seconds: number,
    attempt: (n: number) => [origin: ReturnType<typeof from>, user: string],
  ): Promise<number> {
    let tried = 0;
    for (let n = 0; n < seconds * 100; n++) {
      const [origin, user] = attempt(n);
      if (guard.mayTry(origin, user)) {
        guard.failed(origin, user, undefined);
        tried += 1;
      }
      await clock.advance(10);
    }
    return tried;
  }

  it('doubles the pause after each further mistake, up to 30 s', async () => {
    const origin = from('192.0.2.1');
    const pauses: number[] = [];
    for (let n = 0; n < 12; n++) {
      guard.failed(origin, 'alice', undefined);
      const began = clock.now();
      while (!guard.mayTry(origin, 'alice')) await clock.advance(100);
      pauses.push(clock.now() - began);
    }
    expect(pauses).toEqual([0, 0, 0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('leaves a guesser of one user a handful of tries, and then two a minute', async () => {
    expect(await guess(60, () => [from('192.0.2.1'), 'alice'])).toBeLessThanOrEqual(11);
    expect(await guess(60, () => [from('192.0.2.1'), 'alice'])).toBeLessThanOrEqual(2);
  });

  it('slows a source that tries another user each time, from all its ports and all its addresses of one /64', async () => {
    expect(await guess(60, (n) => [from('192.0.2.1', 1_024 + n), `user-${n}`])).toBeLessThanOrEqual(18);
    expect(await guess(60, (n) => [from(`2001:db8::${n.toString(16)}`), `user-${n}`])).toBeLessThanOrEqual(18);
  });

  it('never keeps the right password from elsewhere waiting', async () => {
    await guess(30, (n) => [from(`192.0.2.${n % 200}`), 'alice']);
    expect(guard.mayTry(from('192.0.2.1'), 'alice')).toBe(false);
    expect(guard.mayTry(from('198.51.100.1'), 'alice')).toBe(true);
    expect(guard.mayTry(from('2001:db8:1::1'), 'alice')).toBe(true);
  });

  it('does not keep one user of a source waiting for the mistakes of another', async () => {
    await guess(30, () => [from('192.0.2.1'), 'alice']);
    expect(guard.mayTry(from('192.0.2.1'), 'alice')).toBe(false);
    expect(guard.mayTry(from('192.0.2.1'), 'bob')).toBe(true);
  });

  it('does not keep those waiting who proved themselves behind the NAT of a guesser', async () => {
    guard.succeeded(from('192.0.2.1', 5_070), 'alice');
    await guess(30, (n) => [from('192.0.2.1', 40_000), `user-${n}`]);
    expect(guard.mayTry(from('192.0.2.1', 40_000), 'carol')).toBe(false);
    expect(guard.mayTry(from('192.0.2.1', 5_071), 'alice')).toBe(true);
    await guess(30, () => [from('192.0.2.1', 40_000), 'alice']);
    expect(guard.mayTry(from('192.0.2.1', 40_000), 'alice')).toBe(false);
  });

  it('knows the flow of a user who proved himself while his own password is guessed beside him', async () => {
    const [own, other] = [from('192.0.2.1', 5_070), from('192.0.2.1', 40_000)];
    guard.succeeded(own, 'alice');
    await guess(3, () => [other, 'alice']);
    expect([guard.mayTry(other, 'alice'), guard.mayTry(own, 'alice')]).toEqual([false, true]);
    // A password that was changed: from here on he is as slow as anybody.
    guard.failed(own, 'alice', undefined);
    expect(guard.mayTry(own, 'alice')).toBe(false);
  });

  it('begins anew after the right password, and for a source after an hour without a mistake', async () => {
    const origin = from('192.0.2.1');
    await guess(5, () => [origin, 'alice']);
    guard.succeeded(origin, 'alice');
    for (let n = 0; n < 3; n++) guard.failed(origin, 'alice', undefined);
    expect(guard.mayTry(origin, 'alice')).toBe(true);
    await guess(30, (n) => [origin, `user-${n}`]);
    expect(guard.mayTry(origin, 'dave')).toBe(false);
    await clock.advance(61 * 60_000);
    for (let n = 0; n < 10; n++) guard.failed(origin, `user-${n}`, undefined);
    expect(guard.mayTry(origin, 'dave')).toBe(true);
  });

  it('tells of the first mistake at once, of all others in sums, one line in 10 s', async () => {
    guard.failed(from('192.0.2.1'), 'alice', 'trunk-a');
    const none = { failures: 0, withheld: 0, trunkIds: [] };
    const first = { ...none, failures: 1, sources: 1, users: 1, from: ['192.0.2.1'], trunkIds: ['trunk-a'] };
    expect(reports).toEqual([first]);
    for (let n = 0; n < 3_000; n++) {
      if (guard.mayTry(from('192.0.2.1'), 'alice')) guard.failed(from('192.0.2.1'), 'alice', 'trunk-a');
    }
    guard.failed(from('192.0.2.2'), 'nobody', undefined);
    expect(reports).toHaveLength(1);
    await clock.advance(10_000);
    expect(reports.slice(1)).toEqual([
      {
        failures: 4,
        withheld: 2_997,
        sources: 2,
        users: 2,
        from: ['192.0.2.1', '192.0.2.2'],
        trunkIds: ['trunk-a'],
      },
    ]);
    await clock.advance(60_000);
    expect(reports).toHaveLength(2);
  });

  it('tells neither user names nor passwords, and what is left when it closes', () => {
    for (let n = 0; n < 8; n++) guard.failed(from(`192.0.2.${n}`), '+15551234567', `trunk-${n}`);
    guard.close();
    expect(reports).toHaveLength(2);
    expect(reports[1]!.from).toHaveLength(5);
    expect(reports[1]!.trunkIds).toHaveLength(5);
    expect(JSON.stringify(reports)).not.toContain('5551234567');
  });

  it('holds a bounded number of users and of sources, the latest', () => {
    const sources = Array.from({ length: 21_000 }, (_, n) => from(`source ${n}`));
    for (const origin of sources) {
      for (let n = 0; n < 7; n++) guard.failed(origin, `other ${n}`, undefined);
      for (let n = 0; n < 4; n++) guard.failed(origin, 'alice', undefined);
    }
    const newest = (paused: boolean[]): void => {
      const count = paused.filter(Boolean).length;
      expect(paused.slice(-count)).not.toContain(false);
      expect(count).toBeLessThanOrEqual(20_000);
      expect(count).toBeGreaterThan(19_500);
    };
    newest(sources.map((origin) => !guard.mayTry(origin, 'nobody')));
    const users = sources.map((_, n) => `user ${n}`);
    for (const user of users) for (let n = 0; n < 4; n++) guard.failed(from(`of ${user}`), user, undefined);
    newest(users.map((user) => !guard.mayTry(from(`of ${user}`), user)));
  });
});
