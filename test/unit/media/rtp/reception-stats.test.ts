import { ReceptionStats } from '../../../../media/rtp/reception-stats';

function receive(stats: ReceptionStats, numbers: readonly number[], ssrc = 1): void {
  for (const n of numbers) stats.update(ssrc, n & 0xffff, (n * 160) >>> 0, n * 20);
}

function statsAt(clockRateHz: number): ReceptionStats {
  const stats = new ReceptionStats();
  stats.useClock(clockRateHz);
  return stats;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('ReceptionStats', () => {
  it('counts nothing before the first packet', () => {
    const stats = statsAt(8000);
    expect(stats.report()).toBeNull();
    expect(stats).toMatchObject({ packetsReceived: 0, packetsExpected: 0, packetsLost: 0, jitterMs: 0 });
  });

  it('counts loss over the wrap of the sequence number', () => {
    const stats = statsAt(8000);
    receive(
      stats,
      range(65_500, 65_600).filter((n) => n % 10 !== 5),
    );
    expect(stats).toMatchObject({ packetsExpected: 100, packetsReceived: 90, packetsLost: 10 });
    expect(stats.report()).toMatchObject({ ssrc: 1, totalLost: 10, highestSequenceNumber: 65_599, fractionLost: 25 });
  });

  it('reports the fraction lost since the last report', () => {
    const stats = statsAt(8000);
    receive(stats, range(0, 100));
    expect(stats.report()).toMatchObject({ fractionLost: 0 });
    receive(
      stats,
      range(100, 200).filter((n) => n % 4 !== 1),
    );
    expect(stats.report()).toMatchObject({ fractionLost: 64, totalLost: 25 });
    expect(stats.report()).toMatchObject({ fractionLost: 0 });
  });

  it('does not count reordered packets as lost', () => {
    const stats = statsAt(8000);
    receive(stats, [1, 2, 4, 3, 5]);
    expect(stats.packetsLost).toBe(0);
  });

  it('keeps the totals of earlier streams', () => {
    const stats = statsAt(8000);
    receive(stats, [1, 2, 4]);
    receive(stats, [1000, 1001, 1003], 2);
    expect(stats).toMatchObject({ packetsReceived: 6, packetsLost: 2 });
    expect(stats.report()).toMatchObject({ ssrc: 2, totalLost: 1 });
  });

  it('starts anew when the sender restarts its numbers', () => {
    const stats = statsAt(8000);
    receive(stats, [1, 2, 3]);
    receive(stats, [30_000, 30_001, 30_002]);
    expect(stats.packetsLost).toBeLessThanOrEqual(1);
    expect(stats.report()?.highestSequenceNumber).toBe(30_002);
  });

  it('a single stray number does not count as thousands lost', () => {
    const stats = statsAt(8000);
    receive(stats, [1, 2, 3, 30_000, 4, 5]);
    expect(stats.packetsLost).toBe(0);
  });

  it('has no jitter on an even stream and the mean deviation on an uneven one', () => {
    const even = statsAt(8000);
    receive(even, range(0, 200));
    expect(even.jitterMs).toBe(0);
    const uneven = statsAt(8000);
    for (const n of range(0, 400)) uneven.update(1, n, n * 160, n * 20 + (n % 2) * 10);
    expect(uneven.jitterMs).toBeGreaterThan(9);
    expect(uneven.jitterMs).toBeLessThan(10.1);
  });

  it('measures the jitter of another clock in its ticks', () => {
    const stats = statsAt(8000);
    receive(stats, range(0, 200));
    stats.useClock(48_000);
    for (const n of range(200, 600)) stats.update(1, n, n * 960, n * 20 + (n % 2) * 10);
    expect(stats.jitterMs).toBeGreaterThan(9);
    expect(stats.jitterMs).toBeLessThan(10.1);
    expect(stats.report()?.jitter).toBeGreaterThan(9 * 48);
    expect(stats.packetsReceived).toBe(600);
  });

  it('a jump of the timestamps is not jitter', () => {
    const stats = statsAt(8000);
    stats.update(1, 1, 0, 0);
    stats.update(1, 2, 3_000_000_000, 20);
    stats.update(1, 3, 3_000_000_160, 40);
    expect(stats.jitterMs).toBe(0);
  });
});
