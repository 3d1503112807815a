import fc from 'fast-check';
import { EchoGuard } from '../../../../../media/agent/vad/echo-guard';
import { decodeG711, encodeG711 } from '../../../../../media/codec/g711';
import type { G711Law } from '../../../../../media/codec/g711';
import { seededRandom } from '../../../../support/seeded-random';
import { voiceLike } from '../../../../support/agent/voice-like';

const WINDOW = 256;
const FRAME = 160;
const SECONDS = 4;
const CERTAIN = 0.9;

const AGENT = voiceLike({ seed: 1, seconds: SECONDS, pitchHz: 110 });
const CALLER = voiceLike({ seed: 2, seconds: SECONDS, pitchHz: 190, amplitude: 6000 });
const SILENCE = new Int16Array(SECONDS * 8000);

function echoOf(sent: Int16Array, levelDb: number, delayMs: number, response: readonly number[] = [1]): Int16Array {
  const scale = 10 ** (levelDb / 20) / Math.hypot(...response);
  const delay = Math.round(delayMs * 8);
  return sent.map((_, i) =>
    Math.round(response.reduce((sum, tap, k) => sum + tap * scale * (sent[i - delay - k] ?? 0), 0)),
  );
}

const mixed = (...parts: readonly Int16Array[]): Int16Array =>
  parts[0]!.map((_, i) => parts.reduce((sum, part) => sum + (part[i] ?? 0), 0));

function hiss(rms: number, seed = 3): Int16Array {
  const random = seededRandom(seed);
  return SILENCE.map(() => Math.round((random() + random() + random() + random() - 2) * Math.sqrt(3) * rms));
}

function recoded(pcm: Int16Array, ...laws: readonly G711Law[]): Int16Array {
  const octets = new Uint8Array(pcm.length);
  return laws.reduce((heard, law) => {
    encodeG711(law, heard, 0, heard.length, octets);
    const decoded = new Int16Array(heard.length);
    decodeG711(law, octets, 0, octets.length, decoded);
    return decoded;
  }, pcm);
}

/** The guard's answers, window by window, to a detector that finds speech in every one of them. */
function judged(heard: Int16Array, sent: Int16Array): number[] {
  const guard = new EchoGuard(WINDOW);
  const answers: number[] = [];
  for (let frame = 0; (frame + 1) * FRAME <= heard.length; frame++) {
    guard.sent(sent.subarray(frame * FRAME, (frame + 1) * FRAME));
    while ((answers.length + 1) * WINDOW <= (frame + 1) * FRAME) {
      const window = heard.subarray(answers.length * WINDOW, (answers.length + 1) * WINDOW);
      answers.push(guard.judge(window, CERTAIN));
    }
  }
  return answers;
}

/** Next to nothing of it lies below 1 kHz: fourth differences. */
function high(white: Int16Array): Int16Array {
  return white.map((_, i) => {
    const at = (k: number): number => white[i - k] ?? 0;
    return Math.round((at(0) - 4 * at(1) + 6 * at(2) - 4 * at(3) + at(4)) / 8);
  });
}

/** After two seconds in which the agent alone can be heard. */
const afterSilence = (pcm: Int16Array): Int16Array => SILENCE.map((_, i) => pcm[i - 2 * 8000] ?? 0);

const opening = (answers: readonly number[]): number => answers.filter((answer) => answer > 0.5).length;

describe('EchoGuard', () => {
  test('leaves alone what is heard while nothing was sent', () => {
    const answers = judged(CALLER, SILENCE);
    expect(opening(answers) / answers.length).toBeGreaterThan(0.8);
    expect(answers.filter((answer) => answer !== 0 && answer !== CERTAIN)).toEqual([]);
  });

  test('takes nothing for speech that is quieter than −58 dBov', () => {
    expect(opening(judged(hiss(30), SILENCE))).toBe(0);
    expect(opening(judged(hiss(100), SILENCE))).toBeGreaterThan(100);
  });

  test('lets no window of an echo open, at any level and delay, through any law and filter of some ms', () => {
    const conditions = fc.record({
      levelDb: fc.integer({ min: -50, max: 0 }),
      delayMs: fc.double({ min: 0, max: 560, noNaN: true }),
      laws: fc.array(fc.constantFrom<G711Law>('PCMU', 'PCMA'), { minLength: 1, maxLength: 3 }),
      spreadMs: fc.constantFrom(0, 1, 3, 6),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(conditions, ({ levelDb, delayMs, laws, spreadMs, seed }) => {
        const random = seededRandom(seed);
        const decay = Array.from(
          { length: spreadMs * 8 },
          (_, k) => (random() * 2 - 1) * Math.exp(-k / (spreadMs * 2)),
        );
        const echo = recoded(mixed(echoOf(AGENT, levelDb, delayMs, [1, ...decay]), hiss(8)), ...laws);
        expect(opening(judged(echo, AGENT))).toBe(0);
      }),
      { numRuns: 40, seed: 8 },
    );
  });

  test('hears the caller over the agent, with and without an echo, three windows after the onset at the latest', () => {
    const onset = 1.5 * 8000;
    const speech = SILENCE.map((_, i) => CALLER[i - onset] ?? 0);
    const first = Math.ceil(onset / WINDOW);
    for (const echo of [SILENCE, echoOf(AGENT, -20, 180), echoOf(AGENT, -12, 35)]) {
      const answers = judged(recoded(mixed(speech, echo, hiss(8)), 'PCMU'), AGENT);
      expect(opening(answers.slice(0, first))).toBe(0);
      expect(opening(answers.slice(first, first + 9))).toBeGreaterThanOrEqual(4);
    }
  });

  test('counts a hiss over an echo, outside the band of voices, as a beginning that does not open', () => {
    const onset = Math.ceil((2.5 * 8000) / WINDOW) * WINDOW;
    const hissing = high(hiss(1200, 5)).map((sample, i) => (i < onset ? 0 : sample));
    const agent = mixed(AGENT, hiss(150, 6));
    const answers = judged(recoded(mixed(hissing, echoOf(agent, -20, 120), hiss(8)), 'PCMU'), agent);
    const first = onset / WINDOW;
    expect(opening(answers.slice(0, first))).toBe(0);
    expect(answers.slice(first, first + 5)).toEqual([0.3, 0.3, 0.3, 0.3, 0.3]);
  });

  test('does not open for the hiss of an echo of which nothing else was heard yet', () => {
    const agent = high(hiss(3000, 5));
    expect(opening(judged(recoded(mixed(echoOf(agent, -20, 100), hiss(12)), 'PCMU'), agent))).toBe(0);
  });

  test('counts what the echoes of a line do not usually leave as a beginning that does not open', () => {
    const onset = 2.5 * 8000;
    const soft = SILENCE.map((_, i) => Math.round(0.05 * (CALLER[i - onset] ?? 0)));
    const answers = judged(recoded(mixed(soft, echoOf(AGENT, -20, 120), hiss(8)), 'PCMU'), AGENT);
    const first = Math.ceil(onset / WINDOW);
    expect(answers.slice(30, first).filter((answer) => answer > 0)).toEqual([]);
    expect(answers.slice(first, first + 8)).toEqual(Array.from({ length: 8 }, () => 0.3));
    expect(opening(answers)).toBe(0);
  });

  test.each([9, 10, 11, 12])('does not open for an echo that is as rough as ever (%i)', (seed) => {
    const random = seededRandom(seed);
    const rough = echoOf(AGENT, -6, 60).map((sample) => Math.round(sample * (1 + 2.95 * (random() + random() - 1))));
    expect(opening(judged(recoded(mixed(rough, hiss(8)), 'PCMU'), AGENT))).toBe(0);
  });

  test('counts a beginning that it is not sure of as one that does not open, at first for longer', () => {
    const known = judged(afterSilence(CALLER), AGENT).filter((answer) => answer > 0);
    expect(known.slice(0, 5)).toEqual([0.3, 0.3, 0.3, 0.3, CERTAIN]);
    const late = AGENT.map((_, i) => CALLER[i - 0.8 * 8000] ?? 0);
    const unknown = judged(late, AGENT).filter((answer) => answer > 0);
    expect(unknown.slice(0, 8)).toEqual([...Array.from({ length: 7 }, () => 0.3), CERTAIN]);
  });

  test('does not open before the first words of the agent can have come back', () => {
    const first = judged(CALLER, AGENT).findIndex((answer) => answer === CERTAIN);
    expect((first * WINDOW) / 8).toBeGreaterThan(640);
    expect((first * WINDOW) / 8).toBeLessThan(640 + 200);
  });

  test('finds an echo again whose delay has changed', () => {
    const half = AGENT.length / 2;
    const early = echoOf(AGENT, -15, 100);
    const late = echoOf(AGENT, -15, 260);
    const answers = judged(
      recoded(
        AGENT.map((_, i) => (i < half ? early[i]! : late[i]!)),
        'PCMU',
      ),
      AGENT,
    );
    expect(opening(answers)).toBeLessThanOrEqual(3);
  });

  test('knows the tail of an echo after the agent has stopped, and the caller behind it', () => {
    const stop = 2 * 8000;
    const sent = AGENT.map((sample, i) => (i < stop ? sample : 0));
    const speech = SILENCE.map((_, i) => CALLER[i - 3 * 8000] ?? 0);
    const answers = judged(recoded(mixed(echoOf(sent, -10, 450), speech), 'PCMA'), sent);
    const from = Math.floor((3 * 8000) / WINDOW);
    expect(opening(answers.slice(0, from))).toBe(0);
    expect(opening(answers.slice(from))).toBeGreaterThan(15);
  });
});
