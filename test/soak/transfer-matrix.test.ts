/**
 * The whole transfer matrix (`test/support/transfer/cells.ts`), in an order that a seed decides: as many cells at once as
 * have one kill, up to a limit. `SOAK_SEED` repeats a run, `SOAK_KILLS=temporal,api` takes those kills alone.
 */
import { SeededRandom } from '../support/live/random';
import { KILLS, killedAt, PEACEFUL, some } from '../support/transfer/cells';
import type { Kill, TransferCell } from '../support/transfer/cells';
import { MatrixStack } from '../support/transfer/matrix-stack';
import { playRound } from '../support/transfer/play-round';

const SEED = Number(process.env['SOAK_SEED'] ?? 20_261_129);
const ONLY = process.env['SOAK_KILLS']?.split(',');
const AT_ONCE = 24;
const MINUTE_MS = 60_000;

type Round = readonly [title: string, kill: Kill | null, cells: readonly TransferCell[]];

function roundsOf(random: SeededRandom, kill: Kill | null, cells: readonly TransferCell[]): Round[] {
  const shuffled = some(random, cells, cells.length);
  const rounds: Round[] = [];
  for (let at = 0; at < shuffled.length; at += AT_ONCE) {
    const part = shuffled.slice(at, at + AT_ONCE);
    const title = kill === null ? 'nothing dies' : `the ${kill.process} dies at ${kill.step}`;
    rounds.push([`${title}, cells ${at + 1} to ${at + part.length} of ${shuffled.length}`, kill, part]);
  }
  return rounds;
}

describe(`the whole transfer matrix, seed ${SEED}`, () => {
  let matrix: MatrixStack;
  const random = new SeededRandom(SEED);
  const kills = KILLS.filter(({ process }) => ONLY?.includes(process) ?? true);
  const killed = some(random, kills, kills.length).flatMap((kill) => roundsOf(random, kill, killedAt(kill)));

  beforeAll(async () => {
    matrix = await MatrixStack.start();
  }, 150_000);

  afterAll(async () => {
    await matrix?.close();
  }, 60_000);

  it.each([...roundsOf(random, null, PEACEFUL), ...killed])(
    '%s',
    async (title, kill, cells) => {
      const wrong = await playRound(matrix, kill, cells);
      // With --verbose at once: a run takes long.
      console.log([title, ...wrong].join('\n  '));
      expect(wrong).toEqual([]);
    },
    6 * MINUTE_MS,
  );
});
