import type { InboundTrunkProfile } from '../../../../../contract/directory';
import type { IncomingRefer } from '../../../../../media/sip/refer/received-refer';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import { FakeRefer } from '../../../../fakes/fake-refer';
import { FakeInboundDialog, PHONE_SDP, VIDEO_ONLY_SDP } from '../../../../fakes/fake-sip';
import type { FakeOutboundDialog } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const OTHER_SDP = PHONE_SDP.replaceAll('192.0.2.10', '192.0.2.20').replace('40000', '41000');
const INBOUND: InboundTrunkProfile = {
  id: 'trunk-1',
  orgId: 'org-1',
  username: 'user',
  password: 'secret',
  phoneNumbers: [],
  mediaTimeoutSeconds: 30,
};

describe('a REFER of the peer', () => {
  let layer: CallLayer;
  let peer: FakeInboundDialog;

  beforeEach(async () => {
    layer = new CallLayer();
    layer.directory.trunk = INBOUND;
    peer = await layer.answered();
  });

  async function referred(
    uri?: string,
    more: Partial<IncomingRefer['referTo']> = {},
    on: FakeInboundDialog | FakeOutboundDialog = peer,
  ): Promise<FakeRefer> {
    const refer = new FakeRefer(uri, more);
    on.delegate.onRefer?.(refer);
    await settle();
    return refer;
  }

  const events = (type: string, callId = CALL): object[] =>
    layer.events.ofCall(callId).flatMap((event) => (event.type === type ? [event] : []));

  async function follow(follows = true, callId = CALL) {
    const { referId } = events('peer_referred', callId).at(-1) as { referId: string };
    const control = { type: 'followRefer', referId, follow: follows } as const;
    const taken = await layer.control.control({ callId, commandId: `${referId}:follow`, bootId: BOOT_ID, control });
    await settle();
    return taken;
  }

  it('is followed when the workflow says so: the same conversation goes on with who answers there', async () => {
    const refer = await referred('sip:200@192.0.2.10:5062', { headers: [['x-customer', '7']] });
    expect(refer.told).toEqual([202]);
    expect(layer.endpoint.dialogs).toHaveLength(0);
    expect(await follow()).toEqual({ ok: true });
    const called = layer.endpoint.last;
    expect(called.options).toMatchObject({
      orgId: 'org-1',
      target: { user: '200', host: '192.0.2.10', port: 5_062, transport: null },
      fromUser: '+15551234567',
      credentials: null,
      headers: [
        ['Referred-By', '<sip:operator@192.0.2.10>'],
        ['x-customer', '7'],
      ],
    });
    expect(called.sdpOffer).toContain(`m=audio ${layer.rtp.last.localPort} `);
    called.progress(180);
    expect(layer.rtp.last.remotes).toHaveLength(1);
    called.accept(OTHER_SDP);
    await settle();
    expect(refer.told).toEqual([202, 180, 200]);
    expect(layer.rtp.sessions).toHaveLength(1);
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ address: '192.0.2.20', port: 41_000, send: true });
    expect(events('peer_referred')).toMatchObject([
      { outcome: 'accepted', sipStatus: 202 },
      { outcome: 'done', sipStatus: 200 },
    ]);
    expect(events('leg_replaced')).toMatchObject([{ by: 'refer', sipCallId: called.sipCallId }]);
    // The peer has two seconds for its BYE.
    expect(peer.over).toBe(false);
    await layer.clock.advance(2_000);
    expect(peer.sent.at(-1)).toBe('BYE');
    peer.answerBye();
    called.peerBye();
    await settle();
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'caller_hangup', endedBy: 'caller' } }]);
  });

  it('names the dialog that the new one is to replace there', async () => {
    const replaces = { sipCallId: 'consult@pbx', toTag: 'a', fromTag: 'b', earlyOnly: false };
    await referred('sip:200@192.0.2.10', { replaces });
    await follow();
    expect(layer.endpoint.last.options.headers).toEqual([
      ['Referred-By', '<sip:operator@192.0.2.10>'],
      ['Replaces', 'consult@pbx;to-tag=a;from-tag=b'],
      ['Require', 'replaces'],
    ]);
  });

  it.each([
    ['another host', 'sip:200@192.0.2.99'],
    ['a name that is somewhere else', 'sip:200@elsewhere.example'],
    ['TLS', 'sips:200@192.0.2.10'],
    ['a transport that we do not have', 'sip:200@192.0.2.10;transport=ws'],
    ['a number without a host', 'tel:+15557654321'],
  ])('to %s is refused', async (_, uri) => {
    expect((await referred(uri)).told).toEqual([603]);
    expect(events('peer_refer_refused')).toMatchObject([{ sipStatus: 603 }]);
    expect(events('peer_referred')).toEqual([]);
  });

  it('to whom nobody may be sent is refused, and says why', async () => {
    layer.directory.referRefusal = 'emergency_number';
    expect((await referred()).told).toEqual([603]);
    expect(events('peer_refer_refused')).toMatchObject([{ sipStatus: 603, why: 'emergency_number' }]);
  });

  it('of nobody whom we know is not even offered', async () => {
    layer.directory.trunk = undefined;
    const dialog = await layer.answered(new FakeInboundDialog({ sipCallId: 'sip-9' }));
    expect('onRefer' in dialog.delegate).toBe(false);
  });

  it('of a carrier leads to the hosts of its trunk, and to the address that our INVITE went to', async () => {
    await layer.dial();
    await settle();
    const carrier = layer.endpoint.last;
    carrier.accept();
    await settle();
    expect((await referred('sip:200@192.0.2.11', {}, carrier)).told).toEqual([603]);
    expect((await referred(`sip:200@${TRUNK.host}`, {}, carrier)).told).toEqual([202]);
    await follow(true, 'call-out');
    layer.endpoint.last.refuse(404);
    expect((await referred('sip:200@192.0.2.10', {}, carrier)).told).toEqual([202]);
  });

  it.each([
    [486, (called: FakeOutboundDialog) => called.refuse(486)],
    [603, (called: FakeOutboundDialog) => called.refuse(302)],
    [488, (called: FakeOutboundDialog) => called.accept(VIDEO_ONLY_SDP)],
  ])('that fails by %i leaves the call as it was', async (status, answer) => {
    const refer = await referred();
    await follow();
    answer(layer.endpoint.last);
    await settle();
    expect(refer.told).toEqual([202, status]);
    expect(events('peer_referred').at(-1)).toMatchObject({ outcome: 'failed', sipStatus: status });
    expect(layer.rtp.last.remotes).toHaveLength(1);
    expect(peer.over).toBe(false);
    peer.peerBye();
    await settle();
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'caller_hangup' } }]);
  });

  it('is called off when nobody answers', async () => {
    const refer = await referred();
    await follow();
    await layer.clock.advance(60_000);
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    expect(refer.told).toEqual([202, 408]);
  });

  it('is given up where the workflow says nothing, and no word of it that comes late calls anybody', async () => {
    const refer = await referred();
    await layer.clock.advance(10_000);
    expect(refer.told).toEqual([202, 503]);
    expect(await follow()).toEqual({ ok: false, code: 'ended' });
    expect(layer.endpoint.dialogs).toHaveLength(0);
  });

  it('is followed once, however often that is said', async () => {
    await referred();
    expect(await follow()).toEqual({ ok: true });
    expect(await follow()).toEqual({ ok: true });
    expect(layer.endpoint.dialogs).toHaveLength(1);
  });

  it('is not followed where the workflow does not want it', async () => {
    const refer = await referred();
    expect(await follow(false)).toEqual({ ok: true });
    expect(refer.told).toEqual([202, 491]);
    expect(layer.endpoint.dialogs).toHaveLength(0);
  });

  it('gets 491 while another is under way, and a transfer of ours is refused meanwhile', async () => {
    await referred();
    expect((await referred()).told).toEqual([491]);
    const leg = {
      legId: 'leg-1',
      target: { type: 'phone', number: '+15557770000' },
      name: null,
      trunkId: TRUNK.id,
      ringTimeoutSeconds: 20,
      sessionId: null,
      agentId: null,
      contactId: null,
    } as const;
    const dial = (commandId: string, type: 'dialLeg' | 'consultLeg' = 'dialLeg') =>
      layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control: { type, leg } });
    expect(await dial('c1')).toEqual({ ok: false, code: 'transferring' });
    expect(await dial('warm', 'consultLeg')).toEqual({ ok: false, code: 'transferring' });
    await follow(false);
    expect(await dial('c2')).toEqual({ ok: true });
    await settle();
    expect((await referred()).told).toEqual([491]);
  });

  it('of a peer that hangs up at once is followed: the agent waits for who answers', async () => {
    await referred();
    await follow();
    peer.peerBye();
    await settle();
    expect(events('ended')).toEqual([]);
    expect(layer.agent.holds.at(-1)).toBe(true);
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ send: false });
    // Nothing comes, and nobody is in the dialog before: that is no news.
    peer.life = 'gone';
    layer.rtp.last.delegate.onMediaQuiet?.(true);
    await settle();
    expect(events('ended')).toEqual([]);
    layer.endpoint.last.accept(OTHER_SDP);
    await settle();
    expect(layer.agent.holds.at(-1)).toBe(false);
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ address: '192.0.2.20', send: true });
    await layer.clock.advance(5_000);
    expect(layer.registry.size).toBe(1);
    layer.endpoint.last.peerBye();
    await settle();
    expect(events('ended')).toHaveLength(1);
  });

  it('of a peer that hangs up at once ends the call where nobody answers', async () => {
    await referred();
    await follow();
    peer.peerBye();
    await settle();
    layer.endpoint.last.refuse(486);
    await settle();
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'caller_hangup', endedBy: 'caller' } }]);
    expect(layer.registry.size).toBe(0);
  });

  it('ends with the call: CANCEL, and the peer is told', async () => {
    const refer = await referred();
    await follow();
    await layer.hangup(CALL);
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    expect(refer.told).toEqual([202, 487]);
    peer.answerBye();
    await settle();
    expect(events('ended')).toHaveLength(1);
    expect(events('peer_referred').at(-1)).toMatchObject({ outcome: 'failed', sipStatus: 487 });
  });

  it('leaves nobody behind when the call ends before the peer has hung up', async () => {
    await referred();
    await follow();
    layer.endpoint.last.accept(OTHER_SDP);
    await settle();
    await layer.hangup(CALL);
    expect(peer.sent.at(-1)).toBe('BYE');
    expect(layer.endpoint.last.sent.at(-1)).toBe('BYE');
  });

  it('may be followed by one of the next phone at once: each of those before gets its BYE', async () => {
    await referred();
    await follow();
    const second = layer.endpoint.last;
    second.accept(OTHER_SDP);
    await settle();
    await referred(undefined, {}, second);
    await follow();
    const third = layer.endpoint.last;
    third.accept(PHONE_SDP);
    await settle();
    expect(peer.sent.at(-1)).toBe('BYE');
    await layer.clock.advance(2_000);
    expect(second.sent.at(-1)).toBe('BYE');
    expect(third.over).toBe(false);
    expect(events('leg_replaced')).toHaveLength(2);
  });

  it('counts with the calls of its trunk, for as long as there are two dialogs', async () => {
    layer.directory.trunk = { ...INBOUND, maxConcurrentCalls: 1 };
    const dialog = new FakeInboundDialog({ sipCallId: 'sip-7', identity: { ...peer.invite.identity, trunkId: 't-7' } });
    layer.directory.trunk = { ...layer.directory.trunk, id: 't-7' };
    await layer.answered(dialog);
    expect((await referred(undefined, {}, dialog)).told).toEqual([486]);
    expect(events('peer_refer_refused', 'call-sip-7')).toMatchObject([{ sipStatus: 486, why: 'trunk_full' }]);
    expect((await referred()).told).toEqual([202]);
    expect(layer.registry.admission('trunk-1', { maxConcurrentCalls: 2 })).toBe('trunk_full');
    await follow(false);
    expect(layer.registry.admission('trunk-1', { maxConcurrentCalls: 2 })).toBeNull();
  });

  it('makes no events without end', async () => {
    for (let i = 0; i < 80; i++) await referred('sip:200@192.0.2.99');
    expect(events('peer_refer_refused')).toHaveLength(50);
    for (let i = 0; i < 20; i++) {
      await referred();
      await follow(false);
    }
    expect((await referred()).told).toEqual([603]);
  });
});
