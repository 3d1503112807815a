import fc from 'fast-check';
import type { StartInboundResult } from '../../../../contract/directory';
import { CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { FakeInboundDialog, PHONE_SDP, VIDEO_ONLY_SDP } from '../../../fakes/fake-sip';

type Step = (layer: CallLayer) => unknown;

const CALLS = { inbound: 'call-sip-1', outbound: 'call-out' } as const;

/** What may happen at any time on any side of either call. */
const COMMON: Readonly<Record<string, Step>> = {
  'time: 100 ms': (layer) => layer.clock.advance(100),
  'time: 3 s': (layer) => layer.clock.advance(3000),
  'time: 40 s': (layer) => layer.clock.advance(40_000),
  'agent: warm': (layer) => layer.agents.at(-1)?.finishWarm(),
  'agent: goodbye': (layer) => layer.agents.at(-1)?.delegate.onEnd('agent_goodbye'),
  'agent: silence': (layer) => layer.agents.at(-1)?.delegate.onEnd('silence'),
  'agent: turn': (layer) =>
    layer.agents.at(-1)?.delegate.onTurn({ speaker: 'agent', text: 'x', startMs: 0, endMs: 1, interruptedAtMs: null }),
  'rtp: timeout': (layer) => layer.rtp.sessions.at(-1)?.delegate.onMediaTimeout?.(),
  'rtp: fails': (layer) => layer.rtp.sessions.at(-1)?.delegate.onFailure?.(),
  'rtp: quiet': (layer) => layer.rtp.sessions.at(-1)?.delegate.onMediaQuiet?.(true),
  'rtp: deaf': (layer) => layer.rtp.sessions.at(-1)?.delegate.onDeaf?.(9),
  'rtp: digit': (layer) => layer.rtp.sessions.at(-1)?.delegate.onDtmf?.('5', 100),
  'rtp: stuck': (layer) => {
    for (const session of layer.rtp.sessions) session.stuck = true;
  },
  'workflow: lost': (layer) => {
    for (const id of Object.values(CALLS)) layer.control.workflowLost(id);
  },
  'workflow: tombstone': (layer) => {
    for (const id of Object.values(CALLS)) layer.control.tombstone(id);
  },
  'api: hangup': async (layer) => {
    for (const id of Object.values(CALLS)) await layer.hangup(id);
  },
  'node: stops': (layer) => layer.registry.hangUpAll('node_drained', 'system'),
};

/** Every dialog is over: the deadlines of the statistics (800 ms) and of the last message (300 ms), and no other. */
const ENDS_WITHIN_MS = 800;

const step = (steps: Readonly<Record<string, Step>>): fc.Arbitrary<string> => fc.constantFrom(...Object.keys(steps));

function checkOneEnding(layer: CallLayer, callId: string, existed: boolean): void {
  const events = layer.events.ofCall(callId);
  expect(layer.events.ended(callId)).toHaveLength(existed ? 1 : 0);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  if (existed) expect(events.at(-1)?.type).toBe('ended');
  expect(layer.registry.size).toBe(0);
  expect(layer.clock.armed).toBe(0);
  expect(layer.rtp.sessionCount).toBe(0);
  for (const agent of layer.agents) expect(agent.closed).toBe(1);
}

function checkNoTimerWithoutCall(layer: CallLayer): void {
  if (layer.registry.size === 0) expect(layer.clock.armed).toBe(0);
}

describe('whatever races, a call has one ending and leaves nothing', () => {
  it('inbound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step({ ...COMMON, ...inboundSteps(new FakeInboundDialog(), [() => undefined]) }), { maxLength: 14 }),
        fc.constantFrom('at once', 'later', 'refused'),
        fc.boolean(),
        fc.boolean(),
        async (steps, start, warmAtOnce, delayedOffer) => {
          const layer = new CallLayer();
          layer.warmAtOnce = warmAtOnce;
          const started: StartInboundResult = { ok: true, callId: CALLS.inbound, sessionId: 's' };
          const pending: ((result: StartInboundResult) => void)[] = [];
          if (start !== 'at once') layer.directory.start = () => new Promise((resolve) => pending.push(resolve));
          const dialog = new FakeInboundDialog(delayedOffer ? { offer: null } : {});
          const resolveStart = (): void =>
            pending.pop()?.(start === 'refused' ? { ok: false, reason: 'unavailable' } : started);
          const all: Record<string, Step> = { ...COMMON, ...inboundSteps(dialog, [resolveStart]) };
          layer.receive(dialog);
          for (const name of steps) {
            await all[name]!(layer);
            await settle();
            checkNoTimerWithoutCall(layer);
          }
          resolveStart();
          await settle();
          if (!dialog.over) dialog.peerBye();
          await layer.clock.advance(ENDS_WITHIN_MS);
          checkOneEnding(layer, CALLS.inbound, start !== 'refused');
          expect(dialog.over || dialog.sent.includes('487')).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('outbound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step({ ...COMMON, ...OUTBOUND }), { maxLength: 14 }),
        fc.boolean(),
        fc.boolean(),
        async (steps, warmAtOnce, slowRoute) => {
          const layer = new CallLayer();
          layer.warmAtOnce = warmAtOnce;
          let resolved: () => void = () => undefined;
          if (slowRoute) layer.endpoint.resolution = new Promise((resolve) => (resolved = resolve));
          const dialing = layer.dial();
          if (!slowRoute) await settle();
          const all: Record<string, Step> = { ...COMMON, ...OUTBOUND };
          for (const name of steps) {
            await all[name]!(layer);
            await settle();
            checkNoTimerWithoutCall(layer);
          }
          resolved();
          const result = await dialing;
          const dialog = layer.endpoint.dialogs.at(-1);
          expect(result.sent).toBe(dialog !== undefined);
          if (dialog && !dialog.over) dialog.refuse(487);
          await layer.clock.advance(ENDS_WITHIN_MS);
          checkOneEnding(layer, CALLS.outbound, 'nodeId' in result);
          if (dialog) expect(dialog.over).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function inboundSteps(dialog: FakeInboundDialog, resolveStart: readonly (() => void)[]): Record<string, Step> {
  const live = (act: () => void) => (): void => {
    if (!dialog.over) act();
  };
  return {
    'workflow: start answered': () => resolveStart.forEach((resolve) => resolve()),
    'peer: ACK': live(() => dialog.answers.length > 0 && dialog.ack(dialog.invite.offer === null ? PHONE_SDP : null)),
    'peer: ACK without answer': live(() => dialog.answers.length > 0 && dialog.ack(null)),
    'peer: CANCEL': live(() => dialog.answers.length === 0 && dialog.cancel()),
    'peer: BYE': live(() => dialog.peerBye()),
    'peer: hold': live(() => dialog.delegate.onReoffer?.(PHONE_SDP.replace('sendrecv', 'inactive'))),
    'peer: asks for an offer': live(() => dialog.delegate.onReoffer?.(null)),
    'peer: PRACK': live(() => dialog.earlyOffer !== null && dialog.prack(PHONE_SDP)),
    'sip: no PRACK': live(() => {
      if (dialog.answers.length > 0) return;
      dialog.over = true;
      dialog.delegate.onClosed?.('prack_timeout');
    }),
    'sip: session expired': live(() => dialog.answers.length > 0 && dialog.delegate.onExpired?.('refresh_timeout')),
    'peer: bad offer': live(() => dialog.delegate.onReoffer?.(VIDEO_ONLY_SDP)),
    'sip: BYE answered': () => dialog.sent.includes('BYE') && dialog.answerBye(),
    'sip: ACK timeout': live(() => {
      dialog.over = true;
      dialog.delegate.onClosed?.('ack_timeout');
    }),
  };
}

const OUTBOUND: Readonly<Record<string, Step>> = Object.fromEntries(
  Object.entries<(dialog: CallLayer['endpoint']['last']) => unknown>({
    'peer: 180': (dialog) => dialog.progress(180),
    'peer: 183': (dialog) => dialog.progress(183),
    'peer: 200': (dialog) => dialog.accept(),
    'peer: 200 without audio': (dialog) => dialog.accept(VIDEO_ONLY_SDP),
    'peer: 486': (dialog) => dialog.refuse(486),
    'peer: 487': (dialog) => dialog.refuse(487),
    'peer: BYE': (dialog) => dialog.peerBye(),
    'peer: hold': (dialog) => dialog.delegate.onReoffer?.(PHONE_SDP.replace('sendrecv', 'sendonly')),
    'sip: session expired': (dialog) => dialog.delegate.onExpired?.('refresh_missing'),
    'sip: transport lost': (dialog) => {
      dialog.over = true;
      dialog.delegate.onClosed?.('transport_error');
    },
    'sip: Timer B': (dialog) => {
      dialog.over = true;
      dialog.delegate.onReject?.({ kind: 'timeout', provisional: null });
      dialog.delegate.onClosed?.('normal');
    },
  }).map(([name, act]) => [
    name,
    (layer: CallLayer): void => {
      const dialog = layer.endpoint.dialogs.at(-1);
      if (dialog && !dialog.over) act(dialog);
    },
  ]),
);
