import type { StartInboundResult } from '../../../../contract/directory';
import type { CallEnding } from '../../../../contract/endings';
import { CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { FakeInboundDialog, PHONE_SDP, VIDEO_ONLY_SDP } from '../../../fakes/fake-sip';

const CALL = 'call-sip-1';

describe('an inbound call', () => {
  let layer: CallLayer;

  beforeEach(() => {
    layer = new CallLayer();
  });

  function ending(): CallEnding {
    const ended = layer.events.ended(CALL);
    expect(ended).toHaveLength(1);
    return ended[0]!.ending;
  }

  it('is answered when its workflow is started and its agent is warm', async () => {
    layer.warmAtOnce = false;
    const dialog = layer.receive();
    await settle();
    expect(dialog.sent).toEqual(['180']);
    expect(layer.agent.started).toBe(0);
    layer.agent.finishWarm();
    await settle();
    expect(dialog.sent).toEqual(['180', '200']);
    expect(layer.agent.started).toBe(1);
    expect(layer.rtp.last.remotes[0]).toMatchObject({ address: '192.0.2.10', port: 40_000, send: true });
    expect(layer.rtp.last.options).toEqual({ localAddress: '192.0.2.1', mediaTimeoutMs: 60_000 });
    expect(layer.events.types(CALL)).toEqual(['routed', 'ringing', 'answered']);
    expect(layer.control.status(CALL)).toMatchObject({ known: true, state: 'answered' });
  });

  it('is answered after three seconds even when the agent is not warm', async () => {
    layer.warmAtOnce = false;
    const dialog = layer.receive();
    await layer.clock.advance(2999);
    expect(dialog.sent).toEqual(['180']);
    await layer.clock.advance(1);
    expect(dialog.sent).toEqual(['180', '200']);
  });

  it('ends with the caller’s BYE', async () => {
    const dialog = await layer.answered();
    dialog.peerBye({ protocol: 'Q.850', cause: 16, text: '' });
    await settle();
    expect(ending()).toEqual({
      disposition: 'answered',
      endReason: 'caller_hangup',
      endedBy: 'caller',
      sip: { sipCallId: 'sip-1', finalStatus: 200, reason: null, q850: 16 },
    });
    expect(layer.events.types(CALL)).toEqual(['routed', 'ringing', 'answered', 'media_stats', 'timings', 'ended']);
    expect(layer.agent).toMatchObject({ finished: 1, closed: 1 });
    expect(layer.rtp.last.closed).toBe(1);
    expect(layer.clock.armed).toBe(0);
    expect(layer.control.status(CALL)).toMatchObject({ state: 'ended' });
  });

  it('hangs up with a Reason when the agent said goodbye, once, and waits for the BYE’s answer', async () => {
    const dialog = await layer.answered();
    layer.agent.delegate.onEnd('agent_goodbye');
    layer.agent.delegate.onEnd('silence');
    await settle();
    expect(dialog.sent).toEqual(['180', '200', 'BYE']);
    expect(dialog.byeReason).toMatchObject({ protocol: 'Q.850', cause: 16 });
    expect(layer.events.ended(CALL)).toHaveLength(0);
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'agent_goodbye', endedBy: 'agent' });
  });

  it('ends though its BYE is never answered and its RTP thread is stuck', async () => {
    await layer.answered();
    layer.rtp.last.stuck = true;
    await layer.hangup(CALL);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ endReason: 'api_hangup', endedBy: 'api' });
  });

  it('ends at its maximum duration', async () => {
    const dialog = await layer.answered();
    await layer.clock.advance(600_000);
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ endReason: 'max_duration', endedBy: 'system' });
  });

  it('ends when no media comes', async () => {
    const dialog = await layer.answered();
    layer.rtp.last.delegate.onMediaTimeout?.();
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ endReason: 'media_timeout', endedBy: 'system' });
    expect(dialog.byeReason?.cause).toBe(102);
  });

  it('ends when its media fails', async () => {
    const dialog = await layer.answered();
    layer.rtp.last.delegate.onFailure?.();
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'error', endedBy: 'system' });
  });

  it('ends when its packets have stopped and nobody answers in the dialog', async () => {
    const dialog = await layer.answered();
    layer.rtp.last.delegate.onMediaQuiet?.(true);
    await settle();
    expect(dialog).toMatchObject({ probes: 1, over: false });
    dialog.life = 'gone';
    layer.rtp.last.delegate.onMediaQuiet?.(true);
    await settle();
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ endReason: 'media_timeout', endedBy: 'system' });
  });

  it('goes on when the packets are back before it is known that nobody answers', async () => {
    const dialog = await layer.answered();
    dialog.life = 'gone';
    layer.rtp.last.delegate.onMediaQuiet?.(true);
    layer.rtp.last.delegate.onMediaQuiet?.(false);
    await settle();
    expect(dialog).toMatchObject({ probes: 1, over: false });
  });

  it('warns once when all packets are foreign, while it lives or with its statistics', async () => {
    const dialog = await layer.answered();
    layer.rtp.last.delegate.onDeaf?.(12);
    layer.rtp.last.finalStats = { ...layer.rtp.last.finalStats, packetsForeign: 40 };
    dialog.peerBye();
    await settle();
    const warnings = (callId: string) => layer.events.ofCall(callId).filter((event) => event.type === 'warning');
    expect(warnings(CALL)).toMatchObject([{ warning: 'only_foreign_packets', packetsForeign: 12, packetsReceived: 0 }]);
    const short = await layer.answered(new FakeInboundDialog({ sipCallId: 'sip-2' }));
    layer.rtp.last.finalStats = { ...layer.rtp.last.finalStats, packetsForeign: 5 };
    short.peerBye();
    await settle();
    expect(warnings('call-sip-2')).toMatchObject([{ packetsForeign: 5 }]);
  });

  it('ends when our 200 is never acknowledged', async () => {
    const dialog = layer.receive();
    await settle();
    dialog.delegate.onClosed?.('ack_timeout');
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'error', endedBy: 'system' });
  });

  it('tells a workflow that started after the CANCEL that the call is canceled', async () => {
    let start: (result: StartInboundResult) => void = () => undefined;
    layer.directory.start = () => new Promise((resolve) => (start = resolve));
    const dialog = layer.receive();
    await settle();
    dialog.cancel();
    expect(dialog.sent).toEqual(['487']);
    expect(layer.events.all).toHaveLength(0);
    start({ ok: true, callId: CALL, sessionId: 's' });
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'canceled', endReason: null, endedBy: 'caller' });
    expect(ending().sip?.finalStatus).toBe(487);
    expect(layer.registry.size).toBe(0);
  });

  it('leaves nothing when the CANCEL came and the workflow did not start', async () => {
    layer.directory.start = () => new Promise((resolve) => setImmediate(() => resolve(UNAVAILABLE)));
    const dialog = layer.receive();
    dialog.cancel();
    await new Promise((resolve) => setImmediate(resolve));
    await layer.clock.advance(1000);
    expect(layer.events.all).toHaveLength(0);
    expect(layer.registry.size).toBe(0);
    expect(layer.rtp.sessionCount).toBe(0);
  });

  it('is canceled while it rings', async () => {
    layer.warmAtOnce = false;
    const dialog = layer.receive();
    await settle();
    dialog.cancel();
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'canceled', endedBy: 'caller' });
    expect(dialog.sent).toEqual(['180', '487']);
    expect(layer.agent.closed).toBe(1);
  });

  it('is refused with 503 before any 18x when the workflow cannot start', async () => {
    layer.directory.start = () => Promise.resolve(UNAVAILABLE);
    const dialog = layer.receive();
    await settle();
    expect(dialog.rejection).toMatchObject({ status: 503, retryAfterSeconds: 5 });
    expect(dialog.sent).toEqual(['503']);
    expect(layer.events.all).toHaveLength(0);
    expect(layer.rtp.sessionCount).toBe(0);
    expect(layer.rejected).toEqual(['start_unavailable']);
  });

  it('answers 503 when the start takes too long, and ends the workflow that started after all', async () => {
    let start: (result: StartInboundResult) => void = () => undefined;
    layer.directory.start = () => new Promise((resolve) => (start = resolve));
    const dialog = layer.receive();
    await layer.clock.advance(2500);
    expect(dialog.rejection?.status).toBe(503);
    start({ ok: true, callId: CALL, sessionId: 's' });
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ disposition: 'failed', endReason: 'setup_abandoned', endedBy: 'system' });
  });

  it.each([
    ['no agent', 480],
    ['no usable user', 404],
  ] as const)('is refused when there is %s', async (_why, status) => {
    layer.directory.decision = { ok: false, status, steps: [] };
    const dialog = layer.receive();
    await settle();
    expect(dialog.sent).toEqual([String(status)]);
    expect(layer.directory.requests).toHaveLength(0);
    expect(layer.registry.size).toBe(0);
  });

  it('is refused with 488 and a Warning when the offer has no usable audio', async () => {
    const dialog = layer.receive(new FakeInboundDialog({ offer: VIDEO_ONLY_SDP }));
    await settle();
    expect(dialog.rejection?.status).toBe(488);
    expect(dialog.rejection?.warning).toMatch(/^304 trunkline /);
  });

  it('is refused with 503 beyond the limit of the node', async () => {
    layer = new CallLayer({ maxCalls: 1 });
    layer.receive();
    const second = layer.receive(new FakeInboundDialog({ sipCallId: 'sip-2' }));
    await settle();
    expect(second.rejection).toMatchObject({ status: 503, retryAfterSeconds: 5 });
  });

  it('ends with 503 and an event when no port is left', async () => {
    layer.rtp.failure = Object.assign(new Error('none'), { code: 'no_port' });
    const dialog = layer.receive();
    await layer.clock.advance(1000);
    expect(dialog.sent).toEqual(['503']);
    expect(ending()).toMatchObject({ disposition: 'failed', endReason: 'error' });
  });

  it('offers in its 200 to a delayed offer and starts with the answer in the ACK', async () => {
    const dialog = layer.receive(new FakeInboundDialog({ offer: null }));
    await settle();
    expect(dialog.answers[0]).toMatch(/m=audio 20002 /);
    expect(layer.agent.started).toBe(0);
    dialog.ack(PHONE_SDP);
    expect(layer.agent.started).toBe(1);
    expect(layer.rtp.last.remotes).toHaveLength(1);
  });

  it('hangs up when the ACK of a delayed offer brings no answer', async () => {
    const dialog = layer.receive(new FakeInboundDialog({ offer: null }));
    await settle();
    dialog.ack(null);
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'error' });
  });

  it('goes on hold and back by re-INVITE', async () => {
    const dialog = await layer.answered();
    const held = dialog.delegate.onReoffer?.(PHONE_SDP.replace('sendrecv', 'sendonly'));
    expect(held).toHaveProperty('sdp');
    expect(layer.rtp.last.remotes.at(-1)?.send).toBe(false);
    dialog.delegate.onReoffer?.(PHONE_SDP);
    expect(layer.rtp.last.remotes.at(-1)?.send).toBe(true);
    expect(layer.agent.holds).toEqual([false, true, false]);
    expect(dialog.delegate.onReoffer?.(VIDEO_ONLY_SDP)).toEqual({ status: 488 });
  });

  it.each([
    ['no answer', null],
    ['an answer without audio', VIDEO_ONLY_SDP],
    ['an answer that is none', 'v=0'],
  ])('goes on as it was when the ACK of a re-INVITE brings %s to our offer', async (_what, answer) => {
    const dialog = await layer.answered();
    for (let i = 0; i < 2; i++) {
      expect(dialog.delegate.onReoffer?.(null)).toHaveProperty('sdp');
      dialog.ack(answer);
    }
    await settle();
    expect(dialog.sent).toEqual(['180', '200']);
    expect(layer.rtp.last.remotes).toHaveLength(1);
    // And the next one is heard.
    expect(dialog.delegate.onReoffer?.(null)).toHaveProperty('sdp');
    dialog.ack(PHONE_SDP.replace('40000', '40010'));
    expect(layer.rtp.last.remotes.at(-1)).toMatchObject({ port: 40_010 });
    dialog.peerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'caller_hangup' });
  });

  it('offers in its 180 to a delayed offer that demands reliable answers, and answers after the PRACK', async () => {
    layer.warmAtOnce = false;
    const dialog = new FakeInboundDialog({ offer: null });
    dialog.demandsReliable = true;
    layer.receive(dialog);
    await settle();
    expect(dialog.earlyOffer).toMatch(/m=audio 20002 /);
    layer.agent.finishWarm();
    await settle();
    expect(dialog.sent).toEqual(['180']);
    dialog.prack(PHONE_SDP);
    expect([dialog.sent, dialog.answers]).toEqual([['180', '200'], [null]]);
    expect(layer.rtp.last.remotes).toMatchObject([{ port: 40_000, send: true }]);
    expect(layer.agent.started).toBe(1);
    dialog.ack();
    expect(dialog.over).toBe(false);
  });

  it('waits for its agent when the PRACK comes first', async () => {
    layer.warmAtOnce = false;
    const dialog = new FakeInboundDialog({ offer: null });
    dialog.demandsReliable = true;
    layer.receive(dialog);
    await settle();
    dialog.prack(PHONE_SDP);
    expect(dialog.sent).toEqual(['180']);
    layer.agent.finishWarm();
    await settle();
    expect(dialog.sent).toEqual(['180', '200']);
  });

  it.each([
    ['the PRACK brings no answer', (dialog: FakeInboundDialog) => dialog.prack(null), 488],
    ['no PRACK comes', (dialog: FakeInboundDialog) => dialog.delegate.onClosed?.('prack_timeout'), 504],
    ['somebody hangs up before the PRACK', () => void layer.hangup(CALL), 480],
  ])('is refused when %s', async (_what, happens, status) => {
    const dialog = new FakeInboundDialog({ offer: null });
    dialog.demandsReliable = true;
    layer.receive(dialog);
    await settle();
    happens(dialog);
    await layer.clock.advance(1000);
    expect(ending()).toMatchObject({ sip: { finalStatus: status } });
    dialog.prack(PHONE_SDP);
    expect(dialog.answers).toEqual([]);
  });

  it('is refreshed with the SDP that was agreed on, whose answer may put it on hold', async () => {
    const dialog = new FakeInboundDialog();
    layer.receive(dialog);
    expect(dialog.delegate.onRefreshOffer?.()).toBeNull();
    await settle();
    dialog.ack();
    expect(dialog.delegate.onRefreshOffer?.()).toBe(dialog.answers[0]);
    dialog.delegate.onRefreshAnswer?.(PHONE_SDP.replace('sendrecv', 'sendonly'));
    expect(layer.agent.holds.at(-1)).toBe(true);
    dialog.delegate.onRefreshAnswer?.(VIDEO_ONLY_SDP);
    expect(layer.rtp.last.remotes).toHaveLength(2);
    // Our offer to a re-INVITE is open.
    dialog.delegate.onReoffer?.(null);
    expect(dialog.delegate.onRefreshOffer?.()).toBeNull();
  });

  it('ends when its session timer finds nobody, and says why', async () => {
    const dialog = await layer.answered();
    dialog.delegate.onExpired?.('refresh_missing');
    expect(dialog.byeReason).toEqual({ protocol: 'Q.850', cause: 102, text: 'session was not refreshed' });
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ disposition: 'answered', endReason: 'session_expired', endedBy: 'system' });
    expect(layer.events.ofCall(CALL)).toContainEqual(
      expect.objectContaining({ type: 'note', note: 'session_refresh_missing' }),
    );
  });

  it('reports turns, and digits that come by INFO and by RFC 4733 once, whichever is first', async () => {
    const dialog = await layer.answered();
    dialog.delegate.onDtmf?.('1');
    layer.rtp.last.delegate.onDtmf?.('1', 100);
    layer.rtp.last.delegate.onDtmf?.('2', 100);
    dialog.delegate.onDtmf?.('2');
    dialog.delegate.onDtmf?.('2');
    expect(layer.agent.digits).toEqual(['1', '2', '2']);
    const turn = { speaker: 'caller', text: 'hi', startMs: 0, endMs: 1, interruptedAtMs: null } as const;
    layer.agent.delegate.onTurn(turn);
    layer.agent.delegate.onTurn(turn);
    const turns = layer.events.ofCall(CALL).flatMap((event) => (event.type === 'turn' ? [event.turn.index] : []));
    expect(turns).toEqual([0, 1]);
  });

  it('records a flood of SIP messages only so far', async () => {
    const dialog = await layer.answered();
    const message = {
      direction: 'in',
      method: 'INFO',
      status: null,
      reason: null,
      cseq: '1 INFO',
      transport: 'udp',
    } as const;
    for (let i = 0; i < 2000; i++) dialog.delegate.onMessage?.(message);
    dialog.peerBye();
    await settle();
    const events = layer.events.ofCall(CALL);
    expect(events.filter((event) => event.type === 'sip')).toHaveLength(500);
    expect(events.filter((event) => event.type === 'note')).toHaveLength(1);
    expect(ending().endReason).toBe('caller_hangup');
  });

  it('measures from INVITE to the first packet and puts turn latencies into the ending', async () => {
    const dialog = new FakeInboundDialog();
    layer.warmAtOnce = false;
    layer.receive(dialog);
    await layer.clock.advance(20);
    layer.agent.finishWarm();
    await layer.clock.advance(10);
    dialog.ack();
    layer.rtp.last.delegate.onFirstPacketSent?.(layer.clock.timeOriginMs + 35);
    for (const ms of [900, 700, 800]) layer.agent.delegate.onTurnLatency?.(ms);
    dialog.peerBye();
    await settle();
    const [ended] = layer.events.ended(CALL);
    expect(ended?.metrics.turnLatencyMs).toEqual({ p50: 800, p95: 900 });
    const timings = layer.events.ofCall(CALL).find((event) => event.type === 'timings');
    expect(timings).toMatchObject({ timings: { inviteToAnswerMs: 20, answerToAckMs: 10, answerToFirstPacketMs: 15 } });
  });

  it('hangs up a call whose workflow is gone', async () => {
    const dialog = await layer.answered();
    layer.control.workflowLost(CALL);
    dialog.answerBye();
    await settle();
    expect(ending()).toMatchObject({ endReason: 'workflow_lost' });
    expect(dialog.byeReason?.cause).toBe(41);
  });
});

const UNAVAILABLE: StartInboundResult = { ok: false, reason: 'unavailable' };
