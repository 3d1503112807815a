import { opensCall } from '../../../../../media/sip/message/first-look';

test.each([
  ['a call', 'INVITE sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n', true],
  ['a call in compact form', 'INVITE sip:a SIP/2.0\r\nt:<sip:a>\r\n\r\n', true],
  [
    'another name of a header that ends alike',
    'INVITE sip:a SIP/2.0\r\nReply-To: <sip:x>\r\nTo: <sip:a>;tag=1\r\n\r\n',
    false,
  ],
  ['an INVITE of a dialog', 'INVITE sip:a SIP/2.0\r\nTO : <sip:a> ; Tag = 1\r\n\r\n', false],
  ['one without To', 'INVITE sip:a SIP/2.0\r\n\r\n', false],
  ['another method', 'INVITED sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n', false],
  ['a response', 'SIP/2.0 200 OK\r\nTo: <sip:a>\r\n\r\n', false],
])('%s', (_, text, expected) => {
  expect(opensCall(Buffer.from(text, 'latin1'))).toBe(expected);
});
