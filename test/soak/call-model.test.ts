/** 500 calls in which anything happens, as `test/e2e/calls/call-model.test.ts` has a few. `SOAK_SEED`, `SOAK_CALLS`. */
import { playScripts } from '../support/call-model/play-scripts';
import { scripts } from '../support/call-model/script';
import { MatrixStack } from '../support/transfer/matrix-stack';

const SEED = Number(process.env['SOAK_SEED'] ?? 20_261_129);
const CALLS = Number(process.env['SOAK_CALLS'] ?? 500);
const AT_ONCE = 25;
const MINUTE_MS = 60_000;

describe(`${CALLS} calls in which anything happens, seed ${SEED}`, () => {
  let matrix: MatrixStack;

  beforeAll(async () => {
    matrix = await MatrixStack.start();
  }, 150_000);

  afterAll(async () => {
    await matrix?.close();
  }, 60_000);

  it(
    'go the way of the model, and leave nothing',
    async () => {
      expect(await playScripts(matrix, scripts(SEED, CALLS), AT_ONCE)).toEqual([]);
      expect(await matrix.reconciled()).toEqual({});
    },
    30 * MINUTE_MS,
  );
});
