import fc from 'fast-check';
import pino from 'pino';
import type { CallEnding } from '../../../../contract/endings';
import { CallLifecycle } from '../../../../media/call/call-lifecycle';
import type { RtpStats } from '../../../../media/rtp/rtp-session';
import { FakeClock, settle } from '../../../fakes/fake-clock';
import { NO_OBSERVER } from '../../../fakes/no-observer';
import { RecordingEvents } from '../../../fakes/recording-events';

const CALL = 'call-1';
const STATS: RtpStats = {
  packetsSent: 1,
  packetsReceived: 1,
  packetsLost: 0,
  packetsLate: 0,
  packetsForeign: 0,
  jitterMs: 0,
  roundTripMs: null,
  remoteLossPct: null,
  mos: 4,
  framesHeard: 0,
  maxSendGapMs: 20,
};
/** The longest that a call may wait once its ending is known: for statistics and for the last message. */
const SETTLED_WITHIN_MS = 800;

/** One lifecycle, and what must come of it by the rules written down here once more. */
class Subject {
  readonly clock = new FakeClock();
  readonly events = new RecordingEvents();
  readonly #answerStats: ((stats: RtpStats | null) => void)[] = [];
  readonly lifecycle: CallLifecycle;
  #sawLastMessage = false;
  hungUp = 0;
  closedMedia = 0;
  ended = 0;
  armedAtEnd: number | null = null;
  /** The first ending that was told while the call was ending. */
  expected: CallEnding | null = null;

  constructor() {
    this.lifecycle = new CallLifecycle({
      direction: 'outbound',
      sipCallId: 'call@test',
      clock: this.clock,
      events: this.events,
      observer: NO_OBSERVER,
      logger: pino({ level: 'silent' }),
      closeMedia: () => {
        this.closedMedia++;
        return new Promise((resolve) => this.#answerStats.push(resolve));
      },
      figures: () => ({ turnLatencyMs: null, openingSilenceMs: null }),
      onEnded: () => {
        this.ended++;
        this.armedAtEnd = this.clock.armed;
      },
    });
  }

  settle(ending: CallEnding): void {
    if (this.lifecycle.state === 'ending') this.expected ??= ending;
    this.lifecycle.settle(ending);
  }

  /** What an ending call may still wait for: its end at all, its statistics, and how it ended or the last message. */
  get awaited(): number {
    return 1 + this.#answerStats.length + (this.expected === null || !this.#sawLastMessage ? 1 : 0);
  }

  sawLastMessage(): void {
    this.#sawLastMessage ||= this.lifecycle.state === 'ending';
    this.lifecycle.sawLastMessage();
  }

  stats(stats: RtpStats | null): void {
    for (const answer of this.#answerStats.splice(0)) answer(stats);
  }
}

const ENDINGS: readonly CallEnding[] = (['api_hangup', 'callee_hangup', 'silence', 'error'] as const).map(
  (endReason, n) => ({
    disposition: n % 2 === 0 ? 'answered' : 'failed',
    endReason,
    endedBy: 'system',
    sip: { sipCallId: 'sip', finalStatus: 200 + n, reason: null, q850: null },
  }),
);

const STEPS: Readonly<Record<string, (subject: Subject) => unknown>> = {
  identify: ({ lifecycle }) => lifecycle.callId === null && lifecycle.identify(CALL, 'org-1'),
  ringing: ({ lifecycle }) => {
    if (lifecycle.state !== 'setup') return;
    lifecycle.enter('ringing');
    lifecycle.timers.arm('ring', 30_000, () => undefined);
  },
  answered: ({ lifecycle }) => {
    if (lifecycle.state !== 'setup' && lifecycle.state !== 'ringing') return;
    lifecycle.enter('answered');
    lifecycle.timers.arm('max_duration', 600_000, () => undefined);
  },
  end: (subject) => subject.lifecycle.end(() => subject.hungUp++),
  'end by CANCEL': (subject) => {
    const { lifecycle } = subject;
    if (lifecycle.end(() => subject.hungUp++)) lifecycle.timers.arm('cancel', 5_000, () => subject.settle(ENDINGS[3]!));
  },
  'settle with one ending': (subject) => subject.settle(ENDINGS[0]!),
  'settle with another': (subject) => subject.settle(ENDINGS[1]!),
  'settle with a third': (subject) => subject.settle(ENDINGS[2]!),
  'last message': (subject) => subject.sawLastMessage(),
  statistics: (subject) => subject.stats(STATS),
  'no statistics': (subject) => subject.stats(null),
  '100 ms': ({ clock }) => clock.advance(100),
  '400 ms': ({ clock }) => clock.advance(400),
};

function check(subject: Subject): void {
  const { lifecycle, clock, events, expected } = subject;
  const ended = events.ended(CALL);
  expect(ended).toHaveLength(lifecycle.state === 'ended' ? 1 : 0);
  expect(subject.ended).toBe(ended.length);
  expect(subject.hungUp).toBe(lifecycle.isLive ? 0 : 1);
  expect(subject.closedMedia).toBe(subject.hungUp);
  if (lifecycle.state !== 'ended') return;
  expect(ended[0]!.ending).toEqual(expected);
  expect(events.all.at(-1)).toBe(ended[0]);
  expect([subject.armedAtEnd, clock.armed]).toEqual([0, 0]);
}

describe('the lifecycle of a call, whatever is told in whatever order', () => {
  it('has the first ending that was told, once, as its last event, and no timer after it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(STEPS)), { maxLength: 16 }), async (steps) => {
        const subject = new Subject();
        for (const name of steps) {
          await STEPS[name]!(subject);
          await settle();
          check(subject);
          if (!subject.lifecycle.isLive) expect(subject.clock.armed).toBeLessThanOrEqual(subject.awaited);
        }
        STEPS['end']!(subject);
        STEPS['identify']!(subject);
        subject.settle(ENDINGS[0]!);
        await subject.clock.advance(SETTLED_WITHIN_MS);
        expect(subject.lifecycle.state).toBe('ended');
        check(subject);
      }),
      { numRuns: 500 },
    );
  });

  it('disarms the timers of a live call at the moment it ends', async () => {
    const subject = new Subject();
    STEPS['ringing']!(subject);
    STEPS['answered']!(subject);
    expect(subject.clock.armed).toBe(1);
    STEPS['end']!(subject);
    // The deadlines of the statistics and of the ending, and of nothing else.
    expect(subject.clock.armed).toBe(2);
    await subject.clock.advance(SETTLED_WITHIN_MS);
    expect(subject.clock.armed).toBe(1);
    STEPS['settle with one ending']!(subject);
    STEPS['identify']!(subject);
    await subject.clock.advance(SETTLED_WITHIN_MS);
    expect(subject.clock.armed).toBe(0);
  });

  it('ends as an error when nobody says how it ended', async () => {
    const subject = new Subject();
    STEPS['identify']!(subject);
    STEPS['answered']!(subject);
    STEPS['end']!(subject);
    await subject.clock.advance(10_000);
    expect(subject.events.ended(CALL)).toMatchObject([
      { ending: { disposition: 'answered', endReason: 'error', endedBy: 'system' } },
    ]);
    expect([subject.lifecycle.state, subject.ended, subject.clock.armed]).toEqual(['ended', 1, 0]);
  });

  it('does not wait for the answer to a CANCEL once it is settled', async () => {
    const subject = new Subject();
    STEPS['identify']!(subject);
    STEPS['end by CANCEL']!(subject);
    subject.settle(ENDINGS[1]!);
    subject.stats(STATS);
    subject.lifecycle.sawLastMessage();
    await settle();
    expect(subject.lifecycle.state).toBe('ended');
    expect(subject.clock.armed).toBe(0);
    await subject.clock.advance(10_000);
    check(subject);
  });
});
