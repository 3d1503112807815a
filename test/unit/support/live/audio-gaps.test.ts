import { arrivalTimes, gapsUntil, stallsOf, unexplainedMs } from '../../../support/live/audio-gaps';

describe('gaps in what a phone hears', () => {
  it('counts the time between packets and the silence before the end', () => {
    const times = arrivalTimes({ firstAtMs: 1_000, arrivalsMs: Float64Array.from([1_020, 1_300, 1_320]) });
    const gaps = gapsUntil(times, 1_600).map(({ startMs, endMs }) => endMs - startMs);
    expect(gaps).toEqual([20, 280, 20, 280]);
  });

  it('ignores what came after the end', () => {
    expect(gapsUntil([0, 20, 400], 40)).toEqual([
      { startMs: 0, endMs: 20 },
      { startMs: 20, endMs: 40 },
    ]);
  });

  it('has none without a packet', () => {
    expect(gapsUntil(arrivalTimes({ firstAtMs: null, arrivalsMs: new Float64Array(0) }), 1_000)).toEqual([]);
  });

  it('takes off only the time in which the control stood still as well', () => {
    const stalls = stallsOf([0, 20, 40, 190, 210, 260], 280);
    expect(stalls).toEqual([{ startMs: 40, endMs: 190 }]);
    expect(unexplainedMs({ startMs: 30, endMs: 200 }, stalls)).toBe(20);
    expect(unexplainedMs({ startMs: 100, endMs: 500 }, stalls)).toBe(310);
    expect(unexplainedMs({ startMs: 300, endMs: 600 }, stalls)).toBe(300);
  });
});
