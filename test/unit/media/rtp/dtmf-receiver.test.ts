import fc from 'fast-check';

import { DtmfReceiver } from '../../../../media/rtp/dtmf-receiver';

function receiver() {
  const digits: [string, number][] = [];
  const dtmf = new DtmfReceiver(8000, (digit, durationMs) => digits.push([digit, durationMs]));
  const packet = (timestamp: number, event: number, end: boolean, duration: number, nowMs = 0): void =>
    dtmf.receive(timestamp >>> 0, Uint8Array.of(event, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff), 0, 4, nowMs);
  return { dtmf, digits, packet };
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
    const { digits, packet } = receiver();
    press(packet, 8000, 1);
    press(packet, 12_000, 2);
    packet(8000, 1, true, 800);
    expect(digits).toHaveLength(2);
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

  it('starts afresh with another SSRC', () => {
    const { dtmf, digits, packet } = receiver();
    press(packet, 4_000_000, 1);
    dtmf.reset();
    press(packet, 8000, 1);
    expect(digits).toHaveLength(2);
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
        const { dtmf, digits, packet } = receiver();
        list.forEach(({ event, kept }, i) => {
          for (const index of kept.toSorted((a, b) => a - b)) {
            packet(8000 * (i + 1), event, index >= 4, Math.min(index + 1, 5) * 160, i * 1000);
          }
        });
        dtmf.poll(1e9);
        expect(digits.map(([digit]) => '0123456789*#ABCD'.indexOf(digit))).toEqual(list.map(({ event }) => event));
      }),
    );
  });

  it('never throws on any payload', () => {
    const { dtmf } = receiver();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.uint8Array({ maxLength: 8 }), (timestamp, payload) => {
        dtmf.receive(timestamp, payload, 0, payload.length, 0);
      }),
    );
  });
});
