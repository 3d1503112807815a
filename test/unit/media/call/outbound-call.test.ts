import type { DialResult } from '../../../../contract/commands';
import type { CallEnding } from '../../../../contract/endings';
import { CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { PHONE_SDP, VIDEO_ONLY_SDP } from '../../../fakes/fake-sip';

const CALL = 'call-out';
const SENT: DialResult = { sent: true, nodeId: 'node-1', bootId: 'boot-1', sipCallId: 'sip-out' };

describe('an outbound call', () => {
  let layer: CallLayer;

  beforeEach(() => {
    layer = new CallLayer();
  });

  function ending(): CallEnding {
    const ended = layer.events.ended(CALL);
    expect(ended).toHaveLength(1);
    return ended[0]!.ending;
  }

  it('records the attempt, then sends one INVITE, and is answered', async () => {
    const order: string[] = [];
    const result = await layer.dial({}, async () => {
      order.push(`invites before the record: ${layer.endpoint.dialogs.length}`);
      return true;
    });
    expect(order).toEqual(['invites before the record: 0']);
    expect(result).toEqual(SENT);
    layer.endpoint.last.progress(180);
    layer.endpoint.last.progress(183);
    layer.endpoint.last.accept();
    await settle();
    expect(layer.events.types(CALL)).toEqual(['dial_sent', 'ringing', 'answered']);
    expect(layer.agent.started).toBe(1);
    layer.endpoint.last.peerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'callee_hangup', endedBy: 'callee' });
    expect(layer.registry.size).toBe(0);
    expect(layer.clock.armed).toBe(0);
  });

  it('that is to be given up unanswered goes on when somebody has answered', async () => {
    await layer.dial();
    layer.endpoint.last.accept();
    await settle();
    expect(await layer.giveUp(CALL)).toEqual({ ok: false, code: 'answered' });
    expect(layer.events.ended(CALL)).toEqual([]);
    expect(await layer.hangup(CALL)).toEqual({ ok: true });
    layer.endpoint.last.answerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'api_hangup', endedBy: 'api' });
  });

  it('that is to be given up unanswered is canceled while it rings', async () => {
    await layer.dial();
    layer.endpoint.last.progress(180);
    expect(await layer.giveUp(CALL)).toEqual({ ok: true });
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
  });

  it('has the media timeout of its trunk, and looks for a callee whose packets have stopped', async () => {
    await layer.dial();
    expect(layer.rtp.last.options.mediaTimeoutMs).toBe(45_000);
    const dialog = layer.endpoint.last;
    layer.rtp.last.delegate.onMediaQuiet?.(true);
    dialog.accept();
    await settle();
    expect(dialog.probes).toBe(0);
    dialog.life = 'gone';
    layer.rtp.last.delegate.onMediaQuiet?.(true);
    await settle();
    dialog.answerBye();
    await settle();
    expect(dialog.probes).toBe(1);
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'media_timeout', endedBy: 'system' });
  });

  it('sends at most one INVITE per attempt, also when the command repeats', async () => {
    const results = await Promise.all([layer.dial(), layer.dial()]);
    expect(results).toEqual([SENT, SENT]);
    layer.endpoint.last.refuse(486);
    await layer.clock.advance(1000);
    expect(await layer.dial()).toEqual(SENT);
    expect(layer.endpoint.dialogs).toHaveLength(1);
    expect(await layer.dial({ attemptId: 'attempt-2' })).toMatchObject({ sent: false, code: 'tombstoned' });
  });

  it.each([
    [486, 'busy'],
    [603, 'rejected'],
    [404, 'invalid_number'],
    [503, 'congestion'],
    [403, 'trunk_denied'],
    [488, 'media_incompatible'],
  ] as const)('ends as refused with %i', async (status, disposition) => {
    await layer.dial();
    layer.endpoint.last.refuse(status);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition, endReason: null, endedBy: 'callee', sip: { finalStatus: status } });
    expect(layer.rtp.sessionCount).toBe(0);
  });

  it('is no_answer when its ring timeout passes: CANCEL, then 487', async () => {
    await layer.dial({ ringTimeoutSeconds: 20 });
    layer.endpoint.last.progress(180);
    await layer.clock.advance(20_000);
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    expect(layer.events.ended(CALL)).toHaveLength(0);
    layer.endpoint.last.refuse(487);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'no_answer', endReason: null, endedBy: 'system' });
  });

  it('ends by itself when the carrier never answers the CANCEL', async () => {
    await layer.dial({ ringTimeoutSeconds: 20 });
    await layer.clock.advance(20_000 + 6000);
    expect(ending()).toMatchObject({ disposition: 'no_answer', sip: { finalStatus: null } });
    expect(layer.clock.armed).toBe(0);
  });

  it('is canceled by the API while it rings', async () => {
    await layer.dial();
    layer.endpoint.last.progress(180);
    expect(await layer.hangup(CALL)).toEqual({ ok: true });
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
    layer.endpoint.last.refuse(487);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'canceled', endReason: 'api_hangup', endedBy: 'api' });
    expect(await layer.hangup(CALL, 'command-2')).toEqual({ ok: true });
  });

  it('hangs up what was answered while our CANCEL was on its way', async () => {
    await layer.dial();
    await layer.hangup(CALL);
    layer.endpoint.last.accept();
    await layer.clock.advance(1000);
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL', 'BYE']);
    expect(ending()).toMatchObject({ disposition: 'canceled', endedBy: 'api', sip: { finalStatus: 200 } });
    expect(layer.events.types(CALL)).not.toContain('answered');
  });

  it('keeps how it ended when the dialog closes after the BYE that followed our CANCEL', async () => {
    await layer.dial();
    await layer.hangup(CALL);
    layer.endpoint.last.accept();
    layer.endpoint.last.answerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'canceled', sip: { finalStatus: 200, reason: 'OK' } });
  });

  it('ends at once when the transport is lost while our CANCEL is unanswered', async () => {
    await layer.dial();
    layer.endpoint.last.progress(180);
    await layer.hangup(CALL);
    layer.endpoint.last.delegate.onClosed?.('transport_error');
    await settle();
    expect(ending()).toMatchObject({ disposition: 'canceled', endReason: 'api_hangup', sip: { finalStatus: null } });
    expect(layer.clock.armed).toBe(0);
  });

  it('takes a busy that crossed our CANCEL as the callee’s word', async () => {
    await layer.dial();
    await layer.hangup(CALL);
    layer.endpoint.last.refuse(486);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'busy', endReason: null, endedBy: 'callee' });
  });

  it('hangs up a 200 without usable audio', async () => {
    await layer.dial();
    layer.endpoint.last.accept(VIDEO_ONLY_SDP);
    await layer.clock.advance(1000);
    expect(layer.endpoint.last.byeReason).toMatchObject({ protocol: 'SIP', cause: 488 });
    expect(ending()).toMatchObject({ disposition: 'media_incompatible', endReason: null });
  });

  it.each<[string, (call: CallLayer) => unknown, number | null]>([
    ['a BYE', (call) => call.endpoint.last.peerBye({ protocol: 'Q.850', cause: 16, text: '' }), 16],
    ['a hang-up', (call) => call.hangup(CALL), null],
    ['a lost transport', (call) => call.endpoint.last.delegate.onClosed?.('transport_error'), null],
  ])('records the carrier’s own 2xx, whatever ends the call: %s', async (_what, end, q850) => {
    await layer.dial();
    layer.endpoint.last.accept(PHONE_SDP, { status: 202, reason: 'Connected' });
    end(layer);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'answered', sip: { finalStatus: 202, reason: 'Connected', q850 } });
  });

  it('records the 200 that crossed our CANCEL, which the SIP layer has hung up', async () => {
    await layer.dial();
    await layer.hangup(CALL);
    layer.endpoint.last.refuse(200, 180, 'Connected');
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({
      disposition: 'canceled',
      endReason: 'api_hangup',
      endedBy: 'api',
      sip: { finalStatus: 200, reason: 'Connected' },
    });
  });

  it('takes a refusal without an answer that crossed our CANCEL as the callee’s word too', async () => {
    await layer.dial();
    await layer.hangup(CALL);
    layer.endpoint.last.refuse(480);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'no_answer', endReason: null, endedBy: 'callee' });
  });

  it('was canceled by us when a challenge came that we answered no more', async () => {
    await layer.dial();
    await layer.hangup(CALL);
    layer.endpoint.last.refuse(401, null);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'canceled', endedBy: 'api', sip: { finalStatus: 401 } });
  });

  it('says unreachable when nothing came back, and how', async () => {
    await layer.dial();
    layer.endpoint.last.delegate.onReject?.({ kind: 'unreachable', detail: 'ECONNREFUSED' });
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({
      disposition: 'trunk_unreachable',
      endedBy: 'system',
      sip: { finalStatus: null, reason: 'ECONNREFUSED' },
    });
  });

  it('sends nothing when the attempt cannot be recorded', async () => {
    await expect(layer.dial({}, () => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
    await settle();
    expect(layer.endpoint.dialogs).toHaveLength(0);
    expect(layer.registry.size).toBe(0);
    expect(layer.rtp.sessionCount).toBe(0);
    expect(await layer.dial()).toEqual(SENT);
  });

  it('sends nothing when recording the attempt took past the deadline', async () => {
    const dialing = layer.dial({}, () => new Promise((resolve) => layer.clock.setTimeout(() => resolve(true), 3500)));
    await layer.clock.advance(4000);
    expect(await dialing).toMatchObject({ sent: false, code: 'too_late' });
    expect(layer.endpoint.dialogs).toHaveLength(0);
  });

  describe('before its trunk is reached', () => {
    const ENDED: DialResult = { sent: false, code: 'ended', nodeId: 'node-1', bootId: 'boot-1', sipCallId: 'sip-out' };
    let resolved: () => void;

    beforeEach(() => {
      layer.endpoint.resolution = new Promise((resolve) => (resolved = resolve));
    });

    async function begun(dialing: Promise<DialResult>): Promise<{ readonly outcome: Promise<DialResult> }> {
      await settle();
      expect(layer.control.status(CALL)).toMatchObject({ known: true, state: 'setup' });
      expect(layer.control.listCalls()).toMatchObject([{ callId: CALL, state: 'setup' }]);
      return { outcome: dialing };
    }

    async function nothingLeaves(): Promise<void> {
      resolved();
      await layer.clock.advance(1_000);
      expect(layer.endpoint.dialogs).toHaveLength(0);
      expect(layer.registry.size).toBe(0);
      expect(layer.rtp.sessionCount).toBe(0);
      expect(layer.clock.armed).toBe(0);
    }

    it('sends nothing when a tombstone comes', async () => {
      const { outcome } = await begun(layer.dial());
      layer.control.tombstone(CALL);
      expect(await outcome).toMatchObject({ sent: false, code: 'tombstoned' });
      await nothingLeaves();
      expect(layer.control.status(CALL)).toEqual({ known: false });
      expect(layer.events.ended(CALL)).toHaveLength(0);
    });

    it('is not known before its attempt is recorded', async () => {
      const dialing = layer.dial({}, () => new Promise((resolve) => layer.clock.setTimeout(() => resolve(true), 100)));
      await layer.clock.advance(50);
      expect(layer.control.status(CALL)).toEqual({ known: false });
      await layer.clock.advance(50);
      await begun(dialing);
      resolved();
      expect(await dialing).toEqual(SENT);
    });

    it('is hung up at once, and its workflow hears of it as of any ending', async () => {
      const { outcome } = await begun(layer.dial());
      expect(await layer.hangup(CALL)).toEqual({ ok: true });
      expect(await outcome).toEqual(ENDED);
      await nothingLeaves();
      expect(ending()).toMatchObject({ disposition: 'canceled', endReason: 'api_hangup', endedBy: 'api' });
      expect(layer.control.status(CALL)).toMatchObject({ state: 'ended' });
      expect(await layer.hangup(CALL, 'command-2')).toEqual({ ok: true });
    });

    it('ends as unreachable 3 s after the dial began', async () => {
      const { outcome } = await begun(layer.dial());
      await layer.clock.advance(3_000);
      expect(await outcome).toEqual(ENDED);
      await nothingLeaves();
      expect(ending()).toMatchObject({
        disposition: 'trunk_unreachable',
        endReason: null,
        endedBy: 'system',
        sip: { sipCallId: 'sip-out', finalStatus: null, reason: 'no connection in time' },
      });
    });

    it('ends as unreachable with the cause, and says what was tried', async () => {
      const { outcome } = await begun(layer.dial());
      layer.endpoint.unreachable = [
        ['192.0.2.10:5060/tcp', 'connection timed out'],
        ['192.0.2.11:5060/tcp', 'connection refused'],
      ];
      layer.endpoint.failure = new Error('connection refused');
      resolved();
      expect(await outcome).toEqual(ENDED);
      await nothingLeaves();
      expect(ending()).toMatchObject({ disposition: 'trunk_unreachable', sip: { reason: 'connection refused' } });
      expect(layer.events.types(CALL)).toEqual(['target_unreachable', 'target_unreachable', 'timings', 'ended']);
      expect(await layer.dial({ attemptId: 'attempt-2' })).toMatchObject({ sent: false, code: 'tombstoned' });
    });

    it('goes to another node when this one drains', async () => {
      const { outcome } = await begun(layer.dial());
      void layer.registry.drain();
      layer.registry.hangUpAll('node_drained', 'system');
      expect(await outcome).toMatchObject({ sent: false, code: 'node_draining' });
      await nothingLeaves();
      expect(layer.events.ended(CALL)).toHaveLength(0);
    });

    it('is one call: another attempt finds it here', async () => {
      const { outcome } = await begun(layer.dial());
      expect(await layer.dial({ attemptId: 'attempt-2' })).toMatchObject({ sent: false, code: 'tombstoned' });
      resolved();
      expect(await outcome).toEqual(SENT);
    });
  });

  it('cancels a call that is under way when its tombstone comes', async () => {
    await layer.dial();
    layer.control.tombstone(CALL);
    expect(layer.endpoint.last.sent).toEqual(['INVITE', 'CANCEL']);
  });

  it.each([
    ['an unknown agent', { agentId: 'other' }, 'unknown_agent'],
    ['an unknown trunk', { trunkId: 'other' }, 'unknown_trunk'],
    ['a foreign organisation', { orgId: 'org-2' }, 'unknown_agent'],
  ])('refuses %s', async (_what, command, code) => {
    expect(await layer.dial(command)).toMatchObject({ sent: false, code });
  });

  it('says why nothing was sent: no port, draining', async () => {
    layer.rtp.failure = new Error('none');
    expect(await layer.dial()).toMatchObject({ sent: false, code: 'no_port' });
    void layer.registry.drain();
    expect(await layer.dial()).toMatchObject({ sent: false, code: 'node_draining' });
    expect(layer.rtp.sessionCount).toBe(0);
    expect(layer.registry.size).toBe(0);
  });

  it('answers a command of another boot or for an unknown call with call_unknown', async () => {
    expect(await layer.hangup('nobody')).toEqual({ ok: false, code: 'call_unknown' });
    await layer.dial();
    expect(await layer.hangup(CALL, 'x', 'older')).toEqual({ ok: false, code: 'call_unknown' });
    expect(layer.control.listCalls()).toMatchObject([{ callId: CALL, state: 'setup' }]);
  });
});
