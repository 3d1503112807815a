import fc from 'fast-check';
import { createCodec } from '../../../../media/codec/codec';
import type { Background } from '../../../../media/audio/background';
import { GraphBench } from '../../../fakes/media/rtp/graph-bench';
import type { Leg } from '../../../fakes/media/rtp/graph-bench';

/** What each peer says, and the agent to anybody: one level each, so that a sum tells its parts. */
const PEERS = [400, 900, 1900].map(throughCodec);
const AGENT = 6000;

type Command =
  | { readonly kind: 'connect'; readonly leg: number; readonly other: number }
  | { readonly kind: 'disconnect' | 'close'; readonly leg: number }
  | { readonly kind: 'background'; readonly leg: number; readonly source: Background | null }
  | { readonly kind: 'play'; readonly leg: number; readonly frames: number }
  | { readonly kind: 'run'; readonly rounds: number };

const leg = fc.integer({ min: 0, max: PEERS.length - 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant('connect' as const), leg, other: leg }).filter(({ leg: one, other }) => one !== other),
  fc.record({ kind: fc.constant('disconnect' as const), leg }),
  fc.record({ kind: fc.constant('background' as const), leg, source: fc.constantFrom('ringback', 'music', null) }),
  fc.record({ kind: fc.constant('play' as const), leg, frames: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('run' as const), rounds: fc.integer({ min: 1, max: 4 }) }),
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), leg }) },
);

function throughCodec(level: number): number {
  const codec = createCodec('PCMU');
  const payload = new Uint8Array(codec.frameBytes);
  const pcm = new Int16Array(codec.frameSamples).fill(level);
  codec.encode(pcm, payload, 0);
  codec.decode(payload, 0, codec.frameTicks, pcm, 0);
  return pcm[0]!;
}

/** The graph as it ought to be: who is connected to whom, what is open, what has a background. */
class Model {
  readonly partners: (number | null)[] = PEERS.map(() => null);
  readonly open = PEERS.map(() => true);
  readonly backgrounds: (Background | null)[] = PEERS.map(() => null);
  readonly bench = new GraphBench();
  readonly legs: readonly Leg[];

  constructor() {
    this.legs = PEERS.map((level) => {
      const one = this.bench.add();
      one.says = () => new Int16Array(160).fill(level);
      return one;
    });
    this.bench.run(20);
  }

  carryOut(step: Command): void {
    const { graph } = this.bench;
    if (step.kind === 'run') {
      for (let i = 0; i < step.rounds; i++) this.#round();
      return;
    }
    const id = step.leg + 1;
    switch (step.kind) {
      case 'connect':
        graph.connect(id, step.other + 1);
        if (this.partners[step.leg] === step.other) return;
        this.#part(step.leg);
        this.#part(step.other);
        if (!this.open[step.leg] || !this.open[step.other]) return;
        this.partners[step.leg] = step.other;
        this.partners[step.other] = step.leg;
        return;
      case 'disconnect':
        graph.disconnect(id);
        this.#part(step.leg);
        return;
      case 'background':
        graph.setBackground(id, step.source);
        this.backgrounds[step.leg] = step.source;
        return;
      case 'play':
        this.legs[step.leg]!.bench.session.sources.queue.play(1, new Int16Array(160 * step.frames).fill(AGENT), true);
        return;
      case 'close':
        if (!this.open[step.leg]) return;
        this.bench.close(this.legs[step.leg]!);
        this.open[step.leg] = false;
        this.#part(step.leg);
    }
  }

  #part(one: number): void {
    const other = this.partners[one];
    if (other == null) return;
    this.partners[one] = null;
    this.partners[other] = null;
  }

  #round(): void {
    this.legs.forEach((one, i) => {
      const before = one.bench.rtp.length;
      one.bench.sentPcm = null;
      one.tick(0);
      expect(one.bench.rtp.length - before).toBe(this.open[i] ? 1 : 0);
      if (this.open[i]) this.#check(i, one.bench.sentPcm!);
    });
  }

  #check(i: number, sent: Int16Array): void {
    const partner = this.partners[i];
    const level = sent[0]!;
    const constant = sent.every((sample) => sample === level);
    if (!constant) {
      // Only a background moves, and only where nobody else is to be heard.
      expect([partner, this.backgrounds[i]]).toEqual([null, expect.any(String)]);
      return;
    }
    const said = partner == null ? 0 : PEERS[partner]!;
    // The first frame of a connection may be still to come; a background has its pauses.
    const silent = partner == null ? [0] : [0, AGENT];
    expect([said, said + AGENT, ...silent]).toContain(level);
  }
}

it('no session sends what the peer of another says, but while they are connected', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (steps) => {
      const model = new Model();
      for (const step of steps) model.carryOut(step);
      model.carryOut({ kind: 'run', rounds: 6 });
    }),
    { numRuns: 150 },
  );
});
