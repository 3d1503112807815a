import type { CallControl, CommandResult } from '../../../../../contract/commands';
import type { LegDial } from '../../../../../contract/transfers';
import type { ReofferOutcome } from '../../../../../media/sip/dialog';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import { PHONE_SDP, VIDEO_ONLY_SDP } from '../../../../fakes/fake-sip';
import type { FakeInboundDialog } from '../../../../fakes/fake-sip';

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

describe('a caller who is handed over', () => {
  let layer: CallLayer;
  let caller: FakeInboundDialog;
  let commands: number;

  beforeEach(async () => {
    layer = new CallLayer();
    commands = 0;
    caller = await layer.answered();
  });

  const tell = async (control: CallControl, commandId = `command-${++commands}`): Promise<CommandResult> => {
    const taken = await layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control });
    await settle();
    return taken;
  };
  const dial = (more: Partial<LegDial> = {}, commandId?: string): Promise<CommandResult> =>
    tell({ type: 'dialLeg', leg: { ...DIAL, ...more } }, commandId);

  const effects = (): object[] =>
    layer.events.ofCall(CALL).flatMap((event) => (event.type === 'command' ? [event] : []));
  const callers = () => layer.rtp.sessions[0]!;
  const expectBack = (): void => {
    expect(callers()).toMatchObject({ background: null, listening: true, paused: false, connectedTo: null, closed: 0 });
    expect(layer.agent.holds.at(-1)).toBe(false);
    expect(layer.rtp.sessionCount).toBe(1);
    expect(layer.endpoint.dialogCount).toBe(0);
  };

  it('hears ringback and no agent, and then who was called, whom the agent leaves it to', async () => {
    expect(await dial()).toEqual({ ok: true });
    expect(callers()).toMatchObject({ background: 'ringback', listening: false, paused: true });
    expect(layer.agent.holds.at(-1)).toBe(true);
    const far = layer.endpoint.last;
    expect(far.options).toMatchObject({
      sipCallId: 'leg-1',
      target: { user: '+15557770000', host: TRUNK.host },
      fromUser: TRUNK.callerNumber,
      headers: [
        ['X-OPENCX-SESSION-ID', 'session-1'],
        ['X-OPENCX-AGENT-ID', 'agent-1'],
      ],
    });
    far.accept();
    await settle();
    expect(callers()).toMatchObject({ background: null, paused: false, connectedTo: layer.rtp.last });
    expect(layer.rtp.last.options.beside).toBe(callers().mediaId);
    expect(layer.agent.finished).toBe(1);
    expect(effects()).toMatchObject([{ verb: 'dialLeg', outcome: 'done' }]);
    expect(await tell({ type: 'say', text: 'Hello?', interrupt: false })).toEqual({ ok: false, code: 'transferred' });
    expect(await dial({ legId: 'leg-2' })).toEqual({ ok: false, code: 'transferred' });
    expect(await tell({ type: 'dtmf', digits: '1' })).toEqual({ ok: true });
  });

  it.each(['dialLeg', 'consultLeg', 'refer'] as const)('stays while it is asked to be on hold: %s', async (type) => {
    caller.peerCan.add('REFER');
    let answer: (outcome: ReofferOutcome) => void = () => undefined;
    caller.reoffer = (offer) => {
      caller.reoffers.push(typeof offer === 'string' ? offer : offer());
      return new Promise((resolve) => (answer = resolve));
    };
    const asked: CallControl = type === 'refer' ? { type, leg: DIAL, fallback: true } : { type, leg: DIAL };
    await tell({ type: 'hold' });
    expect(await tell(asked)).toEqual({ ok: false, code: 'on_hold' });
    answer({ ok: true, sdp: PHONE_SDP.replace('sendrecv', 'recvonly') });
    await settle();
    expect(callers()).toMatchObject({ background: 'music', listening: true, paused: true });
    expect(await tell(asked)).toEqual({ ok: false, code: 'on_hold' });
    await tell({ type: 'unhold' });
    expect(await tell(asked)).toEqual({ ok: false, code: 'on_hold' });
    answer({ ok: false, status: 488 });
    await settle();
    await tell({ type: 'unhold' });
    answer({ ok: true, sdp: PHONE_SDP });
    await settle();
    expect(await tell(asked)).toEqual({ ok: true });
  });

  it('is called for once, however often it is asked for', async () => {
    await dial({}, 'same');
    expect(await dial({}, 'same')).toEqual({ ok: true });
    expect(await dial({}, 'another')).toEqual({ ok: false, code: 'transferring' });
    expect(layer.endpoint.dialogs).toHaveLength(1);
  });

  it.each([
    ['busy', 486, 'busy', /^I am sorry, Sales is on another call/],
    ['declined', 603, 'rejected', /^I am sorry, Sales cannot take/],
    ['congestion', 503, 'congestion', /^I am sorry, Sales could not be reached/],
  ] as const)('is back with the agent, which says why: %s', async (_, status, outcome, sentence) => {
    await dial();
    layer.endpoint.last.refuse(status);
    await settle();
    expectBack();
    expect(effects()).toMatchObject([{ outcome: 'failed', sipStatus: status, legOutcome: outcome }]);
    expect(layer.agent.said.at(-1)?.text).toMatch(sentence);
    expect(layer.agent.instructions.at(-1)).toContain('Sales');
    expect(await dial({ legId: 'leg-2' })).toEqual({ ok: true });
  });

  it('is back after the time that the phone may ring, and a 2xx that crosses the CANCEL is hung up', async () => {
    await dial();
    const far = layer.endpoint.last;
    await layer.clock.advance(20_000);
    await settle();
    expect(far.sent).toEqual(['INVITE', 'CANCEL']);
    expect(effects()).toMatchObject([{ outcome: 'failed', sipStatus: null, legOutcome: 'no_answer' }]);
    far.accept();
    expect(far.sent.at(-1)).toBe('BYE');
    expectBack();
  });

  it('is back at once where nothing can be dialled', async () => {
    await dial({ trunkId: 'of-nobody' });
    await dial({ target: { type: 'sip', uri: 'sips:sales@pbx.example.com' } });
    layer.endpoint.failure = new Error('no address');
    await dial();
    layer.endpoint.failure = null;
    layer.directory.outbound = { ...TRUNK, orgId: 'org-2' };
    await dial();
    layer.directory.outbound = TRUNK;
    layer.capacity.room = 0;
    await dial();
    const outcomes = ['no_trunk', 'trunk_unreachable', 'trunk_unreachable', 'no_trunk', 'congestion'];
    expect(effects()).toMatchObject(outcomes.map((legOutcome) => ({ legOutcome })));
    expectBack();
  });

  it('is back when the answer is of no use', async () => {
    await dial();
    layer.endpoint.last.accept(VIDEO_ONLY_SDP);
    await settle();
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'BYE']);
    expect(effects()).toMatchObject([{ legOutcome: 'media_incompatible' }]);
    expectBack();
  });

  it('leaves no leg behind when it hangs up, in whatever state', async () => {
    await dial();
    const ringing = layer.endpoint.last;
    caller.peerBye();
    await settle();
    expect(ringing.sent).toEqual(['INVITE', 'CANCEL']);
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'caller_hangup' } }]);
    expect(layer.rtp.sessionCount).toBe(0);
    expect(effects()).toEqual([]);
  });

  it('leaves none behind that is on its way to the socket', async () => {
    let resolved: () => void = () => undefined;
    layer.endpoint.resolution = new Promise((resolve) => (resolved = resolve));
    await dial();
    caller.peerBye();
    resolved();
    await settle();
    expect(layer.endpoint.dialogs).toEqual([]);
    expect(layer.rtp.sessionCount).toBe(0);
  });

  it.each(['caller', 'far end'] as const)('takes both legs along when the %s hangs up', async (who) => {
    await dial();
    const far = layer.endpoint.last;
    far.accept();
    await settle();
    if (who === 'caller') caller.peerBye();
    else far.peerBye();
    await settle();
    expect(who === 'caller' ? far.sent : caller.sent).toContain('BYE');
    expect((who === 'caller' ? caller.sent : far.sent).filter((sent) => sent === 'BYE')).toEqual([]);
    const endedBy = who === 'caller' ? 'caller' : 'callee';
    if (who === 'far end') caller.answerBye();
    await layer.clock.advance(1_000);
    await settle();
    expect(layer.events.ended(CALL)).toMatchObject([{ ending: { endReason: 'transferred', endedBy } }]);
    expect(layer.rtp.sessionCount).toBe(0);
  });

  it('is given back by its workflow, but not when it has got there', async () => {
    await dial();
    await tell({ type: 'releaseLeg', legId: 'another' });
    expect(layer.endpoint.last.sent).toEqual(['INVITE']);
    await tell({ type: 'releaseLeg', legId: 'leg-1' });
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    expect(effects()).toMatchObject([
      { verb: 'releaseLeg', outcome: 'done' },
      { verb: 'dialLeg', outcome: 'failed', legOutcome: 'canceled' },
      { verb: 'releaseLeg', outcome: 'done' },
    ]);
    layer.endpoint.last.over = true;
    expectBack();
    await dial({ legId: 'leg-2' });
    layer.endpoint.last.accept();
    await tell({ type: 'releaseLeg', legId: 'leg-2' });
    expect(effects().at(-1)).toMatchObject({ verb: 'releaseLeg', outcome: 'failed' });
    expect(layer.endpoint.last.over).toBe(false);
  });

  it('goes no further on a trunk that is deleted', async () => {
    await dial();
    layer.control.trunkRevoked(TRUNK.id);
    await settle();
    expect(effects()).toMatchObject([{ legOutcome: 'no_trunk' }]);
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
  });

  it('calls a SIP URI directly, with no credentials of the trunk', async () => {
    await dial({ target: { type: 'sip', uri: 'sip:sales@pbx.example.com:5070;transport=tcp' } });
    expect(layer.endpoint.last.options).toMatchObject({
      target: { user: 'sales', host: 'pbx.example.com', port: 5070, transport: 'tcp' },
      fromUser: TRUNK.callerNumber,
      credentials: null,
    });
  });

  it('is told something first, to its end', async () => {
    await tell({ type: 'announce', text: 'I am putting you through.' });
    const { onOutcome, onOver, text } = layer.agent.said.at(-1)!;
    expect(text).toBe('I am putting you through.');
    onOutcome('done');
    await settle();
    expect(effects()).toEqual([]);
    onOver?.();
    await settle();
    expect(effects()).toMatchObject([{ verb: 'announce', outcome: 'done' }]);
  });
});
