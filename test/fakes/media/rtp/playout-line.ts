/** A jitter buffer with its playout, whose packets come at given times; its frames are read every 20 ms. */
import { createCodec } from '../../../../media/codec/codec';
import { encodeG711 } from '../../../../media/codec/g711';
import type { Codec } from '../../../../media/codec/codec';
import { DelayEstimator } from '../../../../media/rtp/delay-estimator';
import { JitterBuffer } from '../../../../media/rtp/jitter-buffer';
import { Playout } from '../../../../media/rtp/playout';
import { sine } from '../../../support/tones';

export const FRAME = 160;
/** Of a tone whose amplitude is not told. */
const LOUD = 8000;

export interface Sent {
  readonly atMs: number;
  readonly timestamp: number;
  readonly pcm: Int16Array;
}

export interface Played {
  readonly frames: readonly Int16Array[];
  readonly received: readonly boolean[];
  readonly outcomes: ReadonlyMap<string, number>;
  /** Delay at each frame. */
  readonly delays: readonly number[];
  readonly pcm: Int16Array;
  /** Of all frames together, what was filled in for packets that were not there. */
  readonly filledMs: number;
}

/** `firstFrameMs`: of the frame clock, which has run before the first packet comes. */
export function simulate(arrivals: readonly Sent[], frames: number, firstFrameMs = 5): Played {
  const estimator = new DelayEstimator();
  const buffer = new JitterBuffer({ clockRateHz: 8000, frameTicks: FRAME, estimator });
  const codec = createCodec('PCMU');
  const codecOf = (): Codec => codec;
  let filled = 0;
  const conceal = codec.conceal.bind(codec);
  codec.conceal = (out, from, to) => {
    filled += to - from;
    conceal(out, from, to);
  };
  const playout = new Playout(buffer, codec);
  const outcomes = new Map<string, number>();
  const sorted = arrivals.toSorted((a, b) => a.atMs - b.atMs);
  const result: Int16Array[] = [];
  const received: boolean[] = [];
  const delays: number[] = [];
  let next = 0;
  playout.frame(new Int16Array(FRAME), codecOf, firstFrameMs - 20);
  for (let frame = 0; frame < frames; frame++) {
    const nowMs = firstFrameMs + frame * 20;
    for (; next < sorted.length && (sorted[next] as Sent).atMs <= nowMs; next++) {
      const { atMs, timestamp, pcm } = sorted[next] as Sent;
      const bytes = new Uint8Array(pcm.length);
      encodeG711('PCMU', pcm, 0, pcm.length, bytes);
      const outcome = buffer.insert(timestamp >>> 0, pcm.length, 0, bytes, 0, bytes.length, atMs);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    const out = new Int16Array(FRAME);
    received.push(playout.frame(out, codecOf, nowMs));
    result.push(out);
    delays.push(buffer.delayMs);
  }
  const pcm = new Int16Array(frames * FRAME);
  result.forEach((out, i) => pcm.set(out, i * FRAME));
  return { frames: result, received, outcomes, delays, pcm, filledMs: filled / 8 };
}

/** A 400 Hz tone in packets; `delay` and `amplitude` by index, a null delay loses the packet. */
export function toneStream(
  packets: number,
  options: {
    readonly delay?: (i: number) => number | null;
    readonly samples?: number;
    readonly firstTimestamp?: number;
    readonly periodMs?: number;
    readonly amplitude?: (i: number) => number;
  } = {},
): Sent[] {
  const { delay = () => 0, samples = FRAME, firstTimestamp = 1000, periodMs = samples / 8, amplitude } = options;
  const tone = sine(400, packets * samples);
  const sent: Sent[] = [];
  for (let i = 0; i < packets; i++) {
    const late = delay(i);
    if (late === null) continue;
    const level = (amplitude?.(i) ?? LOUD) / LOUD;
    const pcm = tone.subarray(i * samples, (i + 1) * samples).map((sample) => sample * level);
    sent.push({ atMs: i * periodMs + late, timestamp: firstTimestamp + i * samples, pcm });
  }
  return sent;
}

export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
