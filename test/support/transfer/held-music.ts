/** Whether what was heard is the music that a caller hears who waits. */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { holdMusic } from '../../../media/audio/hold-music';

/** Samples of a piece of music that is looked for, and of those that are compared at first. */
const WINDOW = 1_600;
const COARSE = 16;

/**
 * Share of the energy of what was heard that is not the music, wherever it stands in it and however it is coded: of the
 * middle one of all windows, since a packet that comes late moves or breaks one. Takes seconds, in which others go on.
 */
export async function besidesMusic(pcm: Int16Array): Promise<number> {
  const loop = holdMusic(8_000);
  const music = new Int16Array(loop.length + WINDOW);
  music.set(loop);
  music.set(loop.subarray(0, WINDOW), loop.length);
  const shares: number[] = [];
  for (let from = 0; from + WINDOW <= pcm.length; from += WINDOW) {
    const window = pcm.subarray(from, from + WINDOW);
    const near = bestFit(window, music, { from: 0, to: loop.length, stride: COARSE });
    shares.push(bestFit(window, music, { from: near.at - COARSE, to: near.at + COARSE, stride: 1 }).share);
    await nextTurn();
  }
  return shares.sort((a, b) => a - b)[shares.length >> 1] ?? 1;
}

/** @param search where it may begin; `stride`: of the samples that are compared */
function bestFit(
  window: Int16Array,
  music: Int16Array,
  { from, to, stride }: { readonly from: number; readonly to: number; readonly stride: number },
): { readonly at: number; readonly share: number } {
  let best = { at: 0, rest: Infinity };
  for (let at = Math.max(0, from); at < to && at + window.length <= music.length; at++) {
    let rest = 0;
    for (let i = 0; i < window.length && rest < best.rest; i += stride) rest += (window[i]! - music[at + i]!) ** 2;
    if (rest < best.rest) best = { at, rest };
  }
  const energy = window.reduce((sum, sample) => sum + sample * sample, 0);
  return { at: best.at, share: energy === 0 ? 1 : best.rest / energy };
}
