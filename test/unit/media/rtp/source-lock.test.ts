import fc from 'fast-check';

import { SourceLock } from '../../../../media/rtp/source-lock';

const SDP = { address: '192.0.2.10', port: 4000, rtcpPort: 4001, signallingAddress: '198.51.100.7' };
const SSRC = 77;

interface Packet {
  readonly address?: string;
  readonly port?: number;
  readonly ssrc?: number;
}

/** Sends `count` packets with running numbers from `sequenceNumber`, 20 ms apart from `atMs`; which were accepted. */
function send(lock: SourceLock, packet: Packet, sequenceNumber: number, count: number, atMs: number): boolean[] {
  return Array.from({ length: count }, (_, i) =>
    lock.accept(
      packet.address ?? SDP.address,
      packet.port ?? SDP.port,
      packet.ssrc ?? SSRC,
      (sequenceNumber + i) & 0xffff,
      atMs + i * 20,
    ),
  );
}

function expecting(): SourceLock {
  const lock = new SourceLock();
  lock.expect(SDP);
  return lock;
}

describe('SourceLock', () => {
  it('refuses everything before an SDP is known, and calls none of it foreign', () => {
    const lock = new SourceLock();
    expect(send(lock, {}, 1, 5, 0)).toEqual([false, false, false, false, false]);
    expect(lock.acceptRtcp(SDP.address, SDP.rtcpPort, SSRC, 100)).toBe(false);
    expect(lock.foreignPackets).toBe(0);
  });

  it("accepts the SDP's address from the first packet", () => {
    const lock = expecting();
    expect(send(lock, {}, 1, 2, 0)).toEqual([true, true]);
    expect(lock).toMatchObject({ locked: true, address: SDP.address, port: 4000, foreignPackets: 0 });
  });

  it('learns any other host only where that may be, after four packets in sequence', () => {
    const elsewhere = { address: '203.0.113.5', port: 7000 };
    expect(send(expecting(), elsewhere, 1, 6, 0)).not.toContain(true);
    const lock = new SourceLock();
    lock.expect({ ...SDP, mayLearn: (address) => address === elsewhere.address });
    expect(send(lock, { address: '203.0.113.6' }, 1, 6, 0)).not.toContain(true);
    expect(send(lock, elsewhere, 1, 5, 200)).toEqual([false, false, false, true, true]);
    expect(lock).toMatchObject({ address: elsewhere.address, port: elsewhere.port });
    expect(send(lock, { address: '203.0.113.7', ssrc: 5 }, 1, 6, 1500)).not.toContain(true);
  });

  test.each([
    ['the signalling host', { address: SDP.signallingAddress, port: 61_000 }],
    ["another port of the SDP's host", { address: SDP.address, port: 61_000 }],
  ])('learns %s after four packets in sequence', (_, packet) => {
    const lock = expecting();
    expect(send(lock, packet, 65_534, 6, 0)).toEqual([false, false, false, true, true, true]);
    expect(lock).toMatchObject({ address: packet.address, port: 61_000, foreignPackets: 0 });
  });

  it('learns nothing from another host', () => {
    const lock = expecting();
    expect(send(lock, { address: '203.0.113.66' }, 1, 50, 0)).not.toContain(true);
    expect(lock.locked).toBe(false);
    expect(lock.foreignPackets).toBe(50);
  });

  it('learns no port 0, which could not be answered', () => {
    const lock = expecting();
    expect(send(lock, { port: 0 }, 1, 10, 0)).not.toContain(true);
    send(lock, {}, 1, 5, 0);
    expect(send(lock, { port: 0 }, 6, 10, 700)).not.toContain(true);
  });

  it('counts a candidate again from one when its sequence breaks or its SSRC changes', () => {
    const lock = expecting();
    const nat = { address: SDP.signallingAddress, port: 61_000 };
    expect(send(lock, nat, 1, 3, 0)).toEqual([false, false, false]);
    expect(send(lock, nat, 10, 3, 60)).toEqual([false, false, false]);
    expect(send(lock, { ...nat, ssrc: 78 }, 13, 3, 120)).toEqual([false, false, false]);
    expect(send(lock, { ...nat, ssrc: 78 }, 16, 1, 180)).toEqual([true]);
    expect(lock.foreignPackets).toBe(6);
  });

  it('drops foreign packets once locked, also of the same host', () => {
    const lock = expecting();
    send(lock, {}, 1, 5, 0);
    expect(send(lock, { port: 5000, ssrc: 99 }, 6, 10, 100)).not.toContain(true);
    expect(send(lock, { address: SDP.signallingAddress }, 6, 10, 100)).not.toContain(true);
    expect(lock.foreignPackets).toBe(20);
    expect(send(lock, {}, 6, 1, 310)).toEqual([true]);
  });

  it('accepts a new SSRC from the locked address', () => {
    const lock = expecting();
    send(lock, {}, 1, 5, 0);
    expect(send(lock, { ssrc: 500 }, 9000, 2, 100)).toEqual([true, true]);
  });

  it('follows the same stream to another port after 500 ms of silence and four packets', () => {
    const lock = expecting();
    send(lock, {}, 1, 5, 0);
    expect(send(lock, { port: 5000 }, 6, 4, 80 + 500)).toEqual([false, false, false, true]);
    expect(lock.port).toBe(5000);
  });

  test.each([
    ['another SSRC', { port: 5000, ssrc: 99 }, 6, 700],
    ['a sequence that does not continue', { port: 5000 }, 20_000, 700],
    ['an older sequence', { port: 5000 }, 65_000, 700],
    ['another host', { address: '203.0.113.66' }, 6, 700],
    ['the signalling host', { address: SDP.signallingAddress }, 6, 700],
  ])('does not follow %s', (_, packet, sequenceNumber, atMs) => {
    const lock = expecting();
    send(lock, {}, 1, 5, 0);
    expect(send(lock, packet, sequenceNumber, 10, atMs)).not.toContain(true);
    expect(lock.port).toBe(4000);
  });

  it('does not follow while the old source is not silent', () => {
    const lock = expecting();
    send(lock, {}, 1, 5, 0);
    for (let i = 0; i < 100; i++) {
      expect(send(lock, {}, 6 + i, 1, 100 + i * 20)).toEqual([true]);
      expect(send(lock, { port: 5000 }, 6 + i, 1, 105 + i * 20)).toEqual([false]);
    }
  });

  test.each([
    ["another port of the SDP's host", { address: SDP.address, port: 61_000, ssrc: 99 }],
    ['the signalling host', { address: SDP.signallingAddress, port: 61_000, ssrc: 99 }],
  ])("%s that spoke first gives way to the SDP's own address and port", (_, other) => {
    const lock = expecting();
    expect(send(lock, other, 1, 6, 0).slice(3)).toEqual([true, true, true]);
    expect(send(lock, {}, 500, 3, 130)).toEqual([true, true, true]);
    expect(lock).toMatchObject({ address: SDP.address, port: SDP.port });
    expect(send(lock, other, 7, 50, 135)).not.toContain(true);
    expect(send(lock, {}, 503, 1, 1200)).toEqual([true]);
  });

  describe('of a caller behind a NAT, whose SDP names a port that never speaks', () => {
    const host = SDP.signallingAddress;
    const caller = { address: host, port: 61_000 };

    it('a few packets of another port shut nobody out once they have ended', () => {
      const lock = expecting();
      expect(send(lock, { address: host, port: 50_000, ssrc: 99 }, 1, 6, 0)).toContain(true);
      expect(send(lock, caller, 500, 20, 130)).not.toContain(true);
      expect(send(lock, caller, 520, 4, 100 + 500)).toEqual([false, false, false, true]);
      expect(lock).toMatchObject({ address: host, port: 61_000 });
    });

    test.each([
      ['while they go on', 20, 480],
      ['after half a second of them', 30, 5_000],
    ])('but not %s', (_, packets, atMs) => {
      const lock = expecting();
      send(lock, caller, 1, packets, 0);
      expect(send(lock, { address: host, port: 50_000, ssrc: 99 }, 1, 20, atMs)).not.toContain(true);
    });

    it('nor for a third host', () => {
      const lock = expecting();
      send(lock, caller, 1, 6, 0);
      expect(send(lock, { address: '203.0.113.66', ssrc: 99 }, 1, 20, 700)).not.toContain(true);
    });
  });

  it("a stream that moved away comes back to the SDP's own address and port at once", () => {
    const lock = expecting();
    send(lock, {}, 1, 5, 0);
    send(lock, { port: 5000 }, 6, 6, 600);
    expect(lock.port).toBe(5000);
    expect(send(lock, {}, 12, 1, 730)).toEqual([true]);
    expect(lock.port).toBe(4000);
  });

  it('a packet of the old source ends the probation of the new one', () => {
    const lock = expecting();
    send(lock, {}, 1, 5, 0);
    send(lock, { port: 5000 }, 6, 3, 600);
    expect(send(lock, {}, 9, 1, 661)).toEqual([true]);
    expect(send(lock, { port: 5000 }, 10, 1, 662)).toEqual([false]);
    expect(lock.port).toBe(4000);
  });

  it('keeps the lock when the same SDP comes again and opens it for a new one', () => {
    const lock = expecting();
    send(lock, { address: SDP.signallingAddress, port: 61_000 }, 1, 4, 0);
    lock.expect({ ...SDP });
    expect(lock.port).toBe(61_000);
    lock.expect({ ...SDP, port: 4100 });
    expect(lock.locked).toBe(false);
    expect(send(lock, { port: 4100 }, 90, 1, 100)).toEqual([true]);
  });

  it('accepts RTCP of the peer only', () => {
    const lock = expecting();
    expect(lock.acceptRtcp(SDP.address, 4001, 5, 0)).toBe(true);
    expect(lock.acceptRtcp(SDP.address, 4002, 5, 0)).toBe(false);
    expect(lock.acceptRtcp('203.0.113.66', 4001, SSRC, 0)).toBe(false);
    send(lock, { address: SDP.signallingAddress, port: 61_000 }, 1, 4, 0);
    expect(lock.acceptRtcp(SDP.signallingAddress, 61_001, 5, 0)).toBe(true);
    expect(lock.acceptRtcp(SDP.signallingAddress, 61_000, 5, 0)).toBe(true);
    expect(lock.acceptRtcp(SDP.signallingAddress, 33_333, SSRC, 0)).toBe(true);
    expect(lock.acceptRtcp(SDP.signallingAddress, 33_333, 5, 0)).toBe(false);
    expect(lock.acceptRtcp(SDP.signallingAddress, 0, SSRC, 0)).toBe(false);
    expect(lock.acceptRtcp('203.0.113.66', 61_001, SSRC, 0)).toBe(false);
  });

  it("knows where the peer's RTCP comes from: the SDP's own at once, another after two missed reports", () => {
    const lock = expecting();
    expect(lock.rtcpAddress).toBeNull();
    send(lock, {}, 1, 4, 0);
    lock.acceptRtcp(SDP.address, 33_333, SSRC, 100);
    expect(lock).toMatchObject({ rtcpAddress: SDP.address, rtcpPort: 33_333 });
    lock.acceptRtcp(SDP.address, 44_444, SSRC, 5000);
    expect(lock.rtcpPort).toBe(33_333);
    lock.acceptRtcp(SDP.address, 4001, 5, 5100);
    expect(lock.rtcpPort).toBe(4001);
    lock.acceptRtcp(SDP.address, 33_333, SSRC, 20_000);
    expect(lock.rtcpPort).toBe(4001);
    lock.acceptRtcp(SDP.address, 33_333, SSRC, 20_100);
    expect(lock.rtcpPort).toBe(33_333);
    lock.acceptRtcp('203.0.113.66', 4001, SSRC, 90_000);
    expect(lock.rtcpPort).toBe(33_333);
  });

  it('forgets where RTCP came from with the source it came beside, and with a new control port', () => {
    const lock = expecting();
    send(lock, { port: 61_000 }, 1, 4, 0);
    lock.acceptRtcp(SDP.address, 61_001, SSRC, 80);
    expect(lock.rtcpPort).toBe(61_001);
    send(lock, {}, 500, 1, 100);
    expect(lock.rtcpAddress).toBeNull();
    lock.acceptRtcp(SDP.address, 4001, SSRC, 120);
    lock.expect({ ...SDP, rtcpPort: 4005 });
    expect(lock.rtcpAddress).toBeNull();
    expect(lock.locked).toBe(true);
  });

  it('no traffic of other hosts ever takes or disturbs a locked stream', () => {
    const foreign = fc.record({
      address: fc.constantFrom('203.0.113.66', SDP.signallingAddress, SDP.address),
      port: fc.constantFrom(4001, 5000, 61_000),
      ssrc: fc.constantFrom(1, 2, SSRC),
      sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
    });
    fc.assert(
      fc.property(fc.array(fc.array(foreign, { maxLength: 6 }), { maxLength: 40 }), (rounds) => {
        const lock = expecting();
        send(lock, {}, 0, 1, 0);
        rounds.forEach((packets, i) => {
          const nowMs = (i + 1) * 20;
          for (const { address, port, ssrc, sequenceNumber } of packets) {
            expect(lock.accept(address, port, ssrc, sequenceNumber, nowMs)).toBe(false);
          }
          expect(send(lock, {}, i + 1, 1, nowMs)).toEqual([true]);
        });
        expect(lock.foreignPackets).toBe(rounds.flat().length);
      }),
    );
  });
});
