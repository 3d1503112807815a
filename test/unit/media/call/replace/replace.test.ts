import type { InboundInvite } from '../../../../../media/sip/invite';
import { CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import { FakeInboundDialog, PHONE_SDP, VIDEO_ONLY_SDP } from '../../../../fakes/fake-sip';
import type { FakeOutboundDialog } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const OTHER_SDP = PHONE_SDP.replaceAll('192.0.2.10', '192.0.2.20').replace('40000', '41000');
const BYE_REASON = { protocol: 'Q.850', cause: 16 };

describe('an INVITE with Replaces', () => {
  let layer: CallLayer;
  let first: FakeInboundDialog;

  beforeEach(async () => {
    layer = new CallLayer();
    first = await layer.answered();
  });

  /** As the endpoint hands it on. */
  function replace(
    old: FakeInboundDialog | FakeOutboundDialog,
    invite: Partial<InboundInvite> = {},
    sipCallId = 'sip-2',
  ): FakeInboundDialog {
    const dialog = new FakeInboundDialog({ sipCallId, offer: OTHER_SDP, ...invite });
    old.delegate.onReplace?.(dialog);
    return dialog;
  }

  const events = (type: string, callId = CALL): object[] =>
    layer.events.ofCall(callId).flatMap((event) => (event.type === type ? [event] : []));

  it('puts the new phone in the place of the old one: the same RTP session, the same agent', async () => {
    const second = replace(first);
    expect(second.answers).toEqual([expect.stringContaining(`m=audio ${layer.rtp.last.localPort} `)]);
    expect(layer.rtp.sessions).toHaveLength(1);
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ address: '192.0.2.20', port: 41_000, send: true });
    expect(first.sent.at(-1)).toBe('BYE');
    expect(first.byeReason).toMatchObject(BYE_REASON);
    expect(events('leg_replaced')).toMatchObject([{ by: 'replaces', sipCallId: 'sip-2' }]);
    // What is still to come of the old one ends nothing.
    first.answerBye();
    await settle();
    expect(layer.registry.size).toBe(1);
    second.ack();
    second.peerBye();
    await settle();
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'caller_hangup', endedBy: 'caller' } }]);
    expect(events('sip').at(-1)).toMatchObject({ entry: { leg: 'sip-2', method: 'BYE', direction: 'out' } });
  });

  it('gets the BYE when the call is hung up, and the one before none', async () => {
    const second = replace(first);
    first.answerBye();
    await layer.hangup(CALL);
    expect(second.sent).toEqual(['200', 'BYE']);
    expect(first.sent.filter((what) => what === 'BYE')).toHaveLength(1);
  });

  it('may be followed by another', async () => {
    const second = replace(first);
    const third = replace(second, {}, 'sip-3');
    expect(second.sent).toEqual(['200', 'BYE']);
    await layer.hangup(CALL);
    expect(third.sent).toEqual(['200', 'BYE']);
  });

  it('ends a hold of the phone that was replaced', async () => {
    first.delegate.onReoffer?.(PHONE_SDP.replace('sendrecv', 'sendonly'));
    expect(layer.agent.holds.at(-1)).toBe(true);
    replace(first);
    expect(layer.agent.holds.at(-1)).toBe(false);
    expect(events('hold').at(-1)).toMatchObject({ theirs: false });
    await settle();
  });

  it('is held too where we hold', async () => {
    first.reofferOutcome = { ok: true, sdp: PHONE_SDP.replace('sendrecv', 'recvonly') };
    await layer.control.control({ callId: CALL, commandId: 'c1', bootId: 'boot-1', control: { type: 'hold' } });
    await settle();
    const second = replace(first);
    expect(second.answers[0]).toContain('a=sendonly');
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ receive: false });
  });

  it('changes nothing without usable audio', () => {
    const second = replace(first, { offer: VIDEO_ONLY_SDP });
    expect(second.rejection).toMatchObject({ status: 488, warning: expect.any(String) });
    expect(first.over).toBe(false);
    expect(layer.rtp.last.remotes).toHaveLength(1);
    expect(events('leg_replaced')).toEqual([]);
  });

  it('without an offer gets ours, and takes the place with its answer', async () => {
    const second = replace(first, { offer: null });
    expect(second.answers[0]).toContain('m=audio');
    expect(first.over).toBe(false);
    expect(replace(first, {}, 'sip-3').rejection).toMatchObject({ status: 491 });
    second.ack(OTHER_SDP);
    expect(first.sent.at(-1)).toBe('BYE');
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ address: '192.0.2.20' });
    await settle();
  });

  it('that leaves its answer out is hung up, and the call is as it was', () => {
    const second = replace(first, { offer: null });
    second.ack();
    expect(second.sent).toEqual(['200', 'BYE']);
    second.answerBye();
    expect(first.over).toBe(false);
    expect(replace(first, {}, 'sip-3').rejection).toBeNull();
  });

  it('ends with a call that is over before it has the place', async () => {
    const second = replace(first, { offer: null });
    first.peerBye();
    await settle();
    expect(second.sent).toEqual(['200', 'BYE']);
    expect(events('ended')).toHaveLength(1);
  });

  it('counts with a trunk of its own, and with none twice', async () => {
    layer.directory.trunk = {
      id: 'trunk-1',
      orgId: 'org-1',
      username: 'user',
      password: 'secret',
      phoneNumbers: [],
      mediaTimeoutSeconds: 30,
      maxConcurrentCalls: 1,
    };
    const same = replace(first);
    expect(same.rejection).toBeNull();
    const identity = { trunkId: 'trunk-2', orgId: 'org-1', username: 'other' };
    expect(replace(same, { identity }, 'sip-3').rejection).toBeNull();
    expect(layer.registry.admission('trunk-2', { maxConcurrentCalls: 1 })).toBe('trunk_full');
    await layer.hangup(CALL);
    await layer.clock.advance(1_000);
    expect(layer.registry.admission('trunk-2', { maxConcurrentCalls: 1 })).toBeNull();
    const another = await layer.answered(new FakeInboundDialog({ sipCallId: 'sip-4' }));
    expect(another.rejection).toBeNull();
    const full = await layer.answered(new FakeInboundDialog({ sipCallId: 'sip-5', identity }));
    expect(full.rejection).toBeNull();
    expect(replace(another, { identity }, 'sip-6').rejection).toMatchObject({ status: 486 });
  });

  it('takes the call from a phone that rings, which is cancelled', async () => {
    await layer.dial();
    await settle();
    const ringing = layer.endpoint.last;
    expect(ringing.options.orgId).toBe('org-1');
    ringing.progress(180);
    const second = replace(ringing);
    expect(ringing.over).toBe(true);
    await settle();
    expect(events('answered', 'call-out')).toHaveLength(1);
    expect(events('leg_replaced', 'call-out')).toHaveLength(1);
    second.ack();
    second.peerBye();
    await settle();
    expect(events('ended', 'call-out')).toMatchObject([
      { ending: { disposition: 'answered', endReason: 'callee_hangup' } },
    ]);
  });

  it('takes the place of whoever a caller was joined to', async () => {
    const leg = {
      legId: 'leg-1',
      target: { type: 'phone', number: '+15557770000' },
      name: 'Sales',
      trunkId: TRUNK.id,
      ringTimeoutSeconds: 20,
      sessionId: null,
      agentId: null,
      contactId: null,
    } as const;
    const control = { type: 'dialLeg', leg } as const;
    await layer.control.control({ callId: CALL, commandId: 'c1', bootId: 'boot-1', control });
    await settle();
    const far = layer.endpoint.last;
    expect(far.options.orgId).toBe('org-1');
    far.accept();
    await settle();
    const second = replace(far);
    expect(far.sent.at(-1)).toBe('BYE');
    expect(layer.rtp.sessions[1]!.remotes.at(-1)).toMatchObject({ address: '192.0.2.20' });
    expect(layer.rtp.sessions[0]!.connectedTo).toBe(layer.rtp.sessions[1]);
    expect(events('leg_replaced')).toMatchObject([{ by: 'replaces', leg: 'leg-1', sipCallId: 'sip-2' }]);
    second.ack();
    second.peerBye();
    await settle();
    expect(first.sent.at(-1)).toBe('BYE');
    first.answerBye();
    await settle();
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'callee' } }]);
  });

  it('does not follow a peer that we have asked to go', async () => {
    const leg = {
      legId: 'leg-1',
      target: { type: 'phone', number: '+15557770000' },
      name: null,
      trunkId: null,
      ringTimeoutSeconds: 20,
      sessionId: null,
      agentId: null,
      contactId: null,
    } as const;
    const control = { type: 'refer', leg, fallback: false } as const;
    await layer.control.control({ callId: CALL, commandId: 'c1', bootId: 'boot-1', control });
    expect(replace(first).rejection).toMatchObject({ status: 491 });
    first.endRefer({ kind: 'expired' });
    await settle();
  });
});
