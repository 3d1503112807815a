/**
 * A peer's SDP (RFC 8866) as far as audio calls need it. Only what the audio needs is asked for: lines that are unknown,
 * unreadable, out of order or missing, and streams that nobody can use, take nothing from a stream that works.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Direction } from './audio-stream';
import { refuse } from './sdp-result';
import type { SdpRefusal } from './sdp-result';

/** In the clear. Feedback by RTCP is an offer that an answer may leave out (RFC 4585 §4.2), as ours does. */
export const RTP_PROFILES: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF']);
export const PLAIN_RTP = 'RTP/AVP';
/** What a SIP body may be. */
const MAX_SDP_BYTES = 32_768;
/** Each gets a line in our answer. */
const MAX_MEDIA = 128;
const MAX_FORMATS = 64;

export interface OfferedFormat {
  readonly payloadType: number;
  /** Upper case; empty for a dynamic payload type without rtpmap. */
  readonly encoding: string;
  readonly clockRateHz: number;
  readonly channels: number;
}

export interface MediaSection {
  /** Lower case, as are the registered ones. */
  readonly media: string;
  /** 0 when the stream is switched off, or unreadable. */
  readonly port: number;
  readonly protocol: string;
  /** The rest of the m= line in its own words, one at least. */
  readonly formatList: string;
  readonly formats: readonly OfferedFormat[];
  /** Literal, or null when it is missing or not an address. */
  readonly address: string | null;
  /** Its c= line has a host name. */
  readonly named: boolean;
  readonly rtcpPort: number;
  readonly direction: Direction;
}

export interface SessionDescription {
  readonly timing: string;
  readonly media: readonly MediaSection[];
}

export type ReadDescription = { readonly ok: true; readonly description: SessionDescription } | SdpRefusal;

/** Formats that need no rtpmap (RFC 3551 §6). */
const STATIC_FORMATS: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU'],
  [8, 'PCMA'],
  [9, 'G722'],
  [13, 'CN'],
  [18, 'G729'],
]);

interface Line {
  readonly type: string;
  readonly value: string;
}

interface Connection {
  readonly address: string | null;
  readonly named: boolean;
}

/** What the lines of the session, or those of one stream, say. */
interface Level {
  readonly connection: Connection | null;
  readonly direction: Direction | null;
  readonly rtcpPort: number | null;
  readonly rtpmaps: ReadonlyMap<number, RegExpExecArray>;
}

const HOST_NAME = /^(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9.-]{1,253}$/;
/** What of an m= line can be given back in a line of ours. */
const TOKEN = /^[\x21-\x7e]{1,64}$/;
const RTPMAP = /^(\d{1,3})\s+([^\s/]+)\s*(?:\/\s*(\d{1,9})\s*(?:\/\s*(\d{1,3}))?)?/;
const MAX_PORT = 65_535;

export function readSessionDescription(sdp: string): ReadDescription {
  if (Buffer.byteLength(sdp) > MAX_SDP_BYTES) return refuse('malformed', 'too long');
  const lines = readLines(sdp);
  const starts = lines.flatMap(({ type }, index) => (type === 'm' ? [index] : []));
  const before = lines.slice(0, starts[0]);
  if (starts.length === 0 && !before.some(({ type }) => type === 'v')) return refuse('malformed', 'no SDP');
  if (starts.length > MAX_MEDIA) return refuse('malformed', 'too many m= lines');
  const session = readLevel(before);
  const media = starts.map((start, i) =>
    readMedia(lines[start]!.value, readLevel(lines.slice(start + 1, starts[i + 1])), session),
  );
  return { ok: true, description: { timing: readTiming(lines), media } };
}

/** Any line end will do, and spaces where the grammar has none. */
function readLines(sdp: string): Line[] {
  const lines: Line[] = [];
  for (const text of sdp.split(/[\r\n\0]+/)) {
    const equals = text.indexOf('=');
    const type = text.slice(0, Math.max(0, equals)).trim();
    if (type.length === 1) lines.push({ type, value: text.slice(equals + 1).trim() });
  }
  return lines;
}

function readLevel(lines: readonly Line[]): Level {
  let connection: Connection | null = null;
  let direction: Direction | null = null;
  let rtcpPort: number | null = null;
  const rtpmaps = new Map<number, RegExpExecArray>();
  for (const { type, value } of lines) {
    if (type === 'c' && typeof connection?.address !== 'string') connection = readConnection(value) ?? connection;
    if (type !== 'a') continue;
    const colon = value.indexOf(':');
    const name = (colon < 0 ? value : value.slice(0, colon)).trim().toLowerCase();
    const rest = colon < 0 ? '' : value.slice(colon + 1).trim();
    if (isDirection(name)) direction = name;
    else if (name === 'rtcp') rtcpPort = readPort(rest) || rtcpPort;
    else if (name === 'rtpmap') {
      const map = RTPMAP.exec(rest);
      if (map !== null && !rtpmaps.has(Number(map[1]))) rtpmaps.set(Number(map[1]), map);
    }
  }
  return { connection, direction, rtcpPort, rtpmaps };
}

function readMedia(value: string, level: Level, session: Level): MediaSection {
  const [media = '', portText = '', protocolText = '', ...formats] = value.split(/\s+/);
  const port = readPort(portText);
  const protocol = TOKEN.test(protocolText) ? protocolText : PLAIN_RTP;
  const profile = protocol.toUpperCase();
  const connection = level.connection?.address == null ? (session.connection ?? level.connection) : level.connection;
  return {
    media: TOKEN.test(media) ? media.toLowerCase() : 'application',
    port,
    protocol: RTP_PROFILES.has(profile) ? profile : protocol,
    formatList: formats.filter((format) => TOKEN.test(format)).join(' ') || '0',
    formats: /^RTP\//i.test(protocol) ? readFormats(formats, level, session) : [],
    address: connection?.address ?? null,
    named: connection?.named ?? false,
    // a=rtcp (RFC 3605), or the port above the RTP port.
    rtcpPort: level.rtcpPort ?? Math.min(MAX_PORT, port + 1),
    direction: level.direction ?? session.direction ?? 'sendrecv',
  };
}

/** The first of what may be several (m=audio 5004/2 …, a=rtcp:5005 IN …); 0 when there is none. */
function readPort(text: string): number {
  const port = Number(/^\d{1,5}(?!\d)/.exec(text)?.[0] ?? 0);
  return port <= MAX_PORT ? port : 0;
}

function readFormats(tokens: readonly string[], level: Level, session: Level): OfferedFormat[] {
  const formats: OfferedFormat[] = [];
  for (const token of tokens.slice(0, MAX_FORMATS)) {
    if (!/^\d{1,3}$/.test(token) || Number(token) > 127) continue;
    const payloadType = Number(token);
    const map = level.rtpmaps.get(payloadType) ?? session.rtpmaps.get(payloadType) ?? [];
    const [, , encoding = STATIC_FORMATS.get(payloadType) ?? '', rate = '8000', channels = '1'] = map;
    formats.push({
      payloadType,
      encoding: encoding.toUpperCase(),
      clockRateHz: Number(rate),
      channels: Number(channels),
    });
  }
  return formats;
}

/** What stands before the address (IP4 or IP6) says less than the address itself. Null for another kind of network. */
function readConnection(value: string): Connection | null {
  const [network = '', , target = ''] = value.split(/\s+/);
  if (network.toUpperCase() !== 'IN') return null;
  // A unicast address with a TTL, or in the brackets of a URI, is one all the same.
  const address = target.replace(/\/.*$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIPv4(address) || (isIPv6(address) && !address.includes('%'))) return { address, named: false };
  return HOST_NAME.test(address) ? { address: null, named: true } : null;
}

function isDirection(name: string): name is Direction {
  return name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive';
}

/** t= of the answer is that of the offer (RFC 3264 §6). */
function readTiming(lines: readonly Line[]): string {
  const line = lines.find(({ type, value }) => type === 't' && /^\d{1,20}\s+\d{1,20}$/.test(value));
  return line === undefined ? '0 0' : line.value.replace(/\s+/, ' ');
}
