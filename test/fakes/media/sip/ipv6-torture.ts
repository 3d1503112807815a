/** The messages of RFC 5118, written from its text, with lengths that are right; and what we answer. */
interface Ipv6Message {
  readonly name: string;
  readonly section: string;
  readonly status: number;
  readonly why: string;
  readonly text: string;
}

const CALL_ID = 'SSG9559905523997077@hlau_4100';
const FROM = 'sip:user@example.com;tag=81x2';

function message(startLine: string, headers: Readonly<Record<string, string | readonly string[]>>, sdp = ''): string {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === 'string' ? [values] : values).map((value) => `${name}: ${value}`),
  );
  const type = sdp === '' ? [] : ['Content-Type: application/sdp'];
  return [startLine, ...lines, ...type, `Content-Length: ${sdp.length}`, '', sdp].join('\r\n');
}

function register(requestUri: string): string {
  return message(`REGISTER ${requestUri} SIP/2.0`, {
    To: 'sip:user@example.com',
    From: FROM,
    Via: 'SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111',
    'Call-ID': CALL_ID,
    'Max-Forwards': '70',
    Contact: '"Caller" <sip:caller@[2001:db8::1]>',
    CSeq: '98176 REGISTER',
  });
}

function optionsTo(uri: string): string {
  return message(`OPTIONS ${uri} SIP/2.0`, {
    To: uri,
    From: 'sip:user@example.com;tag=810x2',
    Via: 'SIP/2.0/UDP lab1.east.example.com;branch=z9hG4bKas3-111',
    'Call-ID': 'G9559905523997077@hlau_4100',
    CSeq: '689 OPTIONS',
    'Max-Forwards': '70',
  });
}

const VIDEO = 'm=video 6024 RTP/AVP 107\r\n';
const H263 = 'a=rtpmap:107 H263-1998/90000\r\n';
const G726_AND_VIDEO = `m=audio 6000 RTP/AVP 2\r\na=rtpmap:2 G726-32/8000\r\n${VIDEO}${H263}`;

export const IPV6_MESSAGES: readonly Ipv6Message[] = [
  {
    name: 'an IPv6 reference',
    section: '4.1',
    status: 405,
    why: 'it is well-formed; REGISTER is not served',
    text: register('sip:[2001:db8::10]'),
  },
  {
    name: 'an IPv6 address without brackets',
    section: '4.2',
    status: 400,
    why: 'it is no Request-URI, whatever the method',
    text: register('sip:2001:db8::10'),
  },
  {
    name: 'a port within the brackets',
    section: '4.3',
    status: 405,
    why: 'it belongs to the address; REGISTER is not served',
    text: register('sip:[2001:db8::10:5070]'),
  },
  {
    name: 'a port behind the brackets',
    section: '4.4',
    status: 405,
    why: 'it is well-formed; REGISTER is not served',
    text: register('sip:[2001:db8::10]:5070'),
  },
  {
    name: 'received in brackets',
    section: '4.5',
    status: 481,
    why: 'it is forgiven; of its dialog we know nothing',
    text: message('BYE sip:[2001:db8::10] SIP/2.0', {
      To: 'sip:user@example.com;tag=bd76ya',
      From: FROM,
      Via: 'SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111',
      'Call-ID': CALL_ID,
      'Max-Forwards': '70',
      CSeq: '321 BYE',
    }),
  },
  {
    name: 'received without brackets',
    section: '4.5',
    status: 200,
    why: 'it is well-formed',
    text: message('OPTIONS sip:[2001:db8::10] SIP/2.0', {
      To: 'sip:user@example.com',
      From: FROM,
      Via: 'SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3',
      'Call-ID': 'SSG95523997077@hlau_4100',
      'Max-Forwards': '70',
      Contact: '"Caller" <sip:caller@[2001:db8::9:1]>',
      CSeq: '921 OPTIONS',
    }),
  },
  {
    name: 'IPv6 in SDP',
    section: '4.6',
    status: 401,
    why: 'it is well-formed, and not authenticated',
    text: message(
      'INVITE sip:user@[2001:db8::10] SIP/2.0',
      {
        To: 'sip:user@[2001:db8::10]',
        From: FROM,
        Via: 'SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-111',
        'Call-ID': CALL_ID,
        Contact: '"Caller" <sip:caller@[2001:db8::20]>',
        CSeq: '8612 INVITE',
        'Max-Forwards': '70',
      },
      "v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\ns=Live video feed for today's meeting\r\n" +
        `c=IN IP6 2001:db8::20\r\nt=3338481189 3370017201\r\n${G726_AND_VIDEO}`,
    ),
  },
  {
    name: 'addresses of both kinds in Via',
    section: '4.7',
    status: 481,
    why: 'it is well-formed; of its dialog we know nothing',
    text: message('BYE sip:user@host.example.net SIP/2.0', {
      Via: [
        'SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111',
        'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144',
        'SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200',
      ],
      'Call-ID': '997077@lau_4100',
      'Max-Forwards': '70',
      CSeq: '89187 BYE',
      To: 'sip:user@example.net;tag=9817--94',
      From: FROM,
    }),
  },
  {
    name: 'addresses of both kinds in SDP',
    section: '4.8',
    status: 401,
    why: 'it is well-formed, and not authenticated',
    text: message(
      'INVITE sip:user@[2001:db8::10] SIP/2.0',
      {
        To: 'sip:user@[2001:db8::10]',
        From: FROM,
        Via: 'SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111',
        'Call-ID': CALL_ID,
        Contact: '"Caller" <sip:caller@[2001:db8::9:1]>',
        'Max-Forwards': '70',
        CSeq: '8912 INVITE',
      },
      'v=0\r\no=bob 280744730 28977631 IN IP4 host.example.com\r\ns=\r\nt=0 0\r\nm=audio 22334 RTP/AVP 0\r\n' +
        `c=IN IP4 192.0.2.1\r\n${VIDEO}c=IN IP6 2001:db8::1\r\n${H263}`,
    ),
  },
  {
    name: 'IPv4 within IPv6',
    section: '4.9',
    status: 401,
    why: 'it is well-formed, and not authenticated',
    text: message(
      'INVITE sip:user@example.com SIP/2.0',
      {
        To: 'sip:user@example.com',
        From: 'sip:user@east.example.com;tag=81x2',
        Via: [
          'SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19',
          'SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111',
        ],
        'Call-ID': CALL_ID,
        Contact: '"T. desk phone" <sip:ted@[::ffff:192.0.2.2]>',
        CSeq: '612 INVITE',
        'Max-Forwards': '70',
      },
      'v=0\r\no=assistant 971731711378798081 0 IN IP6 ::ffff:192.0.2.2\r\ns=Call me soon, please!\r\n' +
        `c=IN IP6 ::ffff:192.0.2.2\r\nt=3338481189 3370017201\r\n${G726_AND_VIDEO}`,
    ),
  },
  {
    name: 'a colon too many before IPv4',
    section: '4.10',
    status: 200,
    why: 'the grammar of RFC 3261 wants it',
    text: optionsTo('sip:user@[2001:db8:::192.0.2.1]'),
  },
  {
    name: 'IPv4 at the end of IPv6',
    section: '4.10',
    status: 200,
    why: 'it is well-formed',
    text: optionsTo('sip:user@[2001:db8::192.0.2.1]'),
  },
];
