/**
 * Transfers with everything that can become of them: cells of the matrix (`test/support/transfer/cells.ts`) that a seed
 * decides, many at once on one stack. All of them: `test/soak/transfer-matrix.test.ts`. `MATRIX_SEED` repeats a run.
 */
import { SeededRandom } from '../../support/live/random';
import { KILLED, killedAt, PEACEFUL, some, STEPS } from '../../support/transfer/cells';
import { MatrixStack } from '../../support/transfer/matrix-stack';
import { playRound } from '../../support/transfer/play-round';

const SEED = Number(process.env['MATRIX_SEED'] ?? 20_261_129);
const PEACEFUL_CELLS = 24;
const KILLED_CELLS = 7;

describe(`the transfer matrix, seed ${SEED}`, () => {
  let matrix: MatrixStack;
  const random = new SeededRandom(SEED);
  const peaceful = some(random, PEACEFUL, PEACEFUL_CELLS);
  // The longest wait is not waited for with nothing else to do.
  const killed = KILLED.map((process) => ({ process, step: random.pick(STEPS) })).map((kill) => {
    const cells = killedAt(kill).filter(({ refer }) => refer !== 'silence');
    return [kill, some(random, cells, KILLED_CELLS)] as const;
  });

  beforeAll(async () => {
    matrix = await MatrixStack.start();
  }, 90_000);

  afterAll(async () => {
    await matrix?.close();
  }, 60_000);

  it(`${peaceful.length} cells in which nothing dies`, async () => {
    expect(await playRound(matrix, null, peaceful)).toEqual([]);
  }, 180_000);

  it.each(killed)(
    'cells in which a process is killed: %j',
    async (kill, cells) => {
      expect(await playRound(matrix, kill, cells)).toEqual([]);
    },
    240_000,
  );
});
