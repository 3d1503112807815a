import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

import { answerOffer } from '../../../../media/sdp/offer-answer';
import { sdpOf } from '../../../../media/sip/message/body';
import { parseMessage } from '../../../../media/sip/message/parser';
import { contactUri } from '../../../../media/sip/message/validation';
import { Caller } from '../../../fakes/media/sip/caller';
import { IPV6_MESSAGES } from '../../../fakes/media/sip/ipv6-torture';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { TestEndpoint } from '../../../fakes/media/sip/test-endpoint';

import type { Socket } from 'node:dgram';
import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';

const LOCAL = { port: 20_000, sessionId: '1', version: 1 };

function offerOf(section: string): string {
  const { text } = IPV6_MESSAGES.find((candidate) => candidate.section === section)!;
  return sdpOf(parseMessage(Buffer.from(text, 'latin1')))!;
}

describe('RFC 5118', () => {
  it('has twelve messages', () => expect(IPV6_MESSAGES).toHaveLength(12));

  it('names addresses that are read as they are', () => {
    const read = (section: string): SipRequest => {
      const { text } = IPV6_MESSAGES.find((candidate) => candidate.section === section)!;
      return parseMessage(Buffer.from(text, 'latin1')) as SipRequest;
    };
    expect(read('4.5').topVia?.params.get('received')).toBe('[2001:db8::9:255]');
    expect(read('4.7').topVia).toMatchObject({ host: '[2001:db8::9:1]', port: 6050 });
    expect(contactUri(read('4.9'))).toBe('sip:ted@[::ffff:192.0.2.2]');
  });

  it.each([
    ['4.6', '2001:db8::1', { ok: false, fault: 'codec' }],
    ['4.8', '198.51.100.1', { ok: true, remote: { address: '192.0.2.1', port: 22_334, codec: 'PCMU' } }],
    ['4.9', '2001:db8::1', { ok: false, fault: 'codec' }],
  ])('§%s: its SDP toward %s', (section, localAddress, expected) => {
    expect(answerOffer(offerOf(section), { ...LOCAL, localAddress })).toMatchObject(expected);
  });
});

/** On a machine without IPv6 the texts come over IPv4 alone. */
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe.each(hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])('RFC 5118 on the wire, over %s', (host) => {
  let endpoint: TestEndpoint;
  let socket: Socket;
  const received: SipResponse[] = [];

  beforeAll(async () => {
    endpoint = await TestEndpoint.start({ listen: [{ host, port: 0 }] });
    socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4', (bytes) => {
      received.push(parseMessage(bytes) as SipResponse);
      socket.emit('answered');
    });
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  });

  afterAll(async () => {
    socket.close();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(0);
  });

  async function answerTo(text: string): Promise<SipResponse> {
    // Its Via names nobody here; the answer must come back to the source all the same.
    const answered = once(socket, 'answered', { signal: AbortSignal.timeout(1_000) });
    socket.send(text.replace(/^(Via: [^;\r]+)/m, '$1;rport'), endpoint.port, host);
    await answered;
    return received.splice(0)[0]!;
  }

  it.each(IPV6_MESSAGES)('$name (§$section) gets $status: $why', async ({ text, status }) => {
    const answer = await answerTo(text);
    expect(answer).toMatchObject({ status, callId: /Call-ID: (.*)\r/.exec(text)![1] });
    expect(answer.topVia?.params.get('received')).toBe(host);
    const via = `SIP/2.0/UDP ${isIPv6(host) ? `[${host}]` : host}:${socket.address().port};branch=z9hG4bK${status}`;
    const control = `OPTIONS sip:x SIP/2.0\r\nVia: ${via}\r\nFrom: <sip:c@h>;tag=1\r\nTo: <sip:x>\r\nCall-ID: control\r\n`;
    expect((await answerTo(`${control}CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`)).status).toBe(200);
  });
});

describe('RFC 5118 on a stream', () => {
  it('gets the same answers, and the stream goes on', async () => {
    const endpoint = await TestEndpoint.start();
    const stream = await SipPeer.tcp(endpoint.port);
    for (const { text, status } of IPV6_MESSAGES) {
      stream.send(text);
      expect((await stream.take<SipResponse>())?.status).toBe(status);
    }
    stream.send(new Caller(stream, endpoint.port).request('OPTIONS'));
    await stream.response(200);
    stream.close();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });
});
