import type { CallControl, CommandResult } from '../../../../../contract/commands';
import type { LegDial } from '../../../../../contract/transfers';
import type { ReferOutcome } from '../../../../../media/sip/refer/sent-refer';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import { FakeRefer } from '../../../../fakes/fake-refer';
import { FakeInboundDialog, PHONE_SDP } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const DIAL: LegDial = {
  legId: 'leg-1',
  target: { type: 'phone', number: '+15557770000' },
  name: 'Sales',
  trunkId: TRUNK.id,
  ringTimeoutSeconds: 20,
  sessionId: 'session-1',
  agentId: 'agent-1',
  contactId: null,
};
const OVER: ReferOutcome = { kind: 'accepted', final: { status: 200, reason: 'OK' } };
const HOLDING = PHONE_SDP.replace('sendrecv', 'sendonly');

/** What the peers can, and where they are; default: what is needed. */
interface Peers {
  readonly can?: readonly string[];
  readonly at?: string;
  readonly farCan?: string;
  readonly farAt?: string;
}

describe('two who are at one phone system, once one has accepted the other', () => {
  let layer: CallLayer;
  let caller: FakeInboundDialog;
  let commands: number;

  beforeEach(async () => {
    layer = new CallLayer();
    layer.directory.trunk = {
      id: 'trunk-1',
      orgId: 'org-1',
      username: 'user',
      password: 'secret',
      phoneNumbers: [],
      mediaTimeoutSeconds: 30,
    };
    commands = 0;
    caller = await layer.answered();
    caller.peerCan.add('REFER').add('replaces');
  });

  const tell = async (control: CallControl): Promise<CommandResult> => {
    const commandId = `command-${++commands}`;
    const taken = await layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control });
    await settle();
    return taken;
  };
  const far = () => layer.endpoint.last;
  const consulted = async (more: Peers = {}): Promise<void> => {
    await tell({ type: 'consultLeg', leg: DIAL });
    far().peerCan.add(more.farCan ?? 'replaces');
    far().remoteTarget = more.farAt ?? 'sip:sales@192.0.2.10:5080';
    far().accept();
    await settle();
  };
  const accept = async (): Promise<void> => {
    layer.agent.delegate.onDecision?.(true, 'key');
    await settle();
  };
  const comesTo = async (outcome: ReferOutcome): Promise<void> => {
    caller.endRefer(outcome);
    await settle();
  };
  const asked = async (): Promise<void> => {
    await consulted();
    await accept();
    expect(caller.refers).toHaveLength(1);
  };
  const effects = (): object[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === 'command' ? [event] : []));
  const steps = (): string[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === 'consult' ? [event.step] : []));
  const byes = (): number[] => [caller, far()].map(({ sent }) => sent.filter((word) => word === 'BYE').length);
  const ending = async (): Promise<object[]> => {
    if (caller.sent.at(-1) === 'BYE') caller.answerBye();
    await layer.clock.advance(1_000);
    await settle();
    return layer.events.ended(CALL).map(({ ending: { endReason, endedBy } }) => ({ endReason, endedBy }));
  };
  const expectJoined = (): void => {
    expect(layer.rtp.sessions[0]).toMatchObject({
      background: null,
      paused: false,
      connectedTo: layer.rtp.sessions[1],
    });
    expect(byes()).toEqual([0, 0]);
    expect(layer.events.ended(CALL)).toEqual([]);
  };

  it('are joined by us at once, and it is asked to join them in our place', async () => {
    await asked();
    expect(caller.refers[0]?.request).toEqual({
      referTo: 'sip:sales@192.0.2.10:5080',
      replaces: { sipCallId: 'leg-1', toTag: 'theirs', fromTag: 'ours', earlyOnly: false },
      referredBy: 'sip:+15551234567@192.0.2.1',
      headers: [
        ['X-OPENCX-SESSION-ID', 'session-1'],
        ['X-OPENCX-AGENT-ID', 'agent-1'],
      ],
    });
    expect(effects()).toMatchObject([{ verb: 'consultLeg', outcome: 'done' }]);
    expectJoined();
  });

  it('leave us when it has: the far leg by its BYE, the caller by ours after two seconds', async () => {
    await asked();
    await comesTo(OVER);
    expect(steps()).toEqual(['answered', 'accepted', 'handed_over']);
    far().peerBye();
    await layer.clock.advance(1_999);
    expect(byes()).toEqual([0, 0]);
    await layer.clock.advance(1);
    expect(byes()).toEqual([1, 0]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'agent' }]);
    expect(effects()).toHaveLength(1);
    expect(layer.rtp.sessionCount).toBe(0);
  });

  it('leave us though the BYE of the far leg is quicker than the word on it', async () => {
    await asked();
    far().peerBye();
    await layer.clock.advance(1_500);
    await settle();
    expect(byes()).toEqual([0, 0]);
    await comesTo(OVER);
    await layer.clock.advance(1_000);
    expect(byes()).toEqual([0, 0]);
    caller.peerBye();
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'caller' }]);
    expect(steps().at(-1)).toBe('handed_over');
  });

  it('leave no leg behind where the far one does not hang up', async () => {
    await asked();
    await comesTo(OVER);
    caller.peerBye();
    await settle();
    expect(byes()).toEqual([0, 1]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'caller' }]);
  });

  it.each([
    ['is refused', { kind: 'refused', status: 603, reason: '' }],
    ['does not reach the other', { kind: 'accepted', final: { status: 481, reason: '' } }],
    ['says no end of it', { kind: 'accepted', final: null }],
    ['ends the subscription', { kind: 'terminated', reason: 'noresource' }],
    ['says nothing more', { kind: 'expired' }],
    ['does not answer', { kind: 'timeout' }],
    ['cannot be asked', { kind: 'transport_error' }],
  ] as const)('stay joined by us when it %s', async (_, outcome) => {
    await asked();
    await comesTo(outcome);
    await layer.clock.advance(10_000);
    expectJoined();
    expect(steps()).toEqual(['answered', 'accepted']);
    expect(caller.refers).toHaveLength(1);
    far().peerBye();
    await settle();
    expect(byes()).toEqual([1, 0]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'callee' }]);
  });

  it('end as they did before when the far one hangs up on both', async () => {
    await asked();
    far().peerBye();
    await comesTo({ kind: 'accepted', final: { status: 481, reason: '' } });
    expect(byes()).toEqual([1, 0]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'callee' }]);
  });

  it('end two seconds after the far one hung up where nothing is said', async () => {
    await asked();
    far().peerBye();
    await layer.clock.advance(2_000);
    expect(byes()).toEqual([1, 0]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'callee' }]);
    expect(steps()).not.toContain('handed_over');
  });

  it('keep the far leg for a caller that hangs up with its INVITE on the way there', async () => {
    await asked();
    caller.endRefer({ kind: 'bye' });
    caller.peerBye();
    await layer.clock.advance(1_900);
    await settle();
    expect(far().over).toBe(false);
    far().peerBye();
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'caller' }]);
    expect(byes()).toEqual([0, 0]);
  });

  it('take no command any more for a caller that has hung up, and tell of none', async () => {
    await asked();
    let answer = (): void => undefined;
    caller.reoffer = () => new Promise((resolve) => void (answer = () => resolve({ ok: false, status: null })));
    expect(await tell({ type: 'hold' })).toEqual({ ok: true });
    caller.endRefer({ kind: 'bye' });
    caller.peerBye();
    await settle();
    expect(await tell({ type: 'dtmf', digits: '1' })).toEqual({ ok: false, code: 'ended' });
    answer();
    await settle();
    expect(effects()).toMatchObject([{ verb: 'consultLeg' }]);
    far().peerBye();
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'caller' }]);
  });

  it('keep it no longer than that', async () => {
    await asked();
    caller.endRefer({ kind: 'bye' });
    caller.peerBye();
    await layer.clock.advance(2_000);
    await settle();
    expect(byes()).toEqual([0, 1]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'caller' }]);
  });

  it('end at once with a caller who had not accepted to be referred', async () => {
    await asked();
    caller.endRefer({ kind: 'dialog_over' });
    caller.peerBye();
    await settle();
    expect(byes()).toEqual([0, 1]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'caller' }]);
  });

  it.each(['asked', 'done', 'far gone'])('end when they are told to: %s', async (when) => {
    await asked();
    if (when === 'done') await comesTo(OVER);
    if (when === 'far gone') far().peerBye();
    expect(await tell({ type: 'hangup', endReason: 'api_hangup', endedBy: 'api' })).toEqual({ ok: true });
    await settle();
    expect(byes()).toEqual([1, when === 'far gone' ? 0 : 1]);
    expect(await ending()).toEqual([{ endReason: 'api_hangup', endedBy: 'api' }]);
    caller.endRefer(OVER);
    await layer.clock.advance(60_000);
    expect(layer.events.ended(CALL)).toHaveLength(1);
    expect(layer.rtp.sessionCount).toBe(0);
  });

  it('can be held while it is asked, and not once they are gone', async () => {
    await asked();
    caller.reofferOutcome = { ok: true, sdp: PHONE_SDP.replace('sendrecv', 'recvonly') };
    expect(await tell({ type: 'hold' })).toEqual({ ok: true });
    expect(layer.rtp.sessions[0]).toMatchObject({ background: 'music', connectedTo: null });
    await comesTo(OVER);
    expect(await tell({ type: 'unhold' })).toEqual({ ok: false, code: 'transferred' });
    await layer.clock.advance(2_000);
    expect(byes()).toEqual([1, 1]);
    expect(await ending()).toEqual([{ endReason: 'transferred', endedBy: 'agent' }]);
  });

  it('are followed by nobody else meanwhile', async () => {
    await asked();
    const refers = [new FakeRefer(), new FakeRefer('sip:300@192.0.2.10:5062')] as const;
    caller.delegate.onRefer?.(refers[0]);
    far().delegate.onRefer?.(refers[1]);
    await settle();
    expect(refers.map(({ told }) => told)).toEqual([[491], [491]]);
    const next = new FakeInboundDialog({ sipCallId: 'sip-9' });
    caller.delegate.onReplace?.(next);
    expect(next.rejection?.status).toBe(491);
    await comesTo({ kind: 'refused', status: 603, reason: '' });
    const later = new FakeInboundDialog({ sipCallId: 'sip-10' });
    caller.delegate.onReplace?.(later);
    await settle();
    expect(later.sent).toContain('200');
  });

  it('talk on with whoever has taken the place of the far one, where the one before is not found any more', async () => {
    await asked();
    const before = far();
    const next = new FakeInboundDialog({ sipCallId: 'sip-9' });
    before.delegate.onReplace?.(next);
    await settle();
    expect([next.sent.at(-1), before.sent.at(-1)]).toEqual(['200', 'BYE']);
    await comesTo({ kind: 'accepted', final: { status: 481, reason: '' } });
    await layer.clock.advance(5_000);
    expect([caller.over, next.over]).toEqual([false, false]);
    expect(layer.rtp.sessions[0]).toMatchObject({ connectedTo: layer.rtp.sessions[1] });
  });

  it.each<[string, Peers]>([
    ['the caller takes no REFER', { can: ['replaces'] }],
    ['the caller knows no Replaces', { can: ['REFER'] }],
    ['the far one knows no Replaces', { farCan: 'timer' }],
    ['they are at different hosts', { farAt: 'sip:sales@203.0.113.7:5060' }],
    ['they are at hosts of which nothing is known', { at: 'tel:+1555', farAt: 'tel:+1556' }],
  ])('are asked nothing where %s', async (_, { can = ['REFER', 'replaces'], at = caller.remoteTarget, ...more }) => {
    caller.peerCan.clear();
    for (const one of can) caller.peerCan.add(one);
    caller.remoteTarget = at;
    await consulted(more);
    await accept();
    expect(caller.refers).toEqual([]);
    expectJoined();
  });

  it.each(['caller', 'far one'])('are asked nothing where the %s holds', async (who) => {
    await consulted();
    (who === 'caller' ? caller : far()).delegate.onReoffer?.(HOLDING);
    await accept();
    expect(caller.refers).toEqual([]);
  });

  it('are not taken from a supervisor', async () => {
    const leg: LegDial = { ...DIAL, legId: 'leg-9', target: { type: 'sip', uri: 'sip:lead@192.0.2.10' } };
    await tell({ type: 'supervise', leg, mode: 'listen' });
    far().accept();
    await settle();
    await consulted();
    await accept();
    expect(caller.refers).toEqual([]);
  });
});
