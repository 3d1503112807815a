import fc from 'fast-check';
import type { CallEnding, CallMetrics } from '../../../../contract/endings';
import { CallProgress } from '../../../../workflows/call/call-progress';
import type { InboundCallInput, OutboundCallInput } from '../../../../workflows/call/input';
import type { CallStateSignal } from '../../../../workflows/call/messages';

const BASE = {
  callId: 'call',
  orgId: 'org',
  agentId: 'agent',
  trunkId: 'trunk',
  sessionId: 'session',
  sealed: 'sealed',
  createdAtMs: 1_000,
  maxDurationSeconds: 60,
};
const INBOUND: InboundCallInput = {
  ...BASE,
  direction: 'inbound',
  nodeId: 'n1',
  bootId: 'b1',
  sipCallId: 'sip',
  routingRule: 'fallback',
};
const OUTBOUND: OutboundCallInput = {
  ...BASE,
  direction: 'outbound',
  acceptByMs: 6_000,
  dialByMs: 31_000,
  ringTimeoutSeconds: 45,
};
const METRICS: CallMetrics = {
  postDialDelayMs: null,
  mos: null,
  packetLossPct: null,
  jitterMs: null,
  turnLatencyMs: null,
};
const ENDING: CallEnding = { disposition: 'answered', endReason: 'caller_hangup', endedBy: 'caller', sip: null };

const answered = (seq: number, bootId = 'b1', atMs = 2_000): CallStateSignal => ({
  type: 'answered',
  seq,
  atMs,
  nodeId: 'n1',
  bootId,
  sipCallId: 'sip',
  postDialDelayMs: null,
});
const ended = (seq: number, ending: CallEnding = ENDING, bootId = 'b1'): CallStateSignal => ({
  type: 'ended',
  seq,
  atMs: 3_000,
  nodeId: 'n1',
  bootId,
  ending,
  metrics: METRICS,
});

describe('state events', () => {
  test('an inbound call rings, is answered and ends', () => {
    const call = new CallProgress(INBOUND);
    expect(call.status).toBe('ringing');
    expect(call.stateEvent(answered(3))).toBe('answered');
    expect(call.state).toMatchObject({ status: 'in_progress', answeredAtMs: 2_000 });
    expect(call.stateEvent(ended(7))).toBe('ended');
    expect(call).toMatchObject({ status: 'completed', lastSeq: 7, endedAtMs: 3_000, truncated: false });
  });

  test('a repeated, an older and a foreign event change nothing', () => {
    const call = new CallProgress(INBOUND);
    call.stateEvent(answered(3));
    expect(call.stateEvent(answered(3, 'b1', 9_000))).toBe('ignored');
    expect(call.stateEvent(ended(2))).toBe('ignored');
    expect(call.stateEvent(ended(8, ENDING, 'b2'))).toBe('ignored');
    expect(call.answeredAtMs).toBe(2_000);
    expect(call.status).toBe('in_progress');
  });

  test('an event that is faster than the dial names the node', () => {
    const call = new CallProgress(OUTBOUND);
    expect(call.stateEvent(answered(2))).toBe('ignored');
    call.dialing();
    expect(call.stateEvent(answered(2))).toBe('answered');
    expect(call.node).toEqual({ nodeId: 'n1', bootId: 'b1', sipCallId: 'sip' });
  });

  test('after an adopted answer the event gives the exact time', () => {
    const call = new CallProgress(INBOUND);
    expect(call.adoptAnswer(12_000)).toBe(true);
    expect(call.adoptAnswer(13_000)).toBe(false);
    expect(call.stateEvent(answered(3))).toBe('answered');
    expect(call.answeredAtMs).toBe(2_000);
  });
});

describe('loss of the node', () => {
  test.each([
    [true, 'answered'],
    [false, 'failed'],
  ] as const)('answered %s: the disposition is %s and records are not waited for', (wasAnswered, disposition) => {
    const call = new CallProgress(INBOUND);
    if (wasAnswered) call.stateEvent(answered(3));
    expect(call.nodeLost('b1', 5_000)).toBe(true);
    expect(call.ending).toMatchObject({ disposition, endReason: 'media_node_lost', endedBy: 'system' });
    expect(call.truncated).toBe(true);
  });

  test('an answer that only the records know of makes an answered call of it', () => {
    const call = new CallProgress(INBOUND);
    expect(call.nodeLost('b1', 5_000, 3_000)).toBe(true);
    expect(call.ending).toMatchObject({ disposition: 'answered', endReason: 'media_node_lost' });
    expect(call.answeredAtMs).toBe(3_000);
  });

  test('the answer that was signalled stands', () => {
    const call = new CallProgress(INBOUND);
    call.stateEvent(answered(3));
    const atMs = call.answeredAtMs;
    call.nodeLost('b1', 5_000, 1);
    expect(call.answeredAtMs).toBe(atMs);
  });

  test('a call of another boot ignores it', () => {
    const call = new CallProgress(INBOUND);
    expect(call.nodeLost('b0', 5_000)).toBe(false);
    expect(call.ended).toBe(false);
  });

  test('a dial that returns from a boot known to be lost ends at once', () => {
    const call = new CallProgress(OUTBOUND);
    call.dialing();
    call.nodeLost('b1', 4_000);
    call.placedOn({ nodeId: 'n1', bootId: 'b1', sipCallId: 'sip' }, 5_000);
    expect(call.ending?.endReason).toBe('media_node_lost');
  });
});

describe('endings', () => {
  test('the first one wins', () => {
    const call = new CallProgress(INBOUND);
    expect(call.end({ ...ENDING, disposition: 'canceled' }, 2_000)).toBe(true);
    expect(call.end(ENDING, 3_000)).toBe(false);
    expect(call.stateEvent(ended(9))).toBe('ignored');
    expect(call.ending?.disposition).toBe('canceled');
  });

  test('an answered call keeps its disposition, whatever stopped it', () => {
    const call = new CallProgress(INBOUND);
    call.stateEvent(answered(3));
    call.end({ disposition: 'failed', endReason: 'error', endedBy: 'system', sip: null }, 9_000);
    expect(call.ending).toMatchObject({ disposition: 'answered', endReason: 'error' });
  });

  test('an undialled attempt returns the call to the queue, a placed one does not', () => {
    const call = new CallProgress(OUTBOUND);
    call.dialing();
    call.requeued();
    expect(call.status).toBe('queued');
    call.dialing();
    call.placedOn({ nodeId: 'n1', bootId: 'b1', sipCallId: null }, 2_000);
    call.requeued();
    expect(call.status).toBe('dialing');
  });

  test('whatever arrives in whatever order: at most one ending, and none before the last word is lost', () => {
    const signal = fc.oneof(
      fc.record({ kind: fc.constant('answered' as const), seq: fc.nat(10), boot: fc.constantFrom('b1', 'b2') }),
      fc.record({ kind: fc.constant('ended' as const), seq: fc.nat(10), boot: fc.constantFrom('b1', 'b2') }),
      fc.record({ kind: fc.constant('lost' as const), seq: fc.nat(10), boot: fc.constantFrom('b1', 'b2') }),
    );
    fc.assert(
      fc.property(fc.array(signal, { maxLength: 30 }), fc.boolean(), (signals, inbound) => {
        const call = new CallProgress(inbound ? INBOUND : OUTBOUND);
        if (!inbound) call.dialing();
        let endings = 0;
        let lastSeq = 0;
        for (const { kind, seq, boot } of signals) {
          const before = call.ended;
          if (kind === 'lost') call.nodeLost(boot, 9_000);
          else call.stateEvent(kind === 'answered' ? answered(seq, boot) : ended(seq, ENDING, boot));
          if (!before && call.ended) endings++;
          expect(call.lastSeq).toBeGreaterThanOrEqual(lastSeq);
          lastSeq = call.lastSeq;
        }
        expect(endings).toBe(call.ended ? 1 : 0);
        expect(call.status === 'completed').toBe(call.ended);
      }),
    );
  });
});
