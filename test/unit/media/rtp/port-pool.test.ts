import fc from 'fast-check';

import { PortPool } from '../../../../media/rtp/port-pool';
import { RtpError } from '../../../../media/rtp/rtp-error';

describe('PortPool', () => {
  it('hands out even ports whose RTCP port is in the range too', () => {
    const pool = new PortPool({ min: 10_001, max: 10_010, now: () => 0 });
    const ports = Array.from({ length: 4 }, () => pool.take());
    expect(ports.toSorted((a, b) => a - b)).toEqual([10_002, 10_004, 10_006, 10_008]);
    expect(() => pool.take()).toThrow(new RtpError('no_port', 'all RTP ports are in use or resting'));
  });

  it('a port rests 30 s', () => {
    let nowMs = 0;
    const pool = new PortPool({ min: 10_000, max: 10_001, now: () => nowMs });
    const port = pool.take();
    nowMs = 5000;
    pool.release(port);
    nowMs = 34_999;
    expect(() => pool.take()).toThrow(RtpError);
    nowMs = 35_000;
    expect(pool.take()).toBe(port);
  });

  it('takes ports in no order that could be guessed', () => {
    const order = (): string => {
      const pool = new PortPool({ min: 10_000, max: 12_000, now: () => 0 });
      return Array.from({ length: 10 }, () => pool.take()).join();
    };
    expect(new Set([order(), order(), order()]).size).toBe(3);
  });

  it('never hands out a port twice, and a second release changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('take'), fc.integer({ min: 0, max: 20 })), { maxLength: 80 }),
        (steps) => {
          let nowMs = 0;
          const pool = new PortPool({ min: 10_000, max: 10_019, now: () => nowMs });
          const held: number[] = [];
          const restingUntilMs = new Map<number, number>();
          for (const step of steps) {
            nowMs += 10_000;
            if (step === 'take') {
              const resting = [...restingUntilMs.values()].filter((untilMs) => untilMs > nowMs);
              if (held.length + resting.length === 10) {
                expect(() => pool.take()).toThrow(RtpError);
                continue;
              }
              const port = pool.take();
              expect(held).not.toContain(port);
              expect(restingUntilMs.get(port) ?? 0).toBeLessThanOrEqual(nowMs);
              held.push(port);
            } else if (held.length > 0) {
              const port = held.splice((step as number) % held.length, 1)[0] as number;
              pool.release(port);
              pool.release(port);
              restingUntilMs.set(port, nowMs + 30_000);
            }
          }
          nowMs += 30_000;
          while (held.length < 10) held.push(pool.take());
          expect(new Set(held).size).toBe(10);
          expect(() => pool.take()).toThrow(RtpError);
        },
      ),
    );
  });
});
