/** What a peer may hear while nobody speaks to it. Made of sines here: no recording, nobody's work. */
import { GRAPH_RATE_HZ } from './frame';
import { holdMusic } from './hold-music';

export type Background = 'ringback' | 'music';

/** The ringing tone of most of Europe (ETSI TR 101 041-2; ITU-T E.180). */
const RINGBACK_HZ = 425;
const RINGBACK_ON_SECONDS = 1;
const RINGBACK_OFF_SECONDS = 4;
/** −15 dBov. */
const RINGBACK_AMPLITUDE = 5800;
/** Over which the tone comes and goes: no click. */
const RAMP_SECONDS = 0.01;

/** Made when the thread starts, so that no tick waits for them. */
const LOOPS: Readonly<Record<Background, Int16Array>> = { ringback: ringback(), music: holdMusic(GRAPH_RATE_HZ) };

/** From its beginning, over and over. */
export class BackgroundSound {
  readonly #loop: Int16Array;
  #at = 0;

  constructor(source: Background) {
    this.#loop = LOOPS[source];
  }

  frame(out: Int16Array): void {
    const loop = this.#loop;
    let at = this.#at;
    for (let i = 0; i < out.length; i++) {
      out[i] = loop[at++] as number;
      if (at === loop.length) at = 0;
    }
    this.#at = at;
  }
}

function ringback(): Int16Array {
  const tone = new Int16Array((RINGBACK_ON_SECONDS + RINGBACK_OFF_SECONDS) * GRAPH_RATE_HZ);
  const samples = RINGBACK_ON_SECONDS * GRAPH_RATE_HZ;
  for (let i = 0; i < samples; i++) {
    const gain = Math.min(1, Math.min(i, samples - i) / (RAMP_SECONDS * GRAPH_RATE_HZ));
    tone[i] = Math.round(RINGBACK_AMPLITUDE * gain * Math.sin((2 * Math.PI * RINGBACK_HZ * i) / GRAPH_RATE_HZ));
  }
  return tone;
}
