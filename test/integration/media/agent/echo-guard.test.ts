/**
 * The agent's own voice comes back: through delays of 0 to 500 ms, filters of some ms and G.711 both ways, with the noise
 * of a line. Voices and detector are the real ones; time is the test's, so that whole calls take a moment.
 */
import { FliteTts } from '../../../../media/agent/providers/flite/flite-tts';
import { CompiledDetector } from '../../../support/agent/compiled-detector';
import { bargeInConditions, echoConditions, runTrial } from '../../../support/agent/echo-trial';
import type { TrialConditions, TrialOutcome } from '../../../support/agent/echo-trial';
import { RememberedTts } from '../../../support/agent/remembered-tts';

const SOAK = process.env['TEST_SOAK'] === '1';
const SEED = Number(process.env['SOAK_SEED'] ?? 1);
const TRIALS = SOAK ? 200 : 20;
const BARGE_IN_LIMIT_MS = 340;
/** Of a few trials one more may fail by chance than of many. */
const TAKEN_SHARE = SOAK ? 0.95 : 0.9;
const MINUTE_MS = 60_000;

let detector: CompiledDetector;
let tts: RememberedTts;

beforeAll(async () => {
  const flite = new FliteTts();
  [detector] = await Promise.all([CompiledDetector.load('SileroDetector', 'silero-detector'), flite.start()]);
  tts = new RememberedTts(flite);
}, 30_000);
afterAll(() => Promise.all([detector.close(), tts.close()]));

interface Trial extends TrialOutcome {
  readonly conditions: TrialConditions;
}

async function trials(conditionsOf: (seed: number) => TrialConditions): Promise<Trial[]> {
  const done: Trial[] = [];
  for (let seed = SEED; seed < SEED + TRIALS; seed++) {
    const conditions = conditionsOf(seed);
    done.push({ conditions, ...(await runTrial(conditions, { detector, tts, seed })) });
  }
  return done;
}

test.each([
  ['−12 to −30 dB', -12, -30],
  ['−30 to −50 dB', -30, -50],
  ['0 dB, as an echo extension sends it', 0, 0],
])(
  `${TRIALS} sentences are heard to their ends, and nobody answers their echo of %s`,
  async (_, loudestDb, faintestDb) => {
    const done = await trials((seed) => echoConditions(seed, { loudestDb, faintestDb }));
    expect(done.filter(({ cutAfterMs, callerTurns }) => cutAfterMs !== null || callerTurns > 0)).toEqual([]);
  },
  10 * MINUTE_MS,
);

test.each([
  ['on a line without echo', null],
  ['over an echo of −20 dB', -20],
])(
  `of ${TRIALS} callers who cut in %s, most stop the agent within ${BARGE_IN_LIMIT_MS} ms`,
  async (_, levelDb) => {
    const done = await trials((seed) => bargeInConditions(seed, levelDb));
    const missed = done.filter(({ cutAfterMs }) => cutAfterMs === null || cutAfterMs > BARGE_IN_LIMIT_MS);
    const early = done.filter(({ cutAfterMs }) => cutAfterMs !== null && cutAfterMs < 0);
    expect(early).toEqual([]);
    if (missed.length > TRIALS * (1 - TAKEN_SHARE)) expect(missed).toEqual([]);
  },
  10 * MINUTE_MS,
);
