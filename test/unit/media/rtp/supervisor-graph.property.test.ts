import fc from 'fast-check';
import { createCodec } from '../../../../media/codec/codec';
import { SUPERVISE_MODES } from '../../../../contract/supervision';
import type { SuperviseMode } from '../../../../contract/supervision';
import { GraphBench } from '../../../fakes/media/rtp/graph-bench';
import type { Leg } from '../../../fakes/media/rtp/graph-bench';

/** What each peer says, and the agent to anybody: one level each, so that a sum tells its parts. */
const PEERS = [400, 900, 1900, 3900].map(throughCodec);
const AGENT = 8000;

type Command =
  | { readonly kind: 'connect'; readonly leg: number; readonly other: number }
  | { readonly kind: 'supervise'; readonly leg: number; readonly other: number; readonly mode: SuperviseMode }
  | { readonly kind: 'disconnect' | 'close'; readonly leg: number }
  | { readonly kind: 'play'; readonly leg: number; readonly frames: number }
  | { readonly kind: 'run'; readonly rounds: number };

const leg = fc.integer({ min: 0, max: PEERS.length - 1 });
const two = { leg, other: leg };
const command: fc.Arbitrary<Command> = fc
  .oneof(
    fc.record({ kind: fc.constant('connect' as const), ...two }),
    fc.record({ kind: fc.constant('supervise' as const), ...two, mode: fc.constantFrom(...SUPERVISE_MODES) }),
    fc.record({ kind: fc.constant('disconnect' as const), leg }),
    fc.record({ kind: fc.constant('play' as const), leg, frames: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('run' as const), rounds: fc.integer({ min: 1, max: 4 }) }),
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), leg }) },
  )
  .filter((step) => !('other' in step) || step.leg !== step.other);

function throughCodec(level: number): number {
  const codec = createCodec('PCMU');
  const payload = new Uint8Array(codec.frameBytes);
  const pcm = new Int16Array(codec.frameSamples).fill(level);
  codec.encode(pcm, payload, 0);
  codec.decode(payload, 0, codec.frameTicks, pcm, 0);
  return pcm[0]!;
}

interface Party {
  readonly leg: Leg;
  readonly says: number;
  open: boolean;
  partner: Party | null;
  /** Whom it supervises. */
  watches: { readonly party: Party; readonly mode: SuperviseMode } | null;
}

/** The graph as it ought to be. */
class Model {
  readonly bench = new GraphBench();
  readonly parties: readonly Party[];
  readonly #before = new Map<Party, readonly number[]>();

  constructor() {
    this.parties = PEERS.map((says) => {
      const one = this.bench.add();
      one.says = () => new Int16Array(160).fill(says);
      return { leg: one, says, open: true, partner: null, watches: null };
    });
    this.bench.run(20);
  }

  carryOut(step: Command): void {
    if (step.kind === 'run') {
      for (let i = 0; i < step.rounds; i++) this.#round();
      return;
    }
    const { graph } = this.bench;
    const one = this.parties[step.leg]!;
    const id = one.leg.mediaId;
    switch (step.kind) {
      case 'connect': {
        const other = this.parties[step.other]!;
        graph.connect(id, other.leg.mediaId);
        if (one.partner === other) return;
        for (const party of [one, other]) {
          this.#part(party);
          party.watches = null;
        }
        if (!one.open || !other.open) return;
        one.partner = other;
        other.partner = one;
        return;
      }
      case 'supervise': {
        const party = this.parties[step.other]!;
        graph.supervise(id, party.leg.mediaId, step.mode);
        if (!one.open) return;
        const again = one.watches?.party === party;
        one.watches = null;
        if (!party.open) return;
        if (!again) {
          this.#part(one);
          party.watches = null;
          for (const other of this.parties) {
            if (other.watches?.party === party || other.watches?.party === one) other.watches = null;
          }
        }
        one.watches = { party, mode: step.mode };
        return;
      }
      case 'disconnect':
        graph.disconnect(id);
        this.#part(one);
        return;
      case 'play':
        one.leg.bench.session.sources.queue.play(1, new Int16Array(160 * step.frames).fill(AGENT), true);
        return;
      case 'close':
        if (!one.open) return;
        this.bench.close(one.leg);
        one.open = false;
        one.watches = null;
        this.#part(one);
        for (const other of this.parties) if (other.watches?.party === one) other.watches = null;
    }
  }

  #part(one: Party): void {
    const { partner } = one;
    one.partner = null;
    if (partner !== null) partner.partner = null;
  }

  #round(): void {
    for (const party of this.parties) {
      const before = party.leg.bench.rtp.length;
      party.leg.tick(0);
      expect(party.leg.bench.rtp.length - before).toBe(party.open ? 1 : 0);
      if (!party.open) continue;
      const heard = party.leg.heard(before);
      expect(heard.every((sample) => sample === heard[0])).toBe(true);
      const mayHear = this.#mayHear(party);
      // A frame that was said before a change may still be on its way.
      expect([...mayHear, ...(this.#before.get(party) ?? [])]).toContain(heard[0]);
      this.#before.set(party, mayHear);
    }
  }

  /** All sums of what may be there: the agent has its pauses, and the first frame of a connection is still to come. */
  #mayHear(party: Party): number[] {
    const parts = [AGENT, ...(party.partner === null ? [] : [party.partner.says])];
    for (const { says, watches } of this.parties) {
      if (watches === null) continue;
      if (watches.party === party && watches.mode === 'barge') parts.push(says);
      if (watches.party === party.partner && watches.mode !== 'listen') parts.push(says);
    }
    const { watches } = party;
    if (watches !== null) {
      parts.push(watches.party.says, AGENT);
      if (watches.party.partner !== null) parts.push(watches.party.partner.says);
    }
    const sums = parts.reduce((all, part) => [...all, ...all.map((sum) => sum + part)], [0]);
    return sums.map(throughCodec);
  }
}

it('nobody hears whom they should not, whoever is connected to whom or supervises whom', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (steps) => {
      const model = new Model();
      for (const step of steps) {
        model.carryOut(step);
        model.carryOut({ kind: 'run', rounds: 1 });
      }
      model.carryOut({ kind: 'run', rounds: 6 });
    }),
    {
      numRuns: 80,
      examples: [
        // The supervisor's tap has a frame of who is connected to somebody else by then.
        [
          [
            { kind: 'supervise', leg: 0, other: 3, mode: 'listen' },
            { kind: 'connect', leg: 1, other: 3 },
            { kind: 'connect', leg: 1, other: 2 },
          ],
        ],
      ],
    },
  );
});
