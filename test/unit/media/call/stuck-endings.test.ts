/** Something throws, or never answers, between two states of a call: the node does not keep the call for it. */
import { CallLayer, DIAL } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { FakeInboundDialog } from '../../../fakes/fake-sip';
import type { FakeOutboundDialog } from '../../../fakes/fake-sip';

const INBOUND = 'call-sip-1';
/** Longer than an ending may take. */
const LONG_MS = 15_000;

const fault = (): never => {
  throw new Error('a fault on the way to the end');
};

describe('a call whose ending meets a fault', () => {
  let layer: CallLayer;

  beforeEach(() => {
    layer = new CallLayer({ maxCalls: 1 });
  });

  /** The node has room again, and a drain ends. */
  async function expectGone(): Promise<void> {
    await layer.clock.advance(LONG_MS);
    expect(layer.registry.size).toBe(0);
    expect(layer.control.listCalls()).toEqual([]);
    expect(layer.registry.hasRoom).toBe(true);
    expect(layer.clock.armed).toBe(0);
    await layer.registry.drain();
  }

  const INBOUND_FAULTS: Readonly<Record<string, (dialog: FakeInboundDialog) => void>> = {
    'BYE throws': (dialog) => (dialog.bye = fault),
    'the RTP session cannot be silenced': () => (layer.rtp.last.setRemote = fault),
    'the agent throws at its last words': () => (layer.agent.finish = fault),
    'the agent cannot be closed': () => (layer.agent.close = fault),
    'the RTP session cannot be closed': () => (layer.rtp.last.close = fault),
    'no statistics ever come': () => (layer.rtp.last.stuck = true),
  };

  it.each(Object.entries(INBOUND_FAULTS))('inbound, answered: %s', async (_, arm) => {
    const dialog = await layer.answered();
    arm(dialog);
    expect(await layer.hangup(INBOUND)).toEqual({ ok: true });
    await expectGone();
    expect(layer.events.ended(INBOUND)).toMatchObject([
      { ending: { disposition: 'answered', endReason: 'api_hangup', endedBy: 'api' } },
    ]);
  });

  it('inbound, ringing: the refusal throws', async () => {
    layer.warmAtOnce = false;
    const dialog = layer.receive();
    await settle();
    dialog.reject = fault;
    await layer.hangup(INBOUND);
    await expectGone();
    expect(layer.events.ended(INBOUND)).toMatchObject([{ ending: { disposition: 'canceled' } }]);
  });

  it('inbound, before it was a call: the refusal throws', async () => {
    const dialog = new FakeInboundDialog();
    dialog.reject = fault;
    layer.directory.routeInbound = () => ({ ok: false, status: 404, steps: [] });
    layer.receive(dialog);
    await expectGone();
    expect(layer.events.all).toEqual([]);
  });

  it('inbound: the refusal throws while its workflow is being started, which is known late', async () => {
    const dialog = new FakeInboundDialog();
    dialog.reject = fault;
    let started = (): void => undefined;
    layer.directory.startInbound = () =>
      new Promise((resolve) => (started = () => resolve({ ok: true, callId: INBOUND, sessionId: 's' })));
    layer.receive(dialog);
    await layer.clock.advance(LONG_MS);
    started();
    await expectGone();
    expect(layer.events.ended(INBOUND)).toMatchObject([{ ending: { endReason: 'setup_abandoned' } }]);
  });

  it.each(['timings', 'ended'])('the event %s cannot be reported', async (type) => {
    const dialog = await layer.answered();
    const report = layer.events.report.bind(layer.events);
    layer.events.report = (event) => (event.type === type ? fault() : report(event));
    dialog.peerBye();
    await expectGone();
  });

  it('outbound, ringing: CANCEL throws', async () => {
    await layer.dial();
    const dialog = layer.endpoint.last as FakeOutboundDialog;
    dialog.progress(180);
    dialog.cancel = fault;
    await layer.hangup(DIAL.callId);
    await expectGone();
    expect(layer.events.ended(DIAL.callId)).toMatchObject([{ ending: { disposition: 'canceled' } }]);
  });

  it('outbound, answered: BYE throws', async () => {
    await layer.dial();
    const dialog = layer.endpoint.last as FakeOutboundDialog;
    dialog.accept();
    dialog.bye = fault;
    await layer.hangup(DIAL.callId);
    await expectGone();
    expect(layer.events.ended(DIAL.callId)).toMatchObject([
      { ending: { disposition: 'answered', endReason: 'api_hangup' } },
    ]);
  });

  it('outbound: there is no agent for it', async () => {
    layer.agentFault = fault;
    await layer.dial();
    await expectGone();
    expect(layer.events.ended(DIAL.callId)).toMatchObject([{ ending: { endReason: 'error', endedBy: 'system' } }]);
  });
});
