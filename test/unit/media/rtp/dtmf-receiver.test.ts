import fc from 'fast-check';

import { DtmfReceiver } from '../../../../media/rtp/dtmf-receiver';
import { RtpPacketView } from '../../../../media/rtp/packet';

function receiver() {
  const digits: [string, number][] = [];
  const dtmf = new DtmfReceiver(8000, (digit, durationMs) => digits.push([digit, durationMs]));
  const view = Object.assign(new RtpPacketView(), { ssrc: 42, sequenceNumber: 65_530 });
  const receive = (timestamp: number, payload: Uint8Array, nowMs: number): void => {
    Object.assign(view, { timestamp: timestamp >>> 0, payloadOffset: 0, payloadBytes: payload.length });
    dtmf.receive(view, payload, nowMs);
  };
  const packet = (timestamp: number, event: number, end: boolean, duration: number, nowMs = 0): void => {
    view.sequenceNumber = (view.sequenceNumber + 1) & 0xffff;
    receive(timestamp, Uint8Array.of(event, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff), nowMs);
  };
  /** Audio in between takes sequence numbers too. */
  const pause = (packets: number): void => {
    view.sequenceNumber = (view.sequenceNumber + packets) & 0xffff;
  };
  return { dtmf, digits, packet, pause, receive, view };
}

/** A key press as phones send it: updates every 20 ms, then three end packets. */
function press(packet: ReturnType<typeof receiver>['packet'], timestamp: number, event: number, updates = 4): void {
  for (let i = 1; i <= updates; i++) packet(timestamp, event, false, i * 160);
  for (let i = 0; i < 3; i++) packet(timestamp, event, true, updates * 160 + 160);
}

describe('DtmfReceiver', () => {
  it('reports one digit per key press, with its duration', () => {
    const { digits, packet } = receiver();
    press(packet, 8000, 5);
    expect(digits).toEqual([['5', 100]]);
  });

  it('knows all sixteen digits and no other event', () => {
    const { digits, packet } = receiver();
    for (let event = 0; event < 20; event++) press(packet, 1000 * (event + 1), event);
    expect(digits.map(([digit]) => digit).join('')).toBe('0123456789*#ABCD');
  });

  it('reports the same digit twice for two presses', () => {
    const { digits, packet } = receiver();
    press(packet, 8000, 1);
    press(packet, 12_000, 1);
    expect(digits).toHaveLength(2);
  });

  it('reports a press of which only one end packet arrives', () => {
    const { digits, packet } = receiver();
    packet(8000, 9, true, 800);
    expect(digits).toEqual([['9', 100]]);
  });

  it('reports a press whose end packets are all lost when the next one starts', () => {
    const { digits, packet } = receiver();
    packet(8000, 1, false, 160);
    packet(8000, 1, false, 320);
    press(packet, 12_000, 2);
    expect(digits).toEqual([
      ['1', 40],
      ['2', 100],
    ]);
  });

  it('reports a press whose end packets are all lost after 200 ms without another', () => {
    const { dtmf, digits, packet } = receiver();
    packet(8000, 1, false, 160, 0);
    packet(8000, 1, false, 320, 20);
    dtmf.poll(219);
    expect(digits).toEqual([]);
    dtmf.poll(220);
    expect(digits).toEqual([['1', 40]]);
    dtmf.poll(1000);
    packet(8000, 1, true, 480, 1001);
    expect(digits).toHaveLength(1);
  });

  it('ignores what arrives late of an earlier press', () => {
    const { digits, packet, pause } = receiver();
    press(packet, 8000, 1);
    press(packet, 12_000, 2);
    pause(-9);
    packet(8000, 1, true, 800);
    expect(digits).toHaveLength(2);
  });

  it('takes a timestamp that goes back for another press, not for a late packet', () => {
    const { digits, packet, pause } = receiver();
    press(packet, 12_000, 1);
    pause(10);
    press(packet, 8000, 1);
    pause(-20_000);
    press(packet, 16_000, 1);
    expect(digits).toHaveLength(3);
  });

  it('goes on over the wrap of the timestamp', () => {
    const { digits, packet } = receiver();
    press(packet, 0xffffff00, 1);
    press(packet, 0x00000f00, 2);
    expect(digits.map(([digit]) => digit)).toEqual(['1', '2']);
  });

  it('joins the segments of a press longer than eight seconds', () => {
    const { digits, packet } = receiver();
    packet(8000, 3, false, 0xffff);
    packet(8000 + 0xffff, 3, false, 400);
    packet(8000 + 0xffff, 3, true, 800);
    expect(digits).toEqual([['3', Math.round((0xffff + 800) / 8)]]);
  });

  test.each([
    ['its beginning', 2000, 400],
    ['its last packets', 0xffff - 960, 400],
    ['all but the end of the next', 0xffff, 8000],
  ])('joins the segments of which only %s came', (_, first, second) => {
    const { digits, packet, pause } = receiver();
    packet(8000, 3, false, first);
    pause(20);
    packet(8000 + 0xffff, 3, second === 8000, second);
    packet(8000 + 0xffff, 3, true, 8000);
    expect(digits).toEqual([['3', Math.round((0xffff + 8000) / 8)]]);
  });

  it('a segment after a gap in which the press counted as over is no digit any more', () => {
    const { dtmf, digits, packet, pause } = receiver();
    packet(8000, 3, false, 0xffff - 16_000, 0);
    dtmf.poll(300);
    pause(130);
    packet(8000 + 0xffff, 3, false, 640, 2100);
    packet(8000 + 0xffff, 3, true, 800, 2120);
    expect(digits).toHaveLength(1);
  });

  it('a counter that wraps at one timestamp goes on with the press', () => {
    const { digits, packet } = receiver();
    for (let ticks = 160; ticks < 80_000; ticks += 160) packet(8000, 3, false, ticks & 0xffff);
    packet(8000, 3, true, 80_000 & 0xffff);
    expect(digits).toEqual([['3', 10_000]]);
  });

  it('keeps the presses of another SSRC apart, and a press that goes on under another one together', () => {
    const { digits, packet, view } = receiver();
    press(packet, 4_000_000, 1);
    view.ssrc = 43;
    press(packet, 8000, 1);
    expect(digits).toHaveLength(2);
    packet(12_000, 5, false, 160);
    view.ssrc = 44;
    press(packet, 12_000, 5);
    expect(digits).toHaveLength(3);
  });

  it('single end packets, of phones that send no more, are a press each', () => {
    const { digits, packet } = receiver();
    for (let i = 0; i < 4; i++) packet(0, 1, true, 800, i * 1200);
    for (let i = 0; i < 4; i++) packet(8000 + i * 1600, 2, true, 800, 10_000 + i * 200);
    expect(digits.map(([digit]) => digit).join('')).toBe('11112222');
  });

  it('any loss that leaves one packet of each press leaves one digit of each press', () => {
    const presses = fc.array(
      fc.record({
        event: fc.integer({ min: 0, max: 15 }),
        kept: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(presses, (list) => {
        const { dtmf, digits, packet, view } = receiver();
        list.forEach(({ event, kept }, i) => {
          for (const index of kept.toSorted((a, b) => a - b)) {
            view.sequenceNumber = (i * 50 + index - 1) & 0xffff;
            packet(8000 * (i + 1), event, index >= 4, Math.min(index + 1, 5) * 160, i * 1000);
          }
        });
        dtmf.poll(1e9);
        expect(digits.map(([digit]) => '0123456789*#ABCD'.indexOf(digit))).toEqual(list.map(({ event }) => event));
      }),
    );
  });

  it('never throws on any payload', () => {
    const { receive } = receiver();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.uint8Array({ maxLength: 8 }), (timestamp, payload) => {
        receive(timestamp, payload, 0);
      }),
    );
  });
});
