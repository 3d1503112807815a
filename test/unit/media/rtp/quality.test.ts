import { createCodec } from '../../../../media/codec/codec';
import { estimateMos } from '../../../../media/rtp/quality';

const { packetLossRobustness } = createCodec('PCMU');

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
    expect(Math.abs(estimateMos({ lossPct, oneWayDelayMs, packetLossRobustness }) - mos)).toBeLessThan(0.02);
  });

  it('falls with loss and with delay, within 1..4.5', () => {
    let before = 4.5;
    for (let lossPct = 0; lossPct <= 100; lossPct += 5) {
      const mos = estimateMos({ lossPct, oneWayDelayMs: 50, packetLossRobustness });
      expect(mos).toBeLessThanOrEqual(before);
      expect(mos).toBeGreaterThanOrEqual(1);
      before = mos;
    }
    expect(estimateMos({ lossPct: 1, oneWayDelayMs: 300, packetLossRobustness })).toBeLessThan(
      estimateMos({ lossPct: 1, oneWayDelayMs: 100, packetLossRobustness }),
    );
  });

  it('is better by a codec of which less is heard where packets are lost, and the same where none is', () => {
    const of = (lossPct: number, robustness: number): number =>
      estimateMos({ lossPct, oneWayDelayMs: 60, packetLossRobustness: robustness });
    expect(of(5, 2 * packetLossRobustness)).toBeGreaterThan(of(5, packetLossRobustness));
    expect(of(0, 2 * packetLossRobustness)).toBe(of(0, packetLossRobustness));
  });
});
