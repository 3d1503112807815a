import fc from 'fast-check';

import { PlaybackQueue } from '../../../../media/rtp/playback-queue';

const FRAME = 160;

function queue() {
  const finished: number[] = [];
  const playback = new PlaybackQueue((id) => finished.push(id));
  const frame = (): Int16Array | null => {
    const out = new Int16Array(FRAME);
    return playback.frame(out) ? out : null;
  };
  return { playback, finished, frame };
}

const ramp = (from: number, count: number): Int16Array => Int16Array.from({ length: count }, (_, i) => from + i);

describe('PlaybackQueue', () => {
  it('plays chunks in order, pads the end and says when the last sample left', () => {
    const { playback, finished, frame } = queue();
    playback.play(1, ramp(1, 200), false);
    playback.play(1, ramp(201, 40), true);
    expect(frame()).toEqual(ramp(1, FRAME));
    expect(finished).toEqual([]);
    const second = frame();
    expect(second?.subarray(0, 80)).toEqual(ramp(161, 80));
    expect(second?.subarray(80)).toEqual(new Int16Array(80));
    expect(finished).toEqual([1]);
    expect(frame()).toBeNull();
    expect(playback.played(1)).toBe(240);
  });

  it('joins playbacks within a frame and counts each', () => {
    const { playback, finished, frame } = queue();
    playback.play(1, ramp(1, 100), true);
    playback.play(2, ramp(1001, 300), true);
    const out = frame();
    expect(out?.[99]).toBe(100);
    expect(out?.[100]).toBe(1001);
    expect(finished).toEqual([1]);
    expect([playback.played(1), playback.played(2)]).toEqual([100, 60]);
  });

  it('waits for the rest of a frame while a playback goes on', () => {
    const { playback, frame } = queue();
    playback.play(1, ramp(1, 100), false);
    expect(frame()).toBeNull();
    playback.play(1, ramp(101, 60), false);
    expect(frame()).toEqual(ramp(1, FRAME));
  });

  it('does not wait for a playback that another one follows', () => {
    const { playback, frame } = queue();
    playback.play(1, ramp(1, 100), false);
    playback.play(2, ramp(500, 10), false);
    expect(frame()?.[99]).toBe(100);
    expect(playback.played(1)).toBe(100);
  });

  it('an empty last chunk ends a playback, at once when all of it left', () => {
    const { playback, finished, frame } = queue();
    playback.play(1, ramp(1, FRAME), false);
    frame();
    playback.play(1, new Int16Array(0), true);
    expect(finished).toEqual([1]);
    playback.play(2, ramp(1, FRAME), false);
    playback.play(2, new Int16Array(0), true);
    expect(finished).toEqual([1]);
    frame();
    expect(finished).toEqual([1, 2]);
  });

  it('clear tells what left of each playback since the last clear, and drops the rest without reporting an end', () => {
    const { playback, finished, frame } = queue();
    playback.play(1, ramp(1, 100), true);
    playback.play(2, ramp(1, 400), true);
    playback.play(3, ramp(1, 400), true);
    frame();
    expect([...playback.clear()]).toEqual([
      [1, 100],
      [2, 60],
      [3, 0],
    ]);
    expect(frame()).toBeNull();
    expect(finished).toEqual([1]);
    expect(playback.played(2)).toBe(60);
    playback.play(4, ramp(1, FRAME), true);
    frame();
    expect([...playback.clear()]).toEqual([[4, FRAME]]);
  });

  it('ramps the gain over one frame and keeps it', () => {
    const { playback, frame } = queue();
    playback.play(1, new Int16Array(3 * FRAME).fill(1000), true);
    playback.setGain(0.2);
    const first = frame() as Int16Array;
    expect(first[0]).toBe(995);
    expect(first[FRAME / 2]).toBeGreaterThan(550);
    expect(first[FRAME - 1]).toBe(200);
    expect(new Set(frame())).toEqual(new Set([200]));
    playback.setGain(1);
    expect(frame()?.at(-1)).toBe(1000);
  });

  test.each([
    [-1, 0],
    [7, 1000],
    [Number.NaN, 1000],
  ])('keeps a gain of %p within 0 and 1', (gain, level) => {
    const { playback, frame } = queue();
    playback.setGain(gain);
    playback.play(1, new Int16Array(2 * FRAME).fill(1000), true);
    frame();
    expect(frame()?.[0]).toBe(level);
  });

  it('whatever is played in whatever pieces, each sample leaves once, in order, and is counted', () => {
    const plays = fc.array(
      fc.record({ pieces: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 5 }) }),
      {
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(plays, (list) => {
        const { playback, finished, frame } = queue();
        let value = 1;
        const totals: number[] = [];
        list.forEach(({ pieces }, id) => {
          pieces.forEach((length, i) => {
            playback.play(id, ramp(value, length), i === pieces.length - 1);
            value += length;
          });
          totals.push(pieces.reduce((a, b) => a + b, 0));
        });
        const heard: number[] = [];
        for (let out = frame(); out !== null; out = frame()) heard.push(...out.filter((sample) => sample !== 0));
        expect(heard).toEqual(Array.from({ length: value - 1 }, (_, i) => i + 1));
        expect(finished).toEqual(list.map((_, id) => id));
        expect(list.map((_, id) => playback.played(id))).toEqual(totals);
      }),
    );
  });
});
