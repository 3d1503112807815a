import fc from 'fast-check';

import type { SipResponse } from '../../../../media/sip/message/message';
import { Caller } from '../../../fakes/media/sip/caller';
import { MemoryBindings, Registrant } from '../../../fakes/media/sip/registers';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

const contactsOf = (answer: SipResponse): readonly string[] => answer.list('contact');

describe('REGISTER over the wire', () => {
  let endpoint: TestEndpoint;
  let store: MemoryBindings;

  beforeEach(async () => {
    store = new MemoryBindings();
    endpoint = await TestEndpoint.start({ bindings: store });
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  const held = () => store.trunks.get('trunk') ?? [];

  describe.each(['udp', 'tcp'] as const)('by %s', (transport) => {
    let peer: SipPeer;
    let pbx: Registrant;

    beforeEach(async () => {
      peer = await SipPeer[transport](endpoint.port);
      pbx = new Registrant(peer, endpoint.port);
    });

    it('is challenged, kept, refreshed and ended', async () => {
      const first = await pbx.register({ contacts: [pbx.contact], expires: 600, headers: ['User-Agent: PBX 1'] });
      expect(first.status).toBe(200);
      expect(contactsOf(first)).toEqual([`${pbx.contact};expires=600`]);
      expect(first.first('date')).toMatch(/ GMT$/);
      expect(held()).toMatchObject([
        { userAgent: 'PBX 1', nodeId: 'node-1', source: { transport, address: '127.0.0.1', port: peer.port } },
      ]);
      const { id } = held()[0]!;
      expect((await pbx.register({ contacts: [pbx.contact] })).status).toBe(200);
      expect(held()).toMatchObject([{ id }]);
      expect(contactsOf(await pbx.register({ contacts: [pbx.contact], expires: 0 }))).toEqual([]);
      expect(held()).toEqual([]);
    });

    it('keeps several contacts, and lets all go by the wildcard', async () => {
      const contacts = [pbx.contact, '<sip:second@127.0.0.1:5099>;q=0.4;expires=120'];
      expect(contactsOf(await pbx.register({ contacts }))).toHaveLength(2);
      expect(contactsOf(await pbx.register())).toEqual([
        `${pbx.contact};expires=3600`,
        '<sip:second@127.0.0.1:5099>;expires=120;q=0.4',
      ]);
      expect((await pbx.register({ contacts: ['*'], expires: 60 })).status).toBe(400);
      expect((await pbx.register({ contacts: ['*'], expires: 0 })).status).toBe(200);
      expect(held()).toEqual([]);
    });

    it('is told what is too brief, and what is out of order', async () => {
      const brief = await pbx.register({ contacts: [pbx.contact], expires: 10 });
      expect([brief.status, brief.first('min-expires')]).toEqual([423, '60']);
      await pbx.register({ contacts: [pbx.contact], cseq: 50 });
      expect((await pbx.register({ contacts: [pbx.contact], expires: 0, cseq: 49 })).status).toBe(500);
      expect(held()).toMatchObject([{ cseq: 50 }]);
    });
  });

  it('says the same to a wrong password and to an unknown user', async () => {
    const peer = await SipPeer.udp(endpoint.port);
    const pbx = new Registrant(peer, endpoint.port);
    const wrong = await pbx.register({ contacts: [pbx.contact], password: 'guess' });
    const unknown = await pbx.register({ contacts: [pbx.contact], username: 'nobody', toUser: 'nobody' });
    const bare = (answer: SipResponse) => [answer.status, answer.reason, [...answer.headers.keys()]];
    expect(bare(wrong)).toEqual(bare(unknown));
    expect(wrong.status).toBe(403);
    expect(store.updates).toBe(0);
    expect((await pbx.register({ contacts: [pbx.contact], toUser: 'bob' })).status).toBe(403);
  });

  it('answers a repeated REGISTER as it answered it first, and changes nothing by it', async () => {
    const peer = await SipPeer.udp(endpoint.port);
    const pbx = new Registrant(peer, endpoint.port);
    const first = await pbx.register({ contacts: [pbx.contact] });
    peer.send(pbx.lastRequest);
    const again = await peer.response(200, 'REGISTER');
    expect([again.toTag, contactsOf(again)]).toEqual([first.toTag, contactsOf(first)]);
    expect(store.updates).toBe(1);
    // Recorded and played again as another request it has a nonce that was used.
    const other = await SipPeer.udp(endpoint.port);
    other.send(pbx.lastRequest.replace(/branch=[^\r;]+/, 'branch=z9hG4bKreplay'));
    await other.response(401, 'REGISTER');
    expect(store.updates).toBe(1);
  });

  it('keeps a contact behind NAT for a minute, and answers to where it came from', async () => {
    const peer = await SipPeer.udp(endpoint.port);
    const pbx = new Registrant(peer, endpoint.port);
    const answer = await pbx.register({ contacts: ['<sip:alice@192.168.7.7:5060>'] });
    expect(contactsOf(answer)).toEqual(['<sip:alice@192.168.7.7:5060>;expires=60']);
    expect(answer.first('via')).toContain(`rport=${peer.port};`);
  });

  it('takes Require: path and outbound, and no other extension', async () => {
    const peer = await SipPeer.udp(endpoint.port);
    const pbx = new Registrant(peer, endpoint.port);
    const headers = ['Require: path, outbound', 'Supported: path, outbound', 'Path: <sip:127.0.0.1:5099;lr;ob>'];
    const answer = await pbx.register({ contacts: [pbx.contact], headers });
    expect([answer.status, answer.first('path')]).toEqual([200, '<sip:127.0.0.1:5099;lr;ob>']);
    const refused = await pbx.register({ contacts: [pbx.contact], headers: ['Require: gruu'] });
    expect([refused.status, refused.first('unsupported')]).toEqual([420, 'gruu']);
  });

  it('gets 503 where another node should have it', async () => {
    const pbx = new Registrant(await SipPeer.udp(endpoint.port), endpoint.port);
    endpoint.server.drain();
    const answer = await pbx.register({ contacts: [pbx.contact] });
    expect([answer.status, answer.first('retry-after')]).toEqual([503, '5']);
  });

  it('gets a pong for a ping on its connection', async () => {
    const peer = await SipPeer.tcp(endpoint.port);
    const pbx = new Registrant(peer, endpoint.port);
    await pbx.register({ contacts: [pbx.contact] });
    peer.send('\r\n\r\n');
    // The pong stands before the next answer in the stream.
    const answer = await pbx.register();
    expect(answer.status).toBe(200);
  });

  it('is told of in Allow', async () => {
    const peer = await SipPeer.udp(endpoint.port);
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    expect((await peer.response(200, 'OPTIONS')).first('allow')).toMatch(/, REGISTER$/);
  });

  it('with random faults is no error of ours', async () => {
    const peer = await SipPeer.udp(endpoint.port);
    const piece = fc.constantFrom('<', '>', '"', ';', ',', '*', '\r\n ', '\0', '%', '@', '=', '\xff', 'sip:', '0', ' ');
    const edit = fc.record({ at: fc.nat(700), remove: fc.constantFrom(0, 1, 5, 40), insert: piece });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), async (edits) => {
        const pbx = new Registrant(peer, endpoint.port);
        await pbx.register({ contacts: [pbx.contact], headers: ['Path: <sip:127.0.0.1;lr>'] });
        let text = pbx.lastRequest.replace(/branch=[^\r;]+/, `branch=z9hG4bK${pbx.callId}`);
        for (const { at, remove, insert } of edits) {
          text = text.slice(0, at % text.length) + insert + text.slice((at % text.length) + remove);
        }
        peer.send(text);
        peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
        await peer.response(200, 'OPTIONS');
        peer.received.length = 0;
        expect(endpoint.errors).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});

it('is not served by a server without registrations', async () => {
  const endpoint = await TestEndpoint.start();
  const pbx = new Registrant(await SipPeer.udp(endpoint.port), endpoint.port);
  expect((await pbx.register({ contacts: [pbx.contact] })).status).toBe(405);
  SipPeer.closeAll();
  await endpoint.server.close();
  await until(() => endpoint.rejected.unsupported === 1);
});
