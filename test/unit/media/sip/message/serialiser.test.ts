import fc from 'fast-check';

import { sdpOf } from '../../../../../media/sip/message/body';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { OutgoingRequest } from '../../../../../media/sip/message/outgoing-request';
import { buildResponse, serialiseRequest } from '../../../../../media/sip/message/serialiser';

import { hostileText } from '../../../../fakes/media/sip/hostile-text';
import { readStrictly } from '../../../../fakes/media/sip/strict-reader';

import type { SipRequest, SipResponse } from '../../../../../media/sip/message/message';
import type { RequestParts, ResponseOptions } from '../../../../../media/sip/message/serialiser';

const request = parseMessage(
  Buffer.from(
    'INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP one;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP two\r\nf: "\xfe" <sip:x@y>;tag=f\r\n' +
      't: <sip:a@b>\r\ni: id\r\nCSeq: 7 INVITE\r\nTimestamp: 54\r\n\r\n',
    'latin1',
  ),
) as SipRequest;

function responseText(to: SipRequest, status: number, options?: ResponseOptions): string {
  return buildResponse(to, status, options).bytes.toString('latin1');
}

describe('response', () => {
  it('tells what it is without being read', () => {
    const response = buildResponse(request, 486, { reason: 'Not\r\nnow' });
    expect(response).toMatchObject({ status: 486, reason: 'Not now', method: 'INVITE', cseq: '7 INVITE' });
    expect(response.via?.host).toBe('one');
  });

  it('copies Via, From, To, Call-ID and CSeq byte for byte and adds the tag', () => {
    const text = responseText(request, 200, { toTag: 't', server: 'S', headers: ['Contact: <sip:me>'] });
    expect(text).toBe(
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP one;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP two\r\nFrom: "\xfe" <sip:x@y>;tag=f\r\n' +
        'To: <sip:a@b>;tag=t\r\nCall-ID: id\r\nCSeq: 7 INVITE\r\nServer: S\r\nContact: <sip:me>\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it('has no tag but the timestamp in a 100', () => {
    const text = responseText(request, 100, { toTag: 't' });
    expect(text).toContain('To: <sip:a@b>\r\n');
    expect(text).toContain('Timestamp: 54\r\n');
  });

  it('counts the bytes of its body', () => {
    const text = responseText(request, 200, { body: { content: 's=é\r\n', contentType: 'application/sdp' } });
    const again = parseMessage(Buffer.from(text, 'latin1')) as SipResponse;
    expect(again.issues).toEqual([]);
    expect(sdpOf(again)).toBe('s=é\r\n');
  });

  it('never lets a value begin a line of its own', () => {
    const text = responseText(request, 400, { reason: 'Bad\r\nX-Evil: 1', headers: ['Warning: a\r\nX-Evil: 2\0'] });
    expect(text).not.toMatch(/\r\nX-Evil/);
    expect(text).not.toContain('\0');
  });

  it('answers a request that lacks what it should echo', () => {
    const bare = parseMessage(Buffer.from('INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n')) as SipRequest;
    expect(responseText(bare, 400, { toTag: 't' })).toBe(
      'SIP/2.0 400 Bad Request\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n',
    );
  });
});

describe('request', () => {
  const parts: RequestParts = {
    method: 'INVITE',
    requestUri: 'sip:a@b',
    routes: ['<sip:p1;lr>', '<sip:p2;lr>'],
    hop: 'sip:p1;lr',
    sentBy: 'me:5070',
    branch: 'z9hG4bK1',
    to: '<sip:a@b>',
    from: '"\xfe" <sip:x@y>;tag=f',
    callId: 'id',
    cseq: 7,
    headers: ['Contact: <sip:me>'],
    credentials: ['Authorization: Digest response="x"'],
    product: 'P',
    body: { content: 's=é\r\n', contentType: 'application/sdp' },
  };

  it('is read by our parser as what it was', () => {
    const again = parseMessage(serialiseRequest(parts, 'udp', true)) as SipRequest;
    expect(again).toMatchObject({ method: 'INVITE', requestUri: 'sip:a@b', callId: 'id', issues: [] });
    expect(again.cseq).toEqual({ number: 7, method: 'INVITE' });
    expect(again.lines('route')).toEqual(parts.routes);
    expect(again.lines('via')).toEqual(['SIP/2.0/UDP me:5070;branch=z9hG4bK1;rport']);
    expect([again.first('from'), again.first('to')]).toEqual([parts.from, parts.to]);
    expect([again.first('contact'), again.first('user-agent')]).toEqual(['<sip:me>', 'P']);
    expect(sdpOf(again)).toBe('s=é\r\n');
  });

  it('has neither Content-Type nor User-Agent without a body and a product', () => {
    const { body: _body, product: _product, ...bare } = parts;
    expect(serialiseRequest({ ...bare, method: 'ACK', routes: [], headers: [] }, 'tcp', false).toString('latin1')).toBe(
      'ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP me:5070;branch=z9hG4bK1;rport\r\nTo: <sip:a@b>\r\n' +
        'From: "\xfe" <sip:x@y>;tag=f\r\nCSeq: 7 ACK\r\nCall-ID: id\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it('never lets a value begin a line of its own', () => {
    const text = serialiseRequest({ ...parts, headers: ['X-A: 1\r\nX-Evil: 2\0'] }, 'udp', true).toString('latin1');
    expect(text).not.toMatch(/\r\nX-Evil/);
    expect(text).not.toContain('\0');
  });

  it('is written once for all its repetitions, and anew for another transport', () => {
    const outgoing = new OutgoingRequest(parts, 'next_hop');
    const first = outgoing.bytes('udp', true);
    expect(outgoing.bytes('udp', true)).toBe(first);
    expect(outgoing.bytes('tcp', true).toString('latin1')).toContain('\r\nVia: SIP/2.0/TCP me:5070;');
  });

  it('has its credentials for whom they are for, and for nobody else', () => {
    const outgoing = new OutgoingRequest(parts, 'next_hop');
    const seen = [true, false, true].map((toTrunk) => outgoing.bytes('udp', toTrunk).toString('latin1'));
    expect(seen.map((text) => text.includes('\r\nAuthorization: Digest'))).toEqual([true, false, true]);
  });
});

describe('whatever text is in it', () => {
  const text = hostileText({ maxLength: 12 });

  it('a request is one message with the headers that were meant', () => {
    const any = fc.record({
      requestUri: text,
      routes: fc.array(text, { maxLength: 2 }),
      sentBy: text,
      to: text,
      from: text,
      callId: text,
      headers: fc.array(
        text.map((value) => `X-Text: ${value}`),
        { maxLength: 2 },
      ),
      credentials: fc.array(
        text.map((value) => `Authorization: ${value}`),
        { maxLength: 2 },
      ),
      hop: text,
      product: text,
      content: text,
      contentType: text,
    });
    fc.assert(
      fc.property(any, ({ content, contentType, ...given }) => {
        const parts = { ...given, requestUri: `sip:${given.requestUri}`, sentBy: `h${given.sentBy}` };
        const bytes = serialiseRequest(
          { ...parts, method: 'INVITE', branch: 'z9hG4bK1', cseq: 1, body: { content, contentType } },
          'tcp',
          true,
        );
        const [message, ...more] = readStrictly(bytes);
        expect(more).toEqual([]);
        expect(message?.names).toEqual([
          ...given.routes.map(() => 'Route'),
          'Via',
          'To',
          'From',
          'CSeq',
          'Call-ID',
          'Max-Forwards',
          ...given.headers.map(() => 'X-Text'),
          ...given.credentials.map(() => 'Authorization'),
          'User-Agent',
          'Content-Type',
          'Content-Length',
        ]);
        expect(Buffer.from(message!.body, 'latin1').toString()).toBe(Buffer.from(content).toString());
      }),
      { numRuns: 500 },
    );
  });

  it('a response is one message with the headers that were meant', () => {
    const any = fc.record({ lines: fc.array(text, { minLength: 4, maxLength: 4 }), reason: text, warning: text });
    fc.assert(
      fc.property(any, ({ lines, reason, warning }) => {
        const [via = '', from = '', to = '', callId = ''] = lines.map((line) => line.replace(/[\r\n]/g, '\r'));
        const head = `INVITE sip:a SIP/2.0\r\nVia: ${via}\r\nFrom: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\n`;
        const bytes = Buffer.from(`${head}CSeq: 1 INVITE\r\n\r\n`);
        const response = buildResponse(parseMessage(bytes) as SipRequest, 400, {
          reason,
          toTag: 't',
          headers: [`Warning: ${warning}`],
        });
        const [message, ...more] = readStrictly(response.bytes);
        expect(more).toEqual([]);
        expect(message?.names).toEqual(['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Warning', 'Content-Length']);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a text that may stand there as it is, in UTF-8', () => {
    const headers = ['X-Text: č Ċ 中 \ud83d\ude00'];
    const text = serialiseRequest(
      {
        method: 'BYE',
        requestUri: 'sip:č@h',
        routes: [],
        sentBy: 'h',
        branch: 'b',
        to: 't',
        from: 'f',
        callId: 'c',
        cseq: 1,
        headers,
        hop: 'sip:h',
        credentials: [],
      },
      'udp',
      false,
    ).toString('utf8');
    expect(text).toContain(`\r\n${headers[0]}\r\n`);
    expect(text).toMatch(/^BYE sip:%C4%8D@h SIP\/2\.0\r\n/);
  });
});
