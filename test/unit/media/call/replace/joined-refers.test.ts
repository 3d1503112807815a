import type { ConversationControl } from '../../../../../contract/commands';
import type { LegDial } from '../../../../../contract/transfers';
import type { IncomingRefer } from '../../../../../media/sip/refer/received-refer';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import { FakeRefer } from '../../../../fakes/fake-refer';
import { PHONE_SDP } from '../../../../fakes/fake-sip';
import type { FakeInboundDialog, FakeOutboundDialog } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const OTHER_SDP = PHONE_SDP.replaceAll('192.0.2.10', '192.0.2.20').replace('40000', '41000');
const LEG: LegDial = {
  legId: 'leg-1',
  target: { type: 'phone', number: '+15557770000' },
  name: 'Sales',
  trunkId: TRUNK.id,
  ringTimeoutSeconds: 20,
  sessionId: null,
  agentId: null,
  contactId: null,
};
const COLLEAGUE = `sip:200@${TRUNK.host}`;

describe('a REFER of whom a caller was joined to', () => {
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
  });

  async function tell(control: ConversationControl) {
    const commandId = `command-${++commands}`;
    const taken = await layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control });
    await settle();
    return taken;
  }

  async function joined(leg: Partial<LegDial> = {}): Promise<FakeOutboundDialog> {
    await tell({ type: 'dialLeg', leg: { ...LEG, ...leg } });
    const far = layer.endpoint.last;
    far.accept();
    await settle();
    return far;
  }

  async function referred(
    by: FakeInboundDialog | FakeOutboundDialog,
    uri = COLLEAGUE,
    more: Partial<IncomingRefer['referTo']> = {},
  ): Promise<FakeRefer> {
    const refer = new FakeRefer(uri, more);
    by.delegate.onRefer?.(refer);
    await settle();
    return refer;
  }

  const events = (type: string): object[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === type ? [event] : []));

  const follow = (follows = true) => {
    const { referId } = events('peer_referred').at(-1) as { referId: string };
    return tell({ type: 'followRefer', referId, follow: follows });
  };
  const near = () => layer.rtp.sessions[0]!;
  const other = () => layer.rtp.sessions[1]!;

  it('is followed when the workflow says so: the caller goes on with who answers there', async () => {
    const far = await joined();
    const refer = await referred(far);
    expect(refer.told).toEqual([202]);
    expect(await follow()).toEqual({ ok: true });
    const next = layer.endpoint.last;
    expect(next.options).toMatchObject({
      orgId: 'org-1',
      target: { user: '200', host: TRUNK.host },
      credentials: null,
      headers: [['Referred-By', '<sip:operator@192.0.2.10>']],
    });
    next.progress(180);
    next.accept(OTHER_SDP);
    await settle();
    expect(refer.told).toEqual([202, 180, 200]);
    expect(layer.rtp.sessions).toHaveLength(2);
    expect(other().remotes.at(-1)).toMatchObject({ address: '192.0.2.20', port: 41_000, send: true });
    expect([near().connectedTo === other(), near().background]).toEqual([true, null]);
    expect(events('peer_referred')).toMatchObject([
      { outcome: 'accepted', sipStatus: 202, leg: 'leg-1' },
      { outcome: 'done', sipStatus: 200, leg: 'leg-1' },
    ]);
    expect(events('leg_replaced')).toMatchObject([{ by: 'refer', sipCallId: next.sipCallId, leg: 'leg-1' }]);
    // The phone before has two seconds for its BYE, which ends nothing any more.
    expect(far.over).toBe(false);
    await layer.clock.advance(2_000);
    expect(far.sent.at(-1)).toBe('BYE');
    expect([next.over, caller.over]).toEqual([false, false]);
    next.peerBye();
    await settle();
    expect(caller.sent.at(-1)).toBe('BYE');
    caller.answerBye();
    await settle();
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'callee' } }]);
  });

  it('names the dialog that the new one is to replace there, and may be followed by one of the next phone', async () => {
    const replaces = { sipCallId: 'consult@pbx', toTag: 'a', fromTag: 'b', earlyOnly: false };
    await referred(await joined(), COLLEAGUE, { replaces });
    await follow();
    const second = layer.endpoint.last;
    expect(second.options.headers).toContainEqual(['Replaces', 'consult@pbx;to-tag=a;from-tag=b']);
    second.accept(OTHER_SDP);
    await settle();
    expect((await referred(second)).told).toEqual([202]);
    await follow();
    layer.endpoint.last.accept(PHONE_SDP);
    await settle();
    expect(events('leg_replaced')).toHaveLength(2);
  });

  it('leads to the hosts of its trunk, to nobody else, and not to emergency numbers', async () => {
    const far = await joined();
    expect((await referred(far, 'sip:200@192.0.2.99')).told).toEqual([603]);
    layer.directory.referRefusal = 'emergency_number';
    expect((await referred(far)).told).toEqual([603]);
    expect(events('peer_refer_refused')).toMatchObject([
      { why: 'foreign_target', leg: 'leg-1' },
      { why: 'emergency_number', leg: 'leg-1' },
    ]);
    expect(near().connectedTo).toBe(other());
  });

  it('is not even offered to whom no trunk vouches for', async () => {
    const far = await joined({ target: { type: 'sip', uri: 'sip:desk@192.0.2.10' }, trunkId: null });
    expect('onRefer' in far.delegate).toBe(false);
  });

  it('that fails leaves the two as they were', async () => {
    const far = await joined();
    const refer = await referred(far);
    await follow();
    layer.endpoint.last.refuse(486);
    await settle();
    expect(refer.told).toEqual([202, 486]);
    expect([far.over, caller.over, near().connectedTo === other()]).toEqual([false, false, true]);
    far.peerBye();
    await settle();
    expect(caller.sent.at(-1)).toBe('BYE');
  });

  it('of one that hangs up at once leaves the caller with music until somebody answers', async () => {
    const far = await joined();
    await referred(far);
    await follow();
    far.peerBye();
    await settle();
    expect(near().background).toBe('music');
    far.life = 'gone';
    other().delegate.onMediaQuiet?.(true);
    await settle();
    expect(caller.sent).not.toContain('BYE');
    layer.endpoint.last.accept(OTHER_SDP);
    await settle();
    expect([near().background, near().connectedTo === other()]).toEqual([null, true]);
    expect(other().remotes.at(-1)).toMatchObject({ address: '192.0.2.20', send: true });
    expect(events('ended')).toEqual([]);
  });

  it('of one that hangs up at once ends the call where nobody answers', async () => {
    const far = await joined();
    await referred(far);
    await follow();
    far.peerBye();
    await settle();
    layer.endpoint.last.refuse(486);
    await settle();
    expect(caller.sent.at(-1)).toBe('BYE');
    caller.answerBye();
    await settle();
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'callee' } }]);
  });

  it('gets 491 from whoever is asked before the two are joined', async () => {
    await tell({ type: 'consultLeg', leg: LEG });
    const asked = layer.endpoint.last;
    asked.accept();
    await settle();
    expect((await referred(asked)).told).toEqual([491]);
  });

  it('is one at a time, of either peer', async () => {
    const far = await joined();
    await referred(caller, 'sip:200@192.0.2.10');
    expect((await referred(far)).told).toEqual([491]);
    await follow(false);
    expect((await referred(far)).told).toEqual([202]);
    expect((await referred(caller, 'sip:200@192.0.2.10')).told).toEqual([491]);
  });

  it('ends with the call: CANCEL, and the peer is told', async () => {
    const far = await joined();
    const refer = await referred(far);
    await follow();
    const next = layer.endpoint.last;
    caller.peerBye();
    await settle();
    expect(next.sent).toEqual(['INVITE', 'CANCEL']);
    expect(refer.told).toEqual([202, 487]);
    expect(far.sent.at(-1)).toBe('BYE');
    expect(events('ended')).toMatchObject([{ ending: { endReason: 'transferred', endedBy: 'caller' } }]);
  });
});
