import type { SipMessage } from './message';

const SDP = 'application/sdp';

/** SDP of a message: its body, or the first application/sdp part of a multipart one (RFC 5621 §3.1). Null without. */
export function sdpOf(message: SipMessage): string | null {
  if (message.body.length === 0) return null;
  const type = message.contentType;
  if (type === SDP) return message.body.toString('utf8');
  if (!type.startsWith('multipart/')) return null;
  return part(message.body.toString('latin1'), message.first('content-type') ?? '');
}

function part(text: string, contentType: string): string | null {
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) return null;
  for (const chunk of text.split(`--${mark}`).slice(1)) {
    const blank = chunk.indexOf('\r\n\r\n');
    if (blank < 0 || !/\r\n(?:content-type|c)\s*:\s*application\/sdp/i.test(chunk.slice(0, blank + 2))) continue;
    return Buffer.from(chunk.slice(blank + 4), 'latin1').toString('utf8');
  }
  return null;
}
