/**
 * What happens to one call, as fast-check makes it up: what the API tells it, what its phones do, and when. And what a call
 * may be told in each state, written down once more beside the product.
 */
import fc from 'fast-check';

export const TOLD = ['say', 'dtmf', 'hold', 'unhold', 'mute', 'unmute', 'instruct'] as const;
export type Told = (typeof TOLD)[number];

export type Step =
  | { readonly do: 'tell'; readonly verb: Told }
  /** `comes`: what whoever is called does, when `decide` is its turn. */
  | { readonly do: 'transfer'; readonly by: 'bridge' | 'refer'; readonly comes: 'answer' | 'busy' }
  | { readonly do: 'decide' }
  | { readonly do: 'peer holds'; readonly held: boolean }
  | { readonly do: 'hang up'; readonly by: 'api' | 'caller' | 'callee' }
  /** The caller hangs up while the command is on its way. */
  | { readonly do: 'race'; readonly verb: Told | 'transfer'; readonly afterMs: number };

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
const decide = fc.record({ do: fc.constant('decide' as const) });
const peerHolds = fc.record({ do: fc.constant('peer holds' as const), held: fc.boolean() });
const hangUp = fc.record({
  do: fc.constant('hang up' as const),
  by: fc.constantFrom('api' as const, 'caller' as const, 'callee' as const),
});
const race = fc.record({
  do: fc.constant('race' as const),
  verb: fc.constantFrom(...TOLD, 'transfer' as const),
  afterMs: fc.integer({ min: 0, max: 150 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: told },
  { weight: 4, arbitrary: transfer },
  { weight: 4, arbitrary: decide },
  { weight: 2, arbitrary: peerHolds },
  { weight: 1, arbitrary: hangUp },
  { weight: 1, arbitrary: race },
);

const script: fc.Arbitrary<Script> = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), step }), {
  minLength: 3,
  maxLength: 9,
});

export function scripts(seed: number, count: number): Script[] {
  return fc.sample(script, { seed, numRuns: count });
}

/** With whom the caller is, and what is in the way of the agent. */
export interface ModelState {
  place: 'agent' | 'transferring' | 'transferred' | 'over';
  ourHold: boolean;
  theirHold: boolean;
  muted: boolean;
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

/** Of the record, and of every 409. */
export function statusOf({ place, ourHold, theirHold }: ModelState): string {
  if (place === 'over') return 'completed';
  if (place === 'transferring') return 'transferring';
  return ourHold || theirHold ? 'held' : 'in_progress';
}
