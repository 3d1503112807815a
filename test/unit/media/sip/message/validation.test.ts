import { SipRequest } from '../../../../../media/sip/message/message';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { validateRequest } from '../../../../../media/sip/message/validation';
import { TORTURE_MESSAGES, tortureBytes } from '../../../../fakes/media/sip/torture';

/** Statuses that later layers give to what validation lets through. */
const LATER: readonly (number | null)[] = [200, 401, 481];

describe('validation', () => {
  const requests = TORTURE_MESSAGES.filter(({ status }) => status !== null);

  it.each(requests)('$file of RFC 4475 §$section: $status ($why)', ({ file, status }) => {
    const message = parseMessage(tortureBytes(file)) as SipRequest;
    const refusal = validateRequest(message);
    if (LATER.includes(status)) expect(refusal).toBeNull();
    else expect(refusal?.status).toBe(status);
  });

  function invite(change: (text: string) => string): ReturnType<typeof validateRequest> {
    const text =
      'INVITE sip:+15551234567@host SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n' +
      'To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@h>\r\nMax-Forwards: 70\r\n' +
      'Content-Type: application/sdp\r\n\r\nv=0\r\n';
    const message = parseMessage(Buffer.from(change(text), 'latin1'));
    if (!(message instanceof SipRequest)) throw new Error('not a request');
    return validateRequest(message);
  }

  it.each<[string, (text: string) => string, number | null]>([
    ['a plain INVITE', (t) => t, null],
    ['a sips Request-URI', (t) => t.replace('sip:+1', 'sips:+1'), null],
    ['a tel Request-URI', (t) => t.replace('sip:+15551234567@host', 'tel:+15551234567;phone-context=x'), null],
    ['a host that is none', (t) => t.replace('@host', '@ho^st'), 400],
    ['a long Request-URI', (t) => t.replace('@host', `@${'h'.repeat(2_000)}`), 414],
    ['a large body', (t) => t + 'x'.repeat(40_000), 413],
    ['a known method not served', (t) => t.replaceAll('INVITE', 'PUBLISH'), 405],
    ['a REFER that would make a call for a stranger', (t) => t.replaceAll('INVITE', 'REFER'), 405],
    ['a REFER in a dialog', (t) => t.replaceAll('INVITE', 'REFER').replace('<sip:c@d>', '<sip:c@d>;tag=2'), null],
    ['a NOTIFY in a dialog', (t) => t.replaceAll('INVITE', 'NOTIFY').replace('<sip:c@d>', '<sip:c@d>;tag=2'), null],
    [
      'a SUBSCRIBE in a dialog',
      (t) => t.replaceAll('INVITE', 'SUBSCRIBE').replace('<sip:c@d>', '<sip:c@d>;tag=2'),
      405,
    ],
    ['Replaces required', (t) => t.replace('Max-', 'Require: replaces\r\nMax-'), 420],
    ['version 3', (t) => t.replace('host SIP/2.0', 'host SIP/3.0'), 505],
    ['100rel and timer required', (t) => t.replace('Max-', 'Require: 100rel, Timer\r\nMax-'), null],
    ['what we lack required', (t) => t.replace('Max-', 'Require: 100rel, precondition\r\nMax-'), 420],
    ['no Contact', (t) => t.replace('Contact: <sip:a@h>\r\n', ''), 400],
    ['two Contacts', (t) => t.replace('<sip:a@h>', '<sip:a@h>, <sip:b@h>'), 400],
    ['a Contact of another scheme', (t) => t.replace('<sip:a@h>', '<http://h>'), 400],
    ['an encoded body', (t) => t.replace('Max-', 'Content-Encoding: gzip\r\nMax-'), 415],
    ['an encrypted body', (t) => t.replace('application/sdp', 'application/pkcs7-mime'), 493],
    [
      'a foreign body that is optional',
      (t) => t.replace('application/sdp', 'text/x\r\nContent-Disposition: session;handling=optional'),
      null,
    ],
    [
      'SDP in a multipart body',
      (t) =>
        `${t.replace('application/sdp', 'multipart/mixed;boundary=b').replace('v=0\r\n', '')}--b\r\n` +
        'Content-Type: application/sdp\r\n\r\nv=0\r\n--b--',
      null,
    ],
    ['an unreadable line of no meaning', (t) => t.replace('Max-', 'roobar\r\nMax-'), null],
    ['an endless Max-Forwards', (t) => t.replace('70', '256'), 400],
    ['a Contact without brackets', (t) => t.replace('<sip:a@h>', 'sip:a@h;+sip.instance="<urn:x>";audio'), null],
    ['a From with a semicolon in its display name', (t) => t.replace('From: ', 'From: Bell; Al '), 400],
    ['a From with a comma in its display name', (t) => t.replace('From: ', 'From: Bell, Al '), 400],
    ['a From with a quoted comma', (t) => t.replace('From: ', 'From: "Bell, <Al>" '), null],
    ['a Contact at port 0', (t) => t.replace('<sip:a@h>', '<sip:a@h:0>'), 400],
    ['a Via at port 0', (t) => t.replace('h:5060', 'h:0'), 400],
    ['a lower Via at port 0', (t) => t.replace('From:', 'Via: SIP/2.0/TCP p:0;branch=z9hG4bK2\r\nFrom:'), 400],
    ['a Route at port 0', (t) => t.replace('Max-', 'Route: <sip:p;lr>, <sip:p:0;lr>\r\nMax-'), 400],
    ['a Record-Route at port 0', (t) => t.replace('Max-', 'Record-Route: <sip:p:0;lr>\r\nMax-'), 400],
    ['a Request-URI at port 0', (t) => t.replace('@host', '@host:0'), 400],
    ['an empty Route', (t) => t.replace('Max-', 'Route:\r\nMax-'), null],
    [
      'a malformed Request-URI of a method not served',
      (t) => t.replaceAll('INVITE', 'REFER').replace('@host', '@'),
      400,
    ],
    ['a control character in Call-ID', (t) => t.replace('Call-ID: x', 'Call-ID: x\x01'), 400],
    ['two lengths that contradict each other', (t) => t.replace('Max-', 'l: 1\r\nl: 2\r\nMax-'), 400],
    ['a head beyond 64 KiB', (t) => t.replace('Max-', `X: ${'x'.repeat(66_000)}\r\nMax-`), 513],
    ['more lines than we read', (t) => t.replace('Max-', `${'X: y\r\n'.repeat(1_000)}Max-`), 513],
    ['a large body of which only the length has come', (t) => t.replace('Max-', 'l: 40000\r\nMax-'), 413],
    ['SDP of no type', (t) => t.replace('Content-Type: application/sdp\r\n', ''), null],
  ])('%s', (_name, change, status) => {
    expect(invite(change)?.status ?? null).toBe(status);
  });

  it('names what would be accepted', () => {
    expect(invite((t) => t.replaceAll('INVITE', 'REFER'))?.headers).toEqual([
      'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK',
    ]);
    expect(invite((t) => t.replace('Max-', 'Require: 100rel, X, timer, precondition\r\nMax-'))?.headers).toEqual([
      'Unsupported: x, precondition',
    ]);
    expect(invite((t) => t.replace('application/sdp', 'text/plain'))?.headers).toEqual(['Accept: application/sdp']);
  });
});
