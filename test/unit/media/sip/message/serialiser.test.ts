import { sdpOf } from '../../../../../media/sip/message/body';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { buildResponse } from '../../../../../media/sip/message/serialiser';

import type { SipRequest, SipResponse } from '../../../../../media/sip/message/message';

const request = parseMessage(
  Buffer.from(
    'INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP one;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP two\r\nf: "\xfe" <sip:x@y>;tag=f\r\n' +
      't: <sip:a@b>\r\ni: id\r\nCSeq: 7 INVITE\r\nTimestamp: 54\r\n\r\n',
    'latin1',
  ),
) as SipRequest;

describe('response', () => {
  it('copies Via, From, To, Call-ID and CSeq byte for byte and adds the tag', () => {
    const text = buildResponse(request, 200, { toTag: 't', server: 'S', headers: ['Contact: <sip:me>'] });
    expect(text).toBe(
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP one;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP two\r\nFrom: "\xfe" <sip:x@y>;tag=f\r\n' +
        'To: <sip:a@b>;tag=t\r\nCall-ID: id\r\nCSeq: 7 INVITE\r\nServer: S\r\nContact: <sip:me>\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it('has no tag but the timestamp in a 100', () => {
    const text = buildResponse(request, 100, { toTag: 't' });
    expect(text).toContain('To: <sip:a@b>\r\n');
    expect(text).toContain('Timestamp: 54\r\n');
  });

  it('counts the bytes of its body', () => {
    const text = buildResponse(request, 200, { body: { content: 's=é\r\n', contentType: 'application/sdp' } });
    const again = parseMessage(Buffer.from(text, 'latin1')) as SipResponse;
    expect(again.issues).toEqual([]);
    expect(sdpOf(again)).toBe('s=é\r\n');
  });

  it('never lets a value begin a line of its own', () => {
    const text = buildResponse(request, 400, { reason: 'Bad\r\nX-Evil: 1', headers: ['Warning: a\r\nX-Evil: 2\0'] });
    expect(text).not.toMatch(/\r\nX-Evil/);
    expect(text).not.toContain('\0');
  });

  it('answers a request that lacks what it should echo', () => {
    const bare = parseMessage(Buffer.from('INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n')) as SipRequest;
    expect(buildResponse(bare, 400, { toTag: 't' })).toBe(
      'SIP/2.0 400 Bad Request\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n',
    );
  });
});
