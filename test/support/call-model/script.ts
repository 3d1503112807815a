/**
 * What happens to one call, as fast-check makes it up: what the API tells it, what its phones do, and when. And what a call
 * may be told in each state, written down once more beside the product.
 */
import fc from 'fast-check';

export const TOLD = ['say', 'dtmf', 'hold', 'unhold', 'mute', 'unmute', 'instruct'] as const;
export type Told = (typeof TOLD)[number];

export type Raced = Told | 'transfer' | 'warm' | 'supervise';
export type Mode = 'listen' | 'whisper' | 'barge';

/** `comes`: what whoever is called does, when `decide` is its turn; `decline`, of one who is asked: by a key, when it is once more. */
export type Transfer = { readonly do: 'transfer' } & (
  | { readonly by: 'bridge' | 'refer'; readonly comes: 'answer' | 'busy' }
  /** `replaced`: what becomes of the REFER by which the two are left to their phone system. */
  | {
      readonly by: 'warm';
      readonly comes: 'answer' | 'busy' | 'decline';
      readonly replaced: 'done' | 'refused' | 'silent';
    }
);

export type Step =
  | { readonly do: 'tell'; readonly verb: Told }
  | Transfer
  | { readonly do: 'decide' }
  /** One of two supervisors; `comes`: what they do, where they are called. */
  | { readonly do: 'supervise'; readonly who: 0 | 1; readonly mode: Mode; readonly comes: 'answer' | 'busy' }
  | { readonly do: 'unsupervise' }
  | { readonly do: 'supervisor leaves' }
  | { readonly do: 'peer holds'; readonly held: boolean }
  | { readonly do: 'hang up'; readonly by: 'api' | 'caller' | 'callee' }
  /** The caller hangs up while the command is on its way. */
  | { readonly do: 'race'; readonly verb: Raced; readonly afterMs: number };

export interface TimedStep {
  readonly afterMs: number;
  readonly step: Step;
}

export type Script = readonly TimedStep[];

const told = fc.record({ do: fc.constant('tell' as const), verb: fc.constantFrom(...TOLD) });
const transfer = fc.record({
  do: fc.constant('transfer' as const),
  by: fc.constantFrom('bridge' as const, 'bridge' as const, 'refer' as const),
  comes: fc.constantFrom('answer' as const, 'busy' as const),
});
const warm = fc.record({
  do: fc.constant('transfer' as const),
  by: fc.constant('warm' as const),
  comes: fc.constantFrom('answer' as const, 'answer' as const, 'busy' as const, 'decline' as const),
  replaced: fc.constantFrom('done' as const, 'refused' as const, 'silent' as const),
});
const supervise = fc.record({
  do: fc.constant('supervise' as const),
  // Mostly the same one: another mode of whoever is there.
  who: fc.constantFrom(0 as const, 0 as const, 0 as const, 1 as const),
  mode: fc.constantFrom('listen' as const, 'whisper' as const, 'barge' as const),
  comes: fc.constantFrom('answer' as const, 'answer' as const, 'busy' as const),
});
const unsupervise = fc.record({ do: fc.constant('unsupervise' as const) });
const supervisorLeaves = fc.record({ do: fc.constant('supervisor leaves' as const) });
const decide = fc.record({ do: fc.constant('decide' as const) });
const peerHolds = fc.record({ do: fc.constant('peer holds' as const), held: fc.boolean() });
const hangUp = fc.record({
  do: fc.constant('hang up' as const),
  by: fc.constantFrom('api' as const, 'caller' as const, 'callee' as const),
});
const race = fc.record({
  do: fc.constant('race' as const),
  verb: fc.constantFrom(...TOLD, 'transfer' as const, 'warm' as const, 'supervise' as const),
  afterMs: fc.integer({ min: 0, max: 150 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: told },
  { weight: 2, arbitrary: transfer },
  { weight: 3, arbitrary: warm },
  { weight: 6, arbitrary: decide },
  { weight: 3, arbitrary: supervise },
  { weight: 1, arbitrary: unsupervise },
  { weight: 1, arbitrary: supervisorLeaves },
  { weight: 2, arbitrary: peerHolds },
  { weight: 1, arbitrary: hangUp },
  { weight: 1, arbitrary: race },
);

const timed = <S extends Step>(one: fc.Arbitrary<S>): fc.Arbitrary<TimedStep> =>
  fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), step: one });

/** Left to itself a script seldom comes to two who talk to each other: who is called, asked, and decides, with anything between. */
const consult: fc.Arbitrary<Script> = fc
  .tuple(timed(warm), anything(), timed(decide), anything(), timed(decide), anything())
  .map((parts) => parts.flat());

function anything(): fc.Arbitrary<Script> {
  return fc.array(timed(step), { maxLength: 1 });
}

const script: fc.Arbitrary<Script> = fc
  .array(
    fc.oneof({ weight: 5, arbitrary: timed(step).map((one): Script => [one]) }, { weight: 1, arbitrary: consult }),
    { minLength: 3, maxLength: 9 },
  )
  .map((parts) => parts.flat());

export function scripts(seed: number, count: number): Script[] {
  return fc.sample(script, { seed, numRuns: count });
}

/** With whom the caller is, and what is in the way of the agent. */
export interface ModelState {
  place: 'agent' | 'transferring' | 'transferred' | 'over';
  ourHold: boolean;
  theirHold: boolean;
  muted: boolean;
  /** Which of the two is there. */
  supervisor: 0 | 1 | null;
}

/** Null where it is legal; else the code of the 409. */
export function refusalOf(verb: Told | 'transfer', { place, ourHold, theirHold, muted }: ModelState): string | null {
  const held = ourHold || theirHold;
  if (place === 'over') return 'ended';
  // Keys are pressed for whoever is there.
  if (verb === 'dtmf') return held ? 'on_hold' : null;
  if (place === 'transferring') return place;
  // One of two who talk to each other may be held for the other.
  if (place === 'transferred') return verb === 'hold' || verb === 'unhold' ? null : place;
  if (verb === 'transfer') return held ? 'on_hold' : null;
  if (verb !== 'say') return null;
  if (held) return 'on_hold';
  return muted ? 'muted' : null;
}

/** As `refusalOf`. Whoever is there already is told another mode, in whatever place the caller is. */
export function supervisionRefusal(who: 0 | 1 | 'nobody', { place, supervisor }: ModelState): string | null {
  if (place === 'over') return 'ended';
  if (who === 'nobody') return supervisor === null ? 'not_supervised' : null;
  return supervisor === null || supervisor === who ? null : 'supervised';
}

/** Of the record, and of every 409. */
export function statusOf({ place, ourHold, theirHold }: ModelState): string {
  if (place === 'over') return 'completed';
  if (place === 'transferring') return 'transferring';
  return ourHold || theirHold ? 'held' : 'in_progress';
}
