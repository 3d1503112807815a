/** The text of our SDP (RFC 8866 §5): few lines, always the same ones, each call set-up writes them. */
import { isIPv6 } from 'node:net';
import type { Direction, LocalAudio } from './audio-stream';

export interface LocalFormat {
  readonly payloadType: number;
  readonly encoding: string;
  readonly clockRateHz: number;
  /** Of its `a=fmtp` line. */
  readonly parameters?: string;
}

/** `protocol`: of the stream in the offer, and of our own later ones (RFC 3264 §6, §8). */
export function audioSection(
  port: number,
  protocol: string,
  formats: readonly LocalFormat[],
  ptimeMs: number,
  direction: Direction,
): string {
  let line = `m=audio ${port} ${protocol}`;
  let maps = '';
  let parameters = '';
  for (const { payloadType, encoding, clockRateHz, parameters: own } of formats) {
    line += ` ${payloadType}`;
    maps += `a=rtpmap:${payloadType} ${encoding}/${clockRateHz}\r\n`;
    if (own !== undefined) parameters += `a=fmtp:${payloadType} ${own}\r\n`;
  }
  return `${line}\r\n${maps}${parameters}a=ptime:${ptimeMs}\r\na=${direction}\r\n`;
}

/** A stream is refused with port 0; its formats are repeated because the line must have some (RFC 3264 §6). */
export function rejectedSection(media: string, protocol: string, formatList: string): string {
  return `m=${media} 0 ${protocol} ${formatList}\r\n`;
}

/** @param timing start and stop, of the offer in an answer */
export function writeSession(local: LocalAudio, timing: string, sections: readonly string[]): string {
  const { localAddress, sessionId, version } = local;
  const address = `IN ${isIPv6(localAddress) ? 'IP6' : 'IP4'} ${localAddress}`;
  return `v=0\r\no=- ${sessionId} ${version} ${address}\r\ns=-\r\nc=${address}\r\nt=${timing}\r\n${sections.join('')}`;
}
