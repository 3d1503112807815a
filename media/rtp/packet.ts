/**
 * RTP packets (RFC 3550 §5.1):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |                             SSRC                              |
 * |                    CSRC list (0..15 words)                    |
 * |   extension: profile (16)     |        length in words        |
 *
 * `readRtpPacket` works in place and allocates nothing: it is the receive path.
 */
export const RTP_HEADER_BYTES = 12;

/** Where things are in a received packet; reused from packet to packet. */
export class RtpPacketView {
  payloadType = 0;
  marker = false;
  sequenceNumber = 0;
  timestamp = 0;
  ssrc = 0;
  payloadOffset = 0;
  payloadBytes = 0;
}

/** RTCP shares the port under rtcp-mux: packet types 192–223 are RTCP (RFC 5761 §4). */
export function isRtcp(bytes: Uint8Array): boolean {
  const type = bytes[1];
  return bytes.length >= 8 && type !== undefined && type >= 192 && type <= 223;
}

/** Fills `view` from `bytes`; false when they are not an RTP packet. */
export function readRtpPacket(bytes: Uint8Array, view: RtpPacketView): boolean {
  const length = bytes.length;
  if (length < RTP_HEADER_BYTES) return false;
  const first = bytes[0] as number;
  if (first >> 6 !== 2) return false;
  const second = bytes[1] as number;
  let offset = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (offset + 4 > length) return false;
    offset += 4 + uint16(bytes, offset + 2) * 4;
  }
  let end = length;
  if (first & 0x20) {
    const padding = bytes[length - 1] as number;
    if (padding === 0) return false;
    end -= padding;
  }
  if (offset > end) return false;
  view.payloadType = second & 0x7f;
  view.marker = second >= 0x80;
  view.sequenceNumber = uint16(bytes, 2);
  view.timestamp = uint32(bytes, 4);
  view.ssrc = uint32(bytes, 8);
  view.payloadOffset = offset;
  view.payloadBytes = end - offset;
  return true;
}

/** The fixed header of a packet without CSRCs, extension or padding, at the start of `out`. */
export function writeRtpHeader(
  out: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequenceNumber: number,
  timestamp: number,
  ssrc: number,
): void {
  out[0] = 0x80;
  out[1] = (payloadType & 0x7f) | (marker ? 0x80 : 0);
  setUint16(out, 2, sequenceNumber);
  setUint32(out, 4, timestamp);
  setUint32(out, 8, ssrc);
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) * 65536 + uint16(bytes, at + 2)) >>> 0;
}

function setUint16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}

function setUint32(out: Uint8Array, at: number, value: number): void {
  setUint16(out, at, value >>> 16);
  setUint16(out, at + 2, value & 0xffff);
}
