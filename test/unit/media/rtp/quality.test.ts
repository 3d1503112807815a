import { estimateMos } from '../../../../media/rtp/quality';

describe('estimateMos', () => {
  test.each([
    [0, 0, 4.41],
    [0, 60, 4.38],
    [1, 60, 4.29],
    [5, 60, 3.86],
    [20, 60, 2.56],
    [0, 400, 3.05],
    [100, 60, 1.14],
  ])('%i %% loss and %i ms delay give %f', (lossPct, oneWayDelayMs, mos) => {
    expect(Math.abs(estimateMos({ lossPct, oneWayDelayMs }) - mos)).toBeLessThan(0.02);
  });

  it('falls with loss and with delay, within 1..4.5', () => {
    let before = 4.5;
    for (let lossPct = 0; lossPct <= 100; lossPct += 5) {
      const mos = estimateMos({ lossPct, oneWayDelayMs: 50 });
      expect(mos).toBeLessThanOrEqual(before);
      expect(mos).toBeGreaterThanOrEqual(1);
      before = mos;
    }
    expect(estimateMos({ lossPct: 1, oneWayDelayMs: 300 })).toBeLessThan(
      estimateMos({ lossPct: 1, oneWayDelayMs: 100 }),
    );
  });
});
