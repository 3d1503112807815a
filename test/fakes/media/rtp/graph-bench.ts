import { createCodec } from '../../../../media/codec/codec';
import type { Codec } from '../../../../media/codec/codec';
import { RTP_FORMATS } from '../../../../media/codec/rtp-format';
import { MediaGraph } from '../../../../media/rtp/media-graph';
import type { RtpRemote } from '../../../../media/rtp/rtp-session';
import { sine } from '../../../support/tones';
import { Bench, REMOTE } from './session-bench';

/** A session of the graph and the peer at its other end, who says a tone and hears what comes. */
export class Leg {
  readonly bench = new Bench();
  readonly remote: RtpRemote;
  /** Of the frame `n` of the peer; null: it sends no packet. */
  says: (n: number) => Int16Array | null = () => null;
  readonly #codec: Codec;
  #frames = 0;

  constructor(
    readonly mediaId: number,
    change: Partial<RtpRemote> = {},
  ) {
    const codec = change.codec ?? REMOTE.codec;
    this.remote = { ...REMOTE, payloadType: RTP_FORMATS[codec].payloadType, ...change };
    this.#codec = createCodec(codec);
    this.bench.session.setRemote(this.remote, 0);
  }

  saysTone(frequencyHz: number | null, amplitude = 8000): void {
    const step = (2 * Math.PI * frequencyHz! * 160) / 8000;
    this.says = (n) => (frequencyHz === null ? null : sine(frequencyHz, 160, amplitude, n * step));
  }

  tick(skipped: number): void {
    this.speak();
    this.bench.run(1, undefined, skipped);
  }

  /** Its peer sends the next packet. */
  speak(): void {
    const pcm = this.says(this.#frames++);
    if (pcm !== null) {
      const payload = new Uint8Array(160);
      this.#codec.encode(pcm, payload, 0);
      this.bench.receive(payload, { payloadType: this.remote.payloadType });
    }
  }

  /** The peer's key as one event packet, its last. */
  press(event: number): void {
    const payloadType = this.remote.telephoneEventPayloadType ?? 101;
    this.bench.receive(Uint8Array.of(event, 0x8a, 3, 0x20), { payloadType, marker: true });
  }

  /** What came since packet `from`, as far as it is audio. */
  heard(from = 0): Int16Array {
    const audio = this.bench.sent.slice(from).filter(({ payloadType }) => payloadType === this.remote.payloadType);
    const pcm = new Int16Array(audio.length * 160);
    audio.forEach(({ payload }, i) => this.#codec.decode(payload, 0, 160, pcm.subarray(i * 160, (i + 1) * 160), 0));
    return pcm;
  }

  /** The keys that were pressed for the peer: one per timestamp. */
  get keys(): number[] {
    const events = this.bench.sent.filter(({ payloadType }) => payloadType === this.remote.telephoneEventPayloadType);
    return [...new Map(events.map(({ timestamp, payload }) => [timestamp, payload[0]!])).values()];
  }
}

/** Sessions of one pacer: each is served once in a round, in the order of the legs. */
export class GraphBench {
  readonly changes: string[] = [];
  readonly graph = new MediaGraph((change) => this.changes.push(change));
  readonly legs: Leg[] = [];

  add(change: Partial<RtpRemote> = {}): Leg {
    const leg = new Leg(this.legs.length + 1, change);
    this.legs.push(leg);
    this.graph.add(leg.mediaId, leg.bench.session, leg.bench.tap);
    return leg;
  }

  run(rounds: number, each: (round: number) => void = () => undefined): void {
    for (let round = 0; round < rounds; round++) {
      each(round);
      for (const leg of this.legs) leg.tick(0);
    }
  }

  /** All of them beside each other: a round in which all read before any sends. */
  runTogether(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const { bench } of this.legs) bench.session.read(bench.nowMs, 0);
      for (const { bench } of this.legs) bench.session.send(bench.nowMs);
      for (const { bench } of this.legs) bench.nowMs += 20;
    }
  }

  /** As the host does it. */
  close(leg: Leg): void {
    leg.bench.session.close(leg.bench.nowMs);
    this.graph.remove(leg.mediaId);
  }
}
