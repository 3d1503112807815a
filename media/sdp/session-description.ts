/**
 * A peer's SDP (RFC 8866) as far as audio calls need it, read through sdp-transform and checked: its grammar is lenient,
 * so every value is looked at again here before anybody relies on it.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { parse } from 'sdp-transform';
import type { MediaDescription, SharedDescriptionFields } from 'sdp-transform';
import type { Direction } from './audio-stream';
import { refuse } from './sdp-result';
import type { SdpRefusal } from './sdp-result';

const MAX_SDP_BYTES = 16_384;
const MAX_LINES = 400;
const MAX_MEDIA = 16;
const MAX_FORMATS = 64;

export interface OfferedFormat {
  readonly payloadType: number;
  /** Upper case; empty for a dynamic payload type without rtpmap. */
  readonly encoding: string;
  readonly clockRateHz: number;
  readonly channels: number;
}

export interface MediaSection {
  /** As it stands in the m= line. */
  readonly media: string;
  readonly port: number;
  readonly protocol: string;
  /** The rest of the m= line, verbatim. */
  readonly formatList: string;
  readonly formats: readonly OfferedFormat[];
  /** Literal, or null when it is missing or not an address. */
  readonly address: string | null;
  readonly rtcpPort: number;
  readonly direction: Direction;
}

export interface SessionDescription {
  readonly timing: string;
  readonly media: readonly MediaSection[];
}

/** Formats that need no rtpmap (RFC 3551 §6). */
const STATIC_FORMATS: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU'],
  [8, 'PCMA'],
  [9, 'G722'],
  [13, 'CN'],
  [18, 'G729'],
]);

export function readSessionDescription(
  sdp: string,
): { readonly ok: true; readonly description: SessionDescription } | SdpRefusal {
  if (Buffer.byteLength(sdp) > MAX_SDP_BYTES) return refuse('malformed', 'too long');
  const lines = sdp.split(/\r\n|\r|\n/);
  if (lines.length > MAX_LINES) return refuse('malformed', 'too many lines');
  if (lines[0] !== 'v=0') return refuse('malformed', 'does not start with v=0');
  const mediaLines = lines.filter((line) => line.startsWith('m='));
  if (mediaLines.length > MAX_MEDIA) return refuse('malformed', 'too many m= lines');
  let parsed;
  try {
    // sdp-transform does not read a number of ports (m=audio 5004/2 …).
    parsed = parse(lines.map((line) => line.replace(/^(m=\S+ \d+)\/\d+ /, '$1 ')).join('\r\n'));
  } catch (error) {
    return refuse('malformed', error instanceof Error ? error.message : 'unreadable');
  }
  const media: MediaSection[] = [];
  for (const [i, line] of mediaLines.entries()) {
    const section = parsed.media[i];
    const read = section === undefined ? null : readMedia(line, section, parsed);
    if (read === null) return refuse('malformed', `m= line ${i + 1}`);
    media.push(read);
  }
  return { ok: true, description: { timing: readTiming(lines), media } };
}

type ParsedSession = ReturnType<typeof parse>;

function readMedia(line: string, section: MediaDescription, session: ParsedSession): MediaSection | null {
  const fields = /^m=([\w-]{1,32}) (\d{1,5})(?:\/\d{1,5})? ([\w/]{1,32}) (\S.*)$/.exec(line);
  if (fields === null) return null;
  const [, media = '', portText = '', protocol = '', formatList = ''] = fields;
  const port = Number(portText);
  if (port > 65535) return null;
  return {
    media,
    port,
    protocol,
    formatList,
    formats: protocol.startsWith('RTP/') ? readFormats(formatList, section) : [],
    address: readAddress(section) ?? readAddress(session),
    rtcpPort: readRtcpPort(section, port),
    direction: section.direction ?? session.direction ?? 'sendrecv',
  };
}

function readFormats(formatList: string, section: MediaDescription): OfferedFormat[] {
  const formats: OfferedFormat[] = [];
  for (const token of formatList.trim().split(/ +/).slice(0, MAX_FORMATS)) {
    if (!/^\d{1,3}$/.test(token) || Number(token) > 127) continue;
    const payloadType = Number(token);
    const map = section.rtp.find((rtp) => rtp.payload === payloadType);
    formats.push({
      payloadType,
      encoding: (map === undefined ? (STATIC_FORMATS.get(payloadType) ?? '') : String(map.codec)).toUpperCase(),
      clockRateHz: Number(map?.rate ?? 8000),
      channels: Number(map?.encoding ?? 1),
    });
  }
  return formats;
}

function readAddress(holder: SharedDescriptionFields): string | null {
  const ip = holder.connection?.ip;
  if (ip === undefined) return null;
  const address = String(ip);
  return isIPv4(address) || isIPv6(address) ? address : null;
}

/** a=rtcp (RFC 3605), or the port above the RTP port. */
function readRtcpPort(section: MediaDescription, port: number): number {
  const stated = section.rtcp?.port;
  return typeof stated === 'number' && stated > 0 && stated <= 65535 ? stated : Math.min(65535, port + 1);
}

/** t= of the answer is that of the offer (RFC 3264 §6). */
function readTiming(lines: readonly string[]): string {
  const line = lines.find((candidate) => /^t=\d{1,20} \d{1,20}$/.test(candidate));
  return line === undefined ? '0 0' : line.slice(2);
}
