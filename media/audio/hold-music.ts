/**
 * Half a minute of calm for somebody who waits: four broken chords, each note plucked softly and left to fade, so slow
 * and so low in level that it can be listened to for long. Its end fades into its beginning.
 */
const NOTE_SECONDS = 0.6;
const FADE_SECONDS = 2.4;
const ATTACK_SECONDS = 0.03;
/** Loudest sample, −15 dBov: below a voice. */
const PEAK = 5800;
/** Of the octave above, which a telephone carries better than the note itself. */
const OCTAVE_GAIN = 0.35;

/** Semitones from A3 (220 Hz): A minor 9, F major 7, C major 7 and G 6, twelve notes each. */
const CHORDS: readonly (readonly number[])[] = [
  [0, 7, 12, 15, 19, 14],
  [-4, 3, 8, 12, 15, 10],
  [3, 10, 14, 15, 19, 22],
  [-2, 5, 10, 14, 17, 12],
];
/** Steps through a chord, up and down. */
const FIGURE = [0, 2, 3, 4, 5, 3, 1, 3, 4, 5, 4, 2] as const;
const A3_HZ = 220;

export function holdMusic(sampleRateHz: number): Int16Array {
  const notes = CHORDS.flatMap((chord) => FIGURE.map((step) => A3_HZ * 2 ** ((chord[step] as number) / 12)));
  const sum = new Float32Array(Math.round(notes.length * NOTE_SECONDS * sampleRateHz));
  notes.forEach((hz, i) => {
    const from = Math.round(i * NOTE_SECONDS * sampleRateHz);
    pluck(sum, from, sampleRateHz, hz, 1);
    pluck(sum, from, sampleRateHz, 2 * hz, OCTAVE_GAIN);
  });
  const loudest = sum.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return Int16Array.from(sum, (sample) => Math.round((sample / loudest) * PEAK));
}

/** Adds a sine that comes quickly and goes slowly; what reaches beyond the end is added at the beginning. */
function pluck(sum: Float32Array, from: number, sampleRateHz: number, hz: number, gain: number): void {
  const samples = Math.round(FADE_SECONDS * sampleRateHz);
  // sin(n·w) out of the two before it: a sine per sample of some hundred thousand would hold up the start.
  const twice = 2 * Math.cos((2 * Math.PI * hz) / sampleRateHz);
  let before = -Math.sin((2 * Math.PI * hz) / sampleRateHz);
  let sine = 0;
  for (let i = 0; i < samples; i++) {
    const rise = Math.min(1, i / (ATTACK_SECONDS * sampleRateHz));
    const left = 1 - i / samples;
    const at = (from + i) % sum.length;
    sum[at] = (sum[at] as number) + gain * rise * left * left * left * sine;
    const next = twice * sine - before;
    before = sine;
    sine = next;
  }
}
