import { Caller } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { TestEndpoint } from '../../../fakes/media/sip/test-endpoint';
import { TORTURE_MESSAGES, tortureBytes } from '../../../fakes/media/sip/torture';

import type { SipResponse } from '../../../../media/sip/message/message';

/** Their Vias name ports nobody has here; the answer must come back to the source all the same. */
function routedHere(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end < 0 ? text.length : end);
  const via = /^(via|v)(\s*:\s*SIP\s*\/\s*[\d.]+\s*\/\s*[^\s;,]+\s+(?:\r\n\s+)?[^\s;,:]+(?:\s*:\s*\d+)?)/im;
  return Buffer.from(head.replace(via, '$1$2;rport') + text.slice(head.length), 'latin1');
}

describe('RFC 4475 on the wire', () => {
  let endpoint: TestEndpoint;
  let peer: SipPeer;

  beforeAll(async () => {
    endpoint = await TestEndpoint.start();
    peer = await SipPeer.udp(endpoint.port);
  });

  afterAll(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
  });

  it.each(TORTURE_MESSAGES)('$file (§$section) gets $status: $why', async ({ file, status }) => {
    peer.send(routedHere(tortureBytes(file)));
    if (status === null) expect(await peer.take(undefined, 30)).toBeUndefined();
    else expect(await peer.take<SipResponse>(undefined, 500)).toMatchObject({ status });
    const control = new Caller(peer, endpoint.port);
    peer.send(control.request('OPTIONS'));
    const answer = await peer.response(200, 'OPTIONS');
    expect(answer.callId).toBe(control.callId);
    expect(endpoint.errors).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(0);
  });

  it('survives each of them on a stream and serves the next connection', async () => {
    for (const { file } of TORTURE_MESSAGES) {
      const stream = await SipPeer.tcp(endpoint.port);
      stream.send(tortureBytes(file));
      await stream.take(undefined, 10);
      stream.close();
    }
    const stream = await SipPeer.tcp(endpoint.port);
    stream.send(new Caller(stream, endpoint.port).request('OPTIONS'));
    await stream.response(200, 'OPTIONS');
    stream.close();
    expect(endpoint.errors).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(0);
  });
});
