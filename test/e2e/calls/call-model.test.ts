/**
 * Calls with control commands, transfers and hang-ups of everybody in any order and at any moment, held against a model of
 * what is legal (`test/support/call-model/script.ts`). 500 of them: `test/soak/call-model.test.ts`. `MODEL_SEED` repeats a run.
 */
import { playScripts } from '../../support/call-model/play-scripts';
import { scripts } from '../../support/call-model/script';
import { MatrixStack } from '../../support/transfer/matrix-stack';

const SEED = Number(process.env['MODEL_SEED'] ?? 20_261_129);
const CALLS = Number(process.env['MODEL_CALLS'] ?? 24);
const AT_ONCE = 8;

describe(`${CALLS} calls in which anything happens, seed ${SEED}`, () => {
  let matrix: MatrixStack;

  beforeAll(async () => {
    matrix = await MatrixStack.start();
  }, 150_000);

  afterAll(async () => {
    await matrix?.close();
  }, 60_000);

  it('go the way of the model, and leave nothing', async () => {
    expect(await playScripts(matrix, scripts(SEED, CALLS), AT_ONCE)).toEqual([]);
    expect(await matrix.reconciled()).toEqual({});
  }, 240_000);
});
