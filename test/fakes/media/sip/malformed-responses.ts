/** Responses as carriers, gateways and boxes between them send them: wrong in one point each. */
interface MalformedResponse {
  readonly name: string;
  readonly change: (text: string) => string;
}

const line =
  (text: string) =>
  (response: string): string =>
    response.replace('\r\nCall-ID:', `\r\n${text}\r\nCall-ID:`);

const header =
  (name: string, value: (old: string) => string) =>
  (response: string): string =>
    response.replace(new RegExp(`^${name}: (.*)$`, 'm'), (_line, old: string) => `${name}: ${value(old)}`);

const statusLine =
  (text: string) =>
  (response: string): string =>
    response.replace(/^SIP\/2\.0 (\d{3}).*/, text);

/** All of it that may be had is heard: status, tags and SDP. */
export const MALFORMED_RESPONSES: readonly MalformedResponse[] = [
  { name: 'a space in a header name', change: line('X Carrier Id: 7') },
  { name: 'a line without a colon', change: line('roobar') },
  { name: 'a line of nothing but a colon', change: line(':') },
  { name: 'a header name of other bytes', change: line('\xff\xfe\x01: 7') },
  { name: 'a NUL in a value', change: line('X-Carrier: a\0b') },
  { name: 'a lone carriage return in a value', change: line('X-Carrier: a\rb') },
  { name: 'no reason phrase', change: statusLine('SIP/2.0 $1') },
  { name: 'no space before the reason phrase', change: statusLine('SIP/2.0 $1OK') },
  { name: 'other white space in the status line', change: statusLine('SIP/2.0 \t$1   Fine') },
  { name: 'a reason phrase of other bytes', change: statusLine('SIP/2.0 $1 \xe4\xb8\xad\xff') },
  { name: 'a version in lower case', change: statusLine('sip/2.0 $1 OK') },
  { name: 'empty lines before it', change: (text) => `\r\n\r\n${text}` },
  {
    name: 'bare line feeds',
    change: (text) => text.replace(/^[^]*?\r\n\r\n/, (head) => head.replaceAll('\r\n', '\n')),
  },
  { name: 'a blank line of a bare line feed', change: (text) => text.replace('\r\n\r\n', '\r\n\n') },
  { name: 'an open quote in From', change: header('From', (old) => `"Acme ${old.slice(old.indexOf('<'))}`) },
  {
    name: 'a comma in the display name of From',
    change: header('From', (old) => `Acme, Inc ${old.slice(old.indexOf('<'))}`),
  },
  { name: 'no tag in From', change: header('From', (old) => old.replace(/;tag=.*/, '')) },
  { name: 'no From', change: (text) => text.replace(/From: .*\r\n/, '') },
  { name: 'no colon after Call-ID', change: (text) => text.replace('Call-ID:', 'Call-ID') },
  { name: 'no brackets in To', change: header('To', (old) => old.replace(/[<>]/g, '')) },
  { name: 'an open bracket in To', change: header('To', (old) => old.replace('>', '')) },
  { name: 'an open quote in To', change: header('To', (old) => `"Bob ${old}`) },
  { name: 'a parameter with quoted separators in To', change: header('To', (old) => `${old};x="a;tag=no,<>"`) },
  { name: 'two To lines', change: header('To', (old) => `${old}\r\nTo: <sip:other@h>;tag=other`) },
  { name: 'port 0 in Via', change: header('Via', (old) => old.replace(/:\d+;/, ':0;')) },
  { name: 'two ports in Via', change: header('Via', (old) => old.replace(/(:\d+);/, '$1$1;')) },
  { name: 'a folded Via', change: header('Via', (old) => old.replace(/;/g, '\r\n ;')) },
  { name: 'a negative Content-Length', change: header('Content-Length', () => '-1') },
  { name: 'a Content-Length that is no number', change: header('Content-Length', (old) => `${old} bytes`) },
  { name: 'two Content-Lengths', change: header('Content-Length', (old) => `${old}\r\nl: 0`) },
  { name: 'no Content-Length', change: (text) => text.replace(/Content-Length: \d+\r\n/, '') },
  { name: 'no space in CSeq', change: header('CSeq', (old) => old.replace(' ', '')) },
  { name: 'a method in lower case in CSeq', change: header('CSeq', (old) => old.toLowerCase()) },
  { name: 'no Content-Type', change: (text) => text.replace(/Content-Type: .*\r\n/, '') },
  { name: 'spaces in Content-Type', change: header('Content-Type', () => 'Application / SDP ; charset=utf-8') },
  { name: 'headers of 20 KiB', change: line(`X-Token: ${'a'.repeat(20_000)}`) },
  { name: 'hundreds of headers', change: line(Array.from({ length: 600 }, (_, i) => `X-${i}: ${i}`).join('\r\n')) },
];

/** These tell nothing that could be relied upon. */
export const LOST_RESPONSES: readonly MalformedResponse[] = [
  { name: 'a body shorter than its Content-Length', change: header('Content-Length', (old) => `${Number(old) + 1}`) },
  { name: 'a status of no class', change: statusLine('SIP/2.0 999 What') },
  { name: 'a status of no class below 100', change: statusLine('SIP/2.0 099 What') },
  { name: 'a status of four digits', change: statusLine('SIP/2.0 2000 OK') },
  { name: 'no branch', change: header('Via', (old) => old.replace(/;branch=[^;]*/, '')) },
  { name: 'no CSeq', change: (text) => text.replace(/CSeq: .*\r\n/, '') },
  { name: 'the tag of another dialog', change: header('From', (old) => `${old}x`) },
];

const BODY = 'v=0\r\no=- 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 42000 RTP/AVP 0\r\n';

export const SOUND_RESPONSE =
  'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport\r\nFrom: "Acme" <sip:+1555@192.0.2.9>;tag=mine\r\n' +
  'To: <sip:+1556@192.0.2.9>;tag=theirs\r\nCall-ID: a@b\r\nCSeq: 3 INVITE\r\nContact: <sip:callee@192.0.2.9:5070>\r\n' +
  `Content-Type: application/sdp\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
