import type { CallControl, CommandResult } from '../../../../../contract/commands';
import type { SuperviseMode } from '../../../../../contract/supervision';
import type { LegDial } from '../../../../../contract/transfers';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import type { FakeInboundDialog } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const DIAL: LegDial = {
  legId: 'leg-1',
  target: { type: 'sip', uri: 'sip:lead@pbx.example.com' },
  name: null,
  trunkId: TRUNK.id,
  ringTimeoutSeconds: 20,
  sessionId: 'session-1',
  agentId: 'agent-1',
  contactId: null,
};

describe('a supervisor', () => {
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
  const supervise = (mode: SuperviseMode, more: Partial<LegDial> = {}, commandId?: string): Promise<CommandResult> =>
    tell({ type: 'supervise', mode, leg: { ...DIAL, ...more } }, commandId);
  async function joined(mode: SuperviseMode): Promise<void> {
    expect(await supervise(mode)).toEqual({ ok: true });
    layer.endpoint.last.accept();
    await settle();
  }

  const events = (...types: string[]): object[] => layer.events.ofCall(CALL).filter(({ type }) => types.includes(type));
  const effects = (): object[] => events('command');
  const told = (): unknown[] =>
    layer.events.ofCall(CALL).flatMap((event) => {
      const { type } = event;
      if (!type.startsWith('supervisor_')) return [];
      const { callId: _callId, orgId: _orgId, seq: _seq, atMs: _atMs, ...rest } = event;
      return [rest];
    });

  it('listens in from the answer on, and the caller goes on with the agent as before', async () => {
    expect(await supervise('listen')).toEqual({ ok: true });
    expect(layer.endpoint.last.options).toMatchObject({
      sipCallId: 'leg-1',
      target: { user: 'lead', host: 'pbx.example.com' },
      headers: [
        ['X-OPENCX-SESSION-ID', 'session-1'],
        ['X-OPENCX-AGENT-ID', 'agent-1'],
      ],
      credentials: null,
    });
    expect(effects()).toEqual([]);
    layer.endpoint.last.accept();
    await settle();
    expect(effects()).toMatchObject([{ verb: 'supervise', outcome: 'done' }]);
    const [own, supervisor] = layer.rtp.sessions;
    expect(supervisor?.supervising).toEqual({ other: own, mode: 'listen' });
    expect(own).toMatchObject({ background: null, listening: true, paused: false, connectedTo: null });
    expect(layer.agent.holds).not.toContain(true);
    expect(told()).toEqual([{ type: 'supervisor_joined', mode: 'listen', legId: 'leg-1' }]);
    expect(await tell({ type: 'say', text: 'Hello?', interrupt: false })).toEqual({ ok: true });
  });

  it('is called once, whoever asks for the same one; the others get its mode, and its answer', async () => {
    await supervise('listen', {}, 'same');
    expect(await supervise('listen', {}, 'same')).toEqual({ ok: true });
    expect(await supervise('barge', { legId: 'leg-2' })).toEqual({ ok: true });
    expect(await supervise('listen', { target: { type: 'phone', number: '+15557770000' } })).toEqual({
      ok: false,
      code: 'supervised',
    });
    expect(layer.endpoint.dialogs).toHaveLength(1);
    layer.endpoint.last.accept();
    await settle();
    expect(effects()).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }]);
    expect(await supervise('listen', { legId: 'leg-3' })).toEqual({ ok: true });
    expect(layer.endpoint.dialogs).toHaveLength(1);
    expect(layer.rtp.last.supervising).toMatchObject({ mode: 'listen' });
    expect(told()).toEqual([
      { type: 'supervisor_joined', mode: 'barge', legId: 'leg-1' },
      { type: 'supervisor_mode_changed', mode: 'listen', legId: 'leg-1' },
    ]);
  });

  it.each([
    ['busy', 486, 'busy'],
    ['declined', 603, 'rejected'],
    ['congestion', 503, 'congestion'],
  ] as const)('who is not reached is told of, and may be called again: %s', async (_, status, legOutcome) => {
    await supervise('listen');
    layer.endpoint.last.refuse(status);
    await settle();
    expect(effects()).toMatchObject([{ outcome: 'failed', sipStatus: status, legOutcome }]);
    expect(layer.rtp.sessionCount).toBe(1);
    expect(told()).toEqual([]);
    await joined('listen');
    expect(told()).toHaveLength(1);
  });

  it('rings for as long as it may', async () => {
    await supervise('listen');
    await layer.clock.advance(20_000);
    await settle();
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    expect(effects()).toMatchObject([{ outcome: 'failed', sipStatus: null, legOutcome: 'no_answer' }]);
  });

  it('leaves when it hangs up, and nobody else does', async () => {
    await joined('barge');
    layer.endpoint.last.peerBye();
    await settle();
    expect(told().at(-1)).toEqual({ type: 'supervisor_left', mode: 'barge', why: 'hangup', legId: 'leg-1' });
    expect(caller.sent).not.toContain('BYE');
    expect(layer.rtp.sessionCount).toBe(1);
    expect(await tell({ type: 'unsupervise' })).toEqual({ ok: false, code: 'not_supervised' });
  });

  it('is sent away, whether it has answered or not', async () => {
    await supervise('listen');
    await tell({ type: 'unsupervise' });
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    expect(effects()).toMatchObject([
      { verb: 'supervise', outcome: 'failed', legOutcome: 'canceled' },
      { verb: 'unsupervise', outcome: 'done' },
    ]);
    await joined('listen');
    await tell({ type: 'unsupervise' });
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'BYE']);
    expect(told().at(-1)).toMatchObject({ type: 'supervisor_left', why: 'sent_away' });
    expect(layer.rtp.sessionCount).toBe(1);
  });

  it.each(['ringing', 'joined'] as const)('goes with the call: %s', async (state) => {
    if (state === 'joined') await joined('listen');
    else await supervise('listen');
    const { endpoint } = layer;
    caller.peerBye();
    await settle();
    expect(endpoint.last.sent.at(-1)).toBe(state === 'joined' ? 'BYE' : 'CANCEL');
    await layer.clock.advance(1_000);
    await settle();
    expect(layer.rtp.sessionCount).toBe(0);
    expect(events('ended')).toHaveLength(1);
    expect(layer.events.ofCall(CALL).at(-1)?.type).toBe('ended');
    expect(told()).toHaveLength(state === 'joined' ? 2 : 0);
  });

  it('leaves when its trunk is deleted or nothing of it comes any more', async () => {
    await supervise('listen', { target: { type: 'phone', number: '+15557770000' } });
    layer.endpoint.last.accept();
    await settle();
    layer.control.trunkRevoked(TRUNK.id);
    await settle();
    expect(told().at(-1)).toMatchObject({ type: 'supervisor_left', why: 'error' });
    await joined('listen');
    layer.rtp.last.delegate.onMediaTimeout?.();
    await settle();
    expect(told().at(-1)).toMatchObject({ type: 'supervisor_left', why: 'media_timeout' });
    expect(caller.sent).not.toContain('BYE');
  });

  it('of a call that was handed over too, and through the hand-over', async () => {
    await joined('listen');
    await tell({ type: 'dialLeg', leg: { ...DIAL, legId: 'far' } });
    const far = layer.endpoint.last;
    expect(await supervise('barge')).toEqual({ ok: true });
    far.accept();
    await settle();
    expect(await supervise('whisper')).toEqual({ ok: true });
    expect(layer.ears).toEqual([]);
    far.peerBye();
    await settle();
    expect(told().at(-1)).toMatchObject({ type: 'supervisor_left', mode: 'whisper', why: 'call_ended' });
  });

  describe('who whispers', () => {
    it('is understood, and the agent told', async () => {
      await joined('whisper');
      const [ear] = layer.ears;
      expect(ear).toMatchObject({ mediaId: layer.rtp.last.mediaId, closed: 0 });
      ear?.onSaid('Offer ten percent.');
      ear?.onSaid(null);
      expect(layer.agent.instructions).toEqual(['Offer ten percent.']);
      expect(told().slice(1)).toEqual([
        { type: 'supervisor_whispered', outcome: 'instructed', legId: 'leg-1' },
        { type: 'supervisor_whispered', outcome: 'not_understood', legId: 'leg-1' },
      ]);
    });

    it('is listened to only as long as that', async () => {
      await joined('listen');
      expect(layer.ears).toEqual([]);
      await supervise('whisper');
      await supervise('barge');
      expect(layer.ears).toMatchObject([{ closed: 1 }]);
      await supervise('whisper');
      layer.endpoint.last.peerBye();
      await settle();
      expect(layer.ears).toMatchObject([{ closed: 1 }, { closed: 1 }]);
    });

    it('is not, once the agent has left', async () => {
      await joined('whisper');
      await tell({ type: 'dialLeg', leg: { ...DIAL, legId: 'far' } });
      layer.endpoint.last.accept();
      await settle();
      layer.ears[0]?.onSaid('Offer ten percent.');
      expect(layer.agent.instructions).toEqual([]);
      expect(layer.ears).toMatchObject([{ closed: 1 }]);
    });

    it('is refused where nothing can be understood', async () => {
      layer = new CallLayer({ recognises: false });
      await layer.answered();
      expect(await supervise('whisper')).toEqual({ ok: false, code: 'no_recognition' });
      await joined('listen');
      expect(await supervise('whisper')).toEqual({ ok: false, code: 'no_recognition' });
      expect(layer.rtp.last.supervising).toMatchObject({ mode: 'listen' });
    });
  });
});
