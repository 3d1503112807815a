import { Retransmission } from '../../../../media/sip/retransmission';
import { FakeClock } from '../../../fakes/fake-clock';

import type { Pace } from '../../../../media/sip/retransmission';

async function times(pace: (elapsedMs: number) => Pace, untilMs: number): Promise<number[]> {
  const clock = new FakeClock();
  const sent: number[] = [];
  new Retransmission({ clock, pace: () => pace(clock.now()), send: () => sent.push(clock.now()), onStop: () => {} });
  await clock.advance(untilMs);
  return sent;
}

describe('retransmission', () => {
  it('doubles as timer A', async () => {
    expect(await times(() => 'double', 32_000)).toEqual([500, 1_500, 3_500, 7_500, 15_500, 31_500]);
  });

  it('doubles up to T2 as timers E and G', async () => {
    expect(await times(() => 'backoff', 16_000)).toEqual([500, 1_500, 3_500, 7_500, 11_500, 15_500]);
  });

  it('goes at T2 once a provisional came, as timer E', async () => {
    expect(await times((now) => (now < 600 ? 'backoff' : 'slow'), 14_000)).toEqual([500, 1_500, 5_500, 9_500, 13_500]);
  });

  it('stops by itself, when checked and when told, once', async () => {
    const clock = new FakeClock();
    const stops: string[] = [];
    let pace: Pace = 'double';
    const make = (name: string): Retransmission =>
      new Retransmission({ clock, pace: () => pace, send: () => {}, onStop: () => stops.push(name) });
    const [one, two, three] = [make('one'), make('two'), make('three')];
    two.stop();
    two.stop();
    pace = 'stop';
    one.check();
    await clock.advance(600);
    three.check();
    expect(stops).toEqual(['two', 'one', 'three']);
    expect(clock.armed).toBe(0);
  });
});
