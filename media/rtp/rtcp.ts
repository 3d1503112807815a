/** RTCP compound packets: what we send (SR or RR, SDES with CNAME, BYE) and what we read of a peer's (RFC 3550 §6). */
import { CompoundPacket, ReceiverReportPacket, SenderReportPacket } from 'rtp.js/packets';

import type { ReceptionReportBlock } from './reception-stats';

/** Seconds between the NTP era (1900) and the Unix epoch. */
const NTP_OFFSET_SECONDS = 2_208_988_800;
const CNAME_ITEM = 1;
/** Of an item: its type and its length. */
const ITEM_BYTES = 2;
/** With the SSRC that each packet of ours begins with. */
const HEADER_BYTES = 8;
const SENDER_BYTES = 20;
const BLOCK_BYTES = 24;
/** In 24 bits with a sign. */
const MAX_LOST = 0x7fffff;
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
  /** ASCII, at most 255. */
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

/**
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|    RC   |   PT=SR=200   |             length            |
 * |                         SSRC of sender                        |
 * |       NTP seconds, NTP fraction, RTP timestamp, packets, octets; not in an RR (PT=201)
 * |                 SSRC_1, and its report: RC of them            |
 * |V=2|P|   SC=1    |  PT=SDES=202  |             length            |
 * |                              SSRC                             |
 * |    CNAME=1    |     length    | name, and zeros to 32 bits    |
 * |V=2|P|   SC=1    |   PT=BYE=203  |             length            |
 * |                              SSRC                             |
 * ```
 * RFC 3550 §6.4.1, §6.4.2, §6.5, §6.6.
 */
export function buildReport({ ssrc, cname, sender, block, bye, ...received }: ReportOptions): Uint8Array {
  const reportBytes = HEADER_BYTES + (sender === null ? 0 : SENDER_BYTES) + (block === null ? 0 : BLOCK_BYTES);
  // At least one zero ends the items of a chunk.
  const descriptionBytes = HEADER_BYTES + 4 * Math.ceil((ITEM_BYTES + cname.length + 1) / 4);
  const bytes = new Uint8Array(reportBytes + descriptionBytes + (bye ? HEADER_BYTES : 0));
  const view = new DataView(bytes.buffer);
  writeHeader(view, 0, { count: block === null ? 0 : 1, type: sender === null ? 201 : 200, length: reportBytes, ssrc });
  let at = HEADER_BYTES;
  if (sender !== null) {
    view.setUint32(at, sender.ntp.seconds);
    view.setUint32(at + 4, sender.ntp.fraction);
    view.setUint32(at + 8, sender.rtpTimestamp);
    view.setUint32(at + 12, sender.packetCount);
    view.setUint32(at + 16, sender.octetCount);
    at += SENDER_BYTES;
  }
  if (block !== null) {
    view.setUint32(at, block.ssrc);
    // More came than was expected (duplicates): none is told to be lost.
    view.setUint32(at + 4, (block.fractionLost << 24) | Math.min(Math.max(0, block.totalLost), MAX_LOST));
    view.setUint32(at + 8, block.highestSequenceNumber);
    view.setUint32(at + 12, block.jitter);
    view.setUint32(at + 16, received.lastSenderReport);
    view.setUint32(at + 20, received.delaySinceLastSenderReport);
    at += BLOCK_BYTES;
  }
  writeHeader(view, at, { count: 1, type: 202, length: descriptionBytes, ssrc });
  bytes[at + HEADER_BYTES] = CNAME_ITEM;
  bytes[at + HEADER_BYTES + 1] = cname.length;
  for (let i = 0; i < cname.length; i++) bytes[at + HEADER_BYTES + ITEM_BYTES + i] = cname.charCodeAt(i);
  at += descriptionBytes;
  if (bye) writeHeader(view, at, { count: 1, type: 203, length: HEADER_BYTES, ssrc });
  return bytes;
}

/** @param header length in bytes, of the whole packet */
function writeHeader(
  view: DataView,
  at: number,
  {
    count,
    type,
    length,
    ssrc,
  }: { readonly count: number; readonly type: number; readonly length: number; readonly ssrc: number },
): void {
  view.setUint8(at, 0x80 | count);
  view.setUint8(at + 1, type);
  view.setUint16(at + 2, length / 4 - 1);
  view.setUint32(at + 4, ssrc);
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
