import type { SipMessage } from './message';

const SDP = 'application/sdp';
const BLANK_LINE = /\r?\n\r?\n/;
const SDP_PART = /(?:^|\n)(?:content-type|c)[ \t]*:\s*application\s*\/\s*sdp/i;

/** SDP of a message: its body, or the first application/sdp part of a multipart one (RFC 5621 §3.1). Null without. */
export function sdpOf(message: SipMessage): string | null {
  if (message.body.length === 0) return null;
  const type = message.contentType;
  if (type === SDP || (type === '' && startsLikeSdp(message.body))) return message.body.toString('utf8');
  if (!type.startsWith('multipart/')) return null;
  return part(message.body.toString('latin1'), message.first('content-type') ?? '');
}

/** Some gateways leave Content-Type out of their answers. */
function startsLikeSdp(body: Buffer): boolean {
  return body.toString('latin1', 0, 3) === 'v=0';
}

function part(text: string, contentType: string): string | null {
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) return null;
  for (const chunk of text.split(`--${mark}`).slice(1)) {
    const blank = BLANK_LINE.exec(chunk);
    if (blank === null || !SDP_PART.test(chunk.slice(0, blank.index))) continue;
    return Buffer.from(chunk.slice(blank.index + blank[0].length), 'latin1').toString('utf8');
  }
  return null;
}
