import fc from 'fast-check';
import {
  ByePacket,
  CompoundPacket,
  ReceiverReportPacket,
  ReceptionReport,
  SdesChunk,
  SdesPacket,
  SenderReportPacket,
} from 'rtp.js/packets';

import { buildReport, compactNtp, ntpTime, readRtcp, rtcpSenderSsrc } from '../../../../media/rtp/rtcp';
import type { ReportOptions } from '../../../../media/rtp/rtcp';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));

/** SR of 0x11223344 with one block about 0xdeadbeef, then SDES with CNAME "a@b". */
const CAPTURED = bytes(`
  81 c8 00 0c 11 22 33 44 e5 a1 b2 c3 80 00 00 00 00 00 12 34 00 00 00 0a 00 00 06 40
  de ad be ef 40 00 00 05 00 01 00 64 00 00 00 10 b2 c3 40 00 00 00 80 00
  81 ca 00 03 11 22 33 44 01 03 61 40 62 00 00 00`);

const SENDER = { ntp: { seconds: 1, fraction: 2 }, rtpTimestamp: 3, packetCount: 4, octetCount: 640 };
const BLOCK = { ssrc: 9, fractionLost: 12, totalLost: 34, highestSequenceNumber: 65_600, jitter: 56 };
const NONE = { lastSenderReport: 0, delaySinceLastSenderReport: 0, bye: false };

describe('RTCP', () => {
  it('reads the report of a captured compound packet', () => {
    expect(readRtcp(CAPTURED)).toEqual({
      ssrc: 0x11223344,
      senderReport: 0xb2c38000,
      blocks: [
        { ssrc: 0xdeadbeef, fractionLost: 0x40, lastSenderReport: 0xb2c34000, delaySinceLastSenderReport: 0x8000 },
      ],
    });
    expect(rtcpSenderSsrc(CAPTURED)).toBe(0x11223344);
  });

  it('sends SR and SDES once media was sent', () => {
    const packet = buildReport({ ...NONE, ssrc: 7, cname: 'x', sender: SENDER, block: BLOCK });
    expect(packet[1]).toBe(200);
    expect(readRtcp(packet)).toMatchObject({ ssrc: 7, senderReport: 0x10000, blocks: [{ ssrc: 9, fractionLost: 12 }] });
    const view = new DataView(packet.buffer, packet.byteOffset);
    expect(view.getUint32(16)).toBe(3);
    expect(view.getUint32(20)).toBe(4);
    expect(view.getUint32(24)).toBe(640);
    expect(view.getUint32(32) & 0xffffff).toBe(34);
    expect(view.getUint32(36)).toBe(65_600);
    expect(view.getUint32(40)).toBe(56);
  });

  it('sends RR while only receiving, and BYE at the end', () => {
    const packet = buildReport({ ...NONE, ssrc: 7, cname: 'x', sender: null, block: null, bye: true });
    expect(packet[1]).toBe(201);
    expect(readRtcp(packet)).toEqual({ ssrc: 7, senderReport: null, blocks: [] });
    // Last packet: BYE, one source, its SSRC.
    expect([...packet.subarray(-8)]).toEqual([0x81, 203, 0, 1, 0, 0, 0, 7]);
  });

  it('never sends a negative total', () => {
    const packet = buildReport({ ...NONE, ssrc: 7, cname: 'x', sender: null, block: { ...BLOCK, totalLost: -3 } });
    expect(new DataView(packet.buffer, packet.byteOffset).getUint32(12) & 0xffffff).toBe(0);
  });

  it('writes, byte for byte, what rtp.js writes', () => {
    const uint32 = fc.nat({ max: 0xffffffff });
    const ntp = fc.record({ seconds: uint32, fraction: uint32 });
    const sender = fc.record({ ntp, rtpTimestamp: uint32, packetCount: uint32, octetCount: uint32 });
    const block = fc.record({
      ssrc: uint32,
      fractionLost: fc.nat({ max: 255 }),
      totalLost: fc.nat({ max: 0x7fffff }),
      highestSequenceNumber: uint32,
      jitter: uint32,
    });
    const options = fc.record({
      ssrc: uint32,
      cname: fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom('a', 'Z', '0', '-', '@', '.') }),
      sender: fc.option(sender),
      block: fc.option(block),
      lastSenderReport: uint32,
      delaySinceLastSenderReport: uint32,
      bye: fc.boolean(),
    });
    fc.assert(
      fc.property(options, (given) => {
        expect(Buffer.from(buildReport(given)).toString('hex')).toBe(Buffer.from(written(given)).toString('hex'));
      }),
      { numRuns: 500 },
    );
  });

  it('turns epoch milliseconds into NTP time', () => {
    expect(ntpTime(0)).toEqual({ seconds: 2_208_988_800, fraction: 0 });
    expect(ntpTime(1500)).toEqual({ seconds: 2_208_988_801, fraction: 0x80000000 });
    expect(compactNtp({ seconds: 0x12345678, fraction: 0x9abcdef0 })).toBe(0x56789abc);
  });

  test.each([
    ['SDES alone', '81 ca 00 03 11 22 33 44 01 03 61 40 62 00 00 00'],
    ['a length beyond the end', '80 c8 00 40 11 22 33 44'],
    ['RTP', '80 00 00 01 00 00 00 01 00 00 00 01'],
  ])('refuses %s', (_, hex) => {
    expect(() => readRtcp(bytes(hex))).toThrow();
  });

  it('any bytes are read or refused, quickly', () => {
    const started = performance.now();
    let runs = 0;
    const mutated = fc
      .tuple(fc.nat(CAPTURED.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(CAPTURED.length))
      .map(([at, value, length]) => {
        const copy = CAPTURED.slice(0, length);
        if (at < length) copy[at] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (input) => {
        runs++;
        try {
          readRtcp(input);
        } catch (error) {
          expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect((performance.now() - started) / runs).toBeLessThan(5);
  });
});

/** The same report by rtp.js. */
function written(options: ReportOptions): Uint8Array {
  const { ssrc, cname, sender, block, bye } = options;
  const compound = new CompoundPacket();
  const report = sender === null ? new ReceiverReportPacket() : new SenderReportPacket();
  report.setSsrc(ssrc);
  if (report instanceof SenderReportPacket && sender !== null) {
    report.setNtpSeconds(sender.ntp.seconds);
    report.setNtpFraction(sender.ntp.fraction);
    report.setRtpTimestamp(sender.rtpTimestamp);
    report.setPacketCount(sender.packetCount);
    report.setOctetCount(sender.octetCount);
  }
  if (block !== null) {
    const reception = new ReceptionReport();
    reception.setSsrc(block.ssrc);
    reception.setFractionLost(block.fractionLost);
    reception.setTotalLost(block.totalLost);
    reception.setHighestSeqNumber(block.highestSequenceNumber);
    reception.setJitter(block.jitter);
    reception.setLastSRTimestamp(options.lastSenderReport);
    reception.setDelaySinceLastSR(options.delaySinceLastSenderReport);
    report.setReports([reception]);
  }
  compound.addPacket(report);
  const chunk = new SdesChunk();
  chunk.setSsrc(ssrc);
  chunk.addItem(1, cname);
  const description = new SdesPacket();
  description.addChunk(chunk);
  compound.addPacket(description);
  if (bye) {
    const goodbye = new ByePacket();
    goodbye.setSsrcs([ssrc]);
    compound.addPacket(goodbye);
  }
  compound.serialize();
  const view = compound.getView();
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
