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
    ['a known method not served', (t) => t.replaceAll('INVITE', 'REFER'), 405],
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
