import fc from 'fast-check';

import { systemClock } from '../../../../media/clock';
import { sdpOf } from '../../../../media/sip/message/body';
import { SessionRefresh } from '../../../../media/sip/session-refresh';
import { FakeLink, ON_TIME } from '../../../fakes/media/sip/fake-link';
import { seededRandom } from '../../../support/seeded-random';

import type { ReofferOutcome } from '../../../../media/sip/dialog';
import type { SipRequest } from '../../../../media/sip/message/message';
import type { CoreEvents } from '../../../../media/sip/core-events';
import type { Fate, LinkEnd } from '../../../fakes/media/sip/fake-link';

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** One end of a call that offers at any time; it notes what was agreed, and whether two exchanges are open at once. */
class Offering {
  /** Offer and answer of each exchange, in the order in which they were agreed. */
  readonly agreed: string[] = [];
  readonly outcomes: ReofferOutcome[] = [];
  readonly overlaps: string[] = [];
  readonly failures: string[] = [];
  readonly #name: string;
  #refresh!: SessionRefresh;
  #offers = 0;
  /** CSeq of the INVITE without final answer, or ACK of it, that this end sent, and that it got. */
  #open: { readonly side: 'ours' | 'theirs'; readonly cseq: string } | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  readonly events: Partial<CoreEvents> = {
    onRefresh: (request: SipRequest) => {
      const answer = `v=0 ${this.#name} answers`;
      this.agreed.push(`${sdpOf(request)} | ${answer}`);
      return { status: 200, sdp: answer };
    },
  };

  watch(end: LinkEnd, ownsCallId: boolean): void {
    this.#refresh = new SessionRefresh({
      clock: systemClock,
      policy: { intervalSeconds: 1_800, minimumSeconds: 90 },
      ownsCallId,
      request: (request, done) => end.core.request(request, done),
      offer: () => null,
      onAnswer: () => undefined,
      onFailed: (why) => this.failures.push(why),
    });
  }

  async reoffer(): Promise<void> {
    const offer = `v=0 ${this.#name} offers ${++this.#offers}`;
    const outcome = await this.#refresh.reoffer(() => offer);
    if (outcome.ok) this.agreed.push(`${offer} | ${outcome.sdp}`);
    this.outcomes.push(outcome);
  }

  get offered(): number {
    return this.#offers;
  }

  /** Of every message that leaves or comes in. */
  saw(text: string, direction: 'out' | 'in'): void {
    const [, cseq = '', method = ''] = /\r\nCSeq: (\d+) (\S+)/.exec(text) ?? [];
    const status = Number(/^SIP\/2\.0 (\d+)/.exec(text)?.[1] ?? 0);
    const open = this.#open;
    if (direction === 'out' && text.startsWith('INVITE') && !(open?.side === 'ours' && open.cseq === cseq)) {
      if (open !== null) this.overlaps.push(`sends INVITE ${cseq} while ${open.side} ${open.cseq} is open`);
      this.#open = { side: 'ours', cseq };
    } else if (direction === 'in' && method === 'INVITE' && status >= 200 && open?.side === 'ours') {
      if (open.cseq === cseq) this.#open = null;
    } else if (direction === 'out' && method === 'INVITE' && status >= 200 && status < 300 && !this.#taken.has(cseq)) {
      this.#taken.add(cseq);
      if (open !== null) this.overlaps.push(`answers INVITE ${cseq} while ${open.side} ${open.cseq} is open`);
      this.#open = { side: 'theirs', cseq };
    } else if (direction === 'in' && text.startsWith('ACK') && open?.side === 'theirs' && open.cseq === cseq) {
      this.#open = null;
    }
  }
  readonly #taken = new Set<string>();

  stop(): void {
    this.#refresh.stop();
  }
}

/** A call that stands, with both ends watched from its first re-INVITE on. */
async function callOf(fate: (index: number) => Fate, offerings: readonly [Offering, Offering]): Promise<FakeLink> {
  const [ours, theirs] = offerings;
  let established = false;
  let index = 0;
  const link = new FakeLink(() => (established ? fate(index++) : ON_TIME), {
    caller: ours.events,
    callee: theirs.events,
  });
  ours.watch(link.caller, true);
  theirs.watch(link.callee, false);
  link.invite();
  await pass(5);
  link.callee.core.accept('v=0\r\n');
  await pass(5);
  established = true;
  const ends = new Map<LinkEnd, Offering>([
    [link.caller, ours],
    [link.callee, theirs],
  ]);
  const carry = link.carry.bind(link);
  link.carry = (from, text) => {
    ends.get(from)!.saw(text, 'out');
    carry(from, text);
  };
  for (const [end, offering] of ends) {
    const receive = end.receive.bind(end);
    end.receive = (text) => {
      offering.saw(text, 'in');
      receive(text);
    };
  }
  return link;
}

const instants = fc.array(fc.integer({ min: 0, max: 6_000 }), { minLength: 1, maxLength: 4 });
const seed = fc.integer();
const fate = fc.array(fc.integer({ min: 1, max: 1_500 }), { maxLength: 3 }).map((arrivals): Fate => ({ arrivals }));

/** Both offer at their instants; gives the ends when every promise is settled and both have hung up. */
async function bothOffer(
  at: readonly (readonly number[])[],
  random: number,
  fateOf: (index: number) => Fate,
): Promise<[Offering, Offering]> {
  jest.spyOn(Math, 'random').mockImplementation(seededRandom(random));
  const ends: [Offering, Offering] = [new Offering('caller'), new Offering('callee')];
  const link = await callOf(fateOf, ends);
  for (const [i, times] of at.entries()) for (const ms of times) setTimeout(() => void ends[i]!.reoffer(), ms);
  // Eight offers, each of which meets six others at the worst, and the repetitions of what is lost.
  await pass(600_000);
  for (const end of ends) expect([end.outcomes.length, end.overlaps]).toEqual([end.offered, []]);
  for (const end of ends) end.stop();
  link.caller.core.bye([], () => undefined);
  await pass(70_000);
  expect([link.caller.idle, link.callee.idle]).toEqual([true, true]);
  return ends;
}

describe('two ends that both offer at any time', () => {
  it('come to the same agreement, one exchange at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(instants, instants), seed, async (at, random) => {
        const [ours, theirs] = await bothOffer(at, random, () => ON_TIME);
        expect([...ours.outcomes, ...theirs.outcomes].every(({ ok }) => ok)).toBe(true);
        expect(ours.agreed).toEqual(theirs.agreed);
        expect(ours.agreed).toHaveLength(at.flat().length);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('come to the same agreement over a wire that loses, doubles, delays and reorders', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(instants, instants),
        seed,
        fc.array(fate, { maxLength: 12 }),
        async (at, random, fates) => {
          const [ours, theirs] = await bothOffer(at, random, (index) => fates[index] ?? ON_TIME);
          expect([ours.failures, theirs.failures]).toEqual([[], []]);
          expect(ours.agreed).toEqual(theirs.agreed);
          expect(ours.agreed.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);
});
