/** RTP packets with all their fields, for the other end of a call; what the product reads and writes is under them. */
import { readRtpPacket, RTP_HEADER_BYTES, RtpPacketView, writeRtpHeader } from '../../media/rtp/packet';

export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly csrcs: readonly number[];
  readonly extension: { readonly profile: number; readonly data: Uint8Array } | null;
  readonly payload: Uint8Array;
  /** Octets of padding, the count octet included; 0 without the padding bit. */
  readonly paddingBytes: number;
}

/** Every field of a packet. @throws RangeError when the bytes are not an RTP packet */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket {
  const wire = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const view = new RtpPacketView();
  if (!readRtpPacket(bytes, view)) throw new RangeError('not an RTP packet');
  const first = bytes[0] as number;
  const csrcCount = first & 0x0f;
  const csrcs = Array.from({ length: csrcCount }, (_, i) => wire.getUint32(RTP_HEADER_BYTES + i * 4));
  const extensionAt = RTP_HEADER_BYTES + csrcCount * 4;
  const extension =
    first & 0x10
      ? { profile: wire.getUint16(extensionAt), data: bytes.slice(extensionAt + 4, view.payloadOffset) }
      : null;
  const end = view.payloadOffset + view.payloadBytes;
  return {
    payloadType: view.payloadType,
    marker: view.marker,
    sequenceNumber: view.sequenceNumber,
    timestamp: view.timestamp,
    ssrc: view.ssrc,
    csrcs,
    extension,
    payload: bytes.slice(view.payloadOffset, end),
    paddingBytes: bytes.length - end,
  };
}

/** @throws RangeError when a field does not fit its place on the wire */
export function serialiseRtpPacket(packet: RtpPacket): Uint8Array {
  const { csrcs, extension, payload, paddingBytes } = packet;
  if (csrcs.length > 15) throw new RangeError('more than 15 CSRCs');
  if (extension !== null && (extension.data.length % 4 !== 0 || extension.data.length > 0xffff * 4)) {
    throw new RangeError('extension is not a count of 32-bit words');
  }
  if (paddingBytes < 0 || paddingBytes > 255) throw new RangeError('padding is 0..255 octets');
  const extensionBytes = extension === null ? 0 : 4 + extension.data.length;
  const headerBytes = RTP_HEADER_BYTES + csrcs.length * 4 + extensionBytes;
  const out = new Uint8Array(headerBytes + payload.length + paddingBytes);
  const wire = new DataView(out.buffer);
  writeRtpHeader(out, packet.payloadType, packet.marker, packet.sequenceNumber, packet.timestamp, packet.ssrc);
  out[0] = 0x80 | (paddingBytes > 0 ? 0x20 : 0) | (extension === null ? 0 : 0x10) | csrcs.length;
  csrcs.forEach((csrc, i) => wire.setUint32(RTP_HEADER_BYTES + i * 4, csrc));
  if (extension !== null) {
    const at = RTP_HEADER_BYTES + csrcs.length * 4;
    wire.setUint16(at, extension.profile);
    wire.setUint16(at + 2, extension.data.length / 4);
    out.set(extension.data, at + 4);
  }
  out.set(payload, headerBytes);
  if (paddingBytes > 0) out[out.length - 1] = paddingBytes;
  return out;
}
