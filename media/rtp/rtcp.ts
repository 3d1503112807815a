/** RTCP compound packets: what we send (SR or RR, SDES with CNAME, BYE) and what we read of a peer's (RFC 3550 §6). */
import {
  ByePacket,
  CompoundPacket,
  ReceiverReportPacket,
  ReceptionReport,
  SdesChunk,
  SdesPacket,
  SenderReportPacket,
} from 'rtp.js/packets';

import type { ReceptionReportBlock } from './reception-stats';

/** Seconds between the NTP era (1900) and the Unix epoch. */
const NTP_OFFSET_SECONDS = 2_208_988_800;
const CNAME_ITEM = 1;
const MAX_RTCP_BYTES = 1500;

export interface NtpTime {
  readonly seconds: number;
  /** 2⁻³² s. */
  readonly fraction: number;
}

interface SenderInfo {
  readonly ntp: NtpTime;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
}

export interface ReportOptions {
  readonly ssrc: number;
  readonly cname: string;
  /** null while nothing was sent since the last report: RR instead of SR. */
  readonly sender: SenderInfo | null;
  readonly block: ReceptionReportBlock | null;
  /** Middle 32 bits of the peer's last SR and the 1/65536 s since it; 0 without one. */
  readonly lastSenderReport: number;
  readonly delaySinceLastSenderReport: number;
  readonly bye: boolean;
}

interface ReceivedBlock {
  /** Whom the block is about. */
  readonly ssrc: number;
  readonly fractionLost: number;
  readonly lastSenderReport: number;
  readonly delaySinceLastSenderReport: number;
}

export interface ReceivedRtcp {
  /** Sender of the first report. */
  readonly ssrc: number;
  /** Middle 32 bits of the NTP time of its SR, null when it was an RR. */
  readonly senderReport: number | null;
  readonly blocks: readonly ReceivedBlock[];
}

export function ntpTime(epochMs: number): NtpTime {
  const seconds = Math.floor(epochMs / 1000);
  return {
    seconds: (seconds + NTP_OFFSET_SECONDS) >>> 0,
    fraction: Math.floor(((epochMs - seconds * 1000) / 1000) * 4294967296) >>> 0,
  };
}

/** The middle 32 bits: 16.16 seconds. */
export function compactNtp(ntp: NtpTime): number {
  return (((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16)) >>> 0;
}

export function buildReport(options: ReportOptions): Uint8Array {
  const compound = new CompoundPacket();
  const reports = options.block === null ? [] : [receptionReport(options.block, options)];
  if (options.sender !== null) {
    const report = new SenderReportPacket();
    report.setSsrc(options.ssrc);
    report.setNtpSeconds(options.sender.ntp.seconds);
    report.setNtpFraction(options.sender.ntp.fraction);
    report.setRtpTimestamp(options.sender.rtpTimestamp);
    report.setPacketCount(options.sender.packetCount % 4294967296);
    report.setOctetCount(options.sender.octetCount % 4294967296);
    report.setReports(reports);
    compound.addPacket(report);
  } else {
    const report = new ReceiverReportPacket();
    report.setSsrc(options.ssrc);
    report.setReports(reports);
    compound.addPacket(report);
  }
  const chunk = new SdesChunk();
  chunk.setSsrc(options.ssrc);
  chunk.addItem(CNAME_ITEM, options.cname);
  const description = new SdesPacket();
  description.addChunk(chunk);
  compound.addPacket(description);
  if (options.bye) {
    const bye = new ByePacket();
    bye.setSsrcs([options.ssrc]);
    compound.addPacket(bye);
  }
  compound.serialize();
  const view = compound.getView();
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** @throws RangeError or TypeError when the bytes are not a compound packet that starts with a report */
export function readRtcp(bytes: Uint8Array): ReceivedRtcp {
  if (bytes.length > MAX_RTCP_BYTES) throw new RangeError('RTCP packet too long');
  const compound = new CompoundPacket(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const blocks: ReceivedBlock[] = [];
  let ssrc: number | null = null;
  let senderReport: number | null = null;
  for (const packet of compound.getPackets()) {
    if (!(packet instanceof SenderReportPacket) && !(packet instanceof ReceiverReportPacket)) continue;
    ssrc ??= packet.getSsrc();
    if (packet instanceof SenderReportPacket) {
      senderReport = compactNtp({ seconds: packet.getNtpSeconds(), fraction: packet.getNtpFraction() });
    }
    for (const report of packet.getReports()) {
      blocks.push({
        ssrc: report.getSsrc(),
        fractionLost: report.getFractionLost(),
        lastSenderReport: report.getLastSRTimestamp(),
        delaySinceLastSenderReport: report.getDelaySinceLastSR(),
      });
    }
  }
  if (ssrc === null) throw new TypeError('no report in the RTCP packet');
  return { ssrc, senderReport, blocks };
}

/** SSRC of the first packet's sender without parsing further: asked before the source is trusted. */
export function rtcpSenderSsrc(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4);
}

function receptionReport(block: ReceptionReportBlock, options: ReportOptions): ReceptionReport {
  const report = new ReceptionReport();
  report.setSsrc(block.ssrc);
  report.setFractionLost(block.fractionLost);
  // rtp.js writes negative totals (duplicates) as sign and magnitude; the wire wants two's complement. None are sent.
  report.setTotalLost(Math.max(0, block.totalLost));
  report.setHighestSeqNumber(block.highestSequenceNumber);
  report.setJitter(block.jitter);
  report.setLastSRTimestamp(options.lastSenderReport);
  report.setDelaySinceLastSR(options.delaySinceLastSenderReport);
  return report;
}
