/** Cells that are played at once on one stack, and fall to one kill. Answers what went wrong, cell by cell. */
import { setTimeout as sleep } from 'node:timers/promises';

import { Blow } from './blow';
import type { Kill, TransferCell } from './cells';
import type { MatrixStack } from './matrix-stack';
import { runCell } from './run-cell';

/** Callers come one after the other, as they do. */
const APART_MS = 100;
const NOTHING_LEFT_MS = 60_000;

export async function playRound(
  matrix: MatrixStack,
  kill: Kill | null,
  cells: readonly TransferCell[],
): Promise<string[]> {
  const blow = kill === null ? null : new Blow(matrix.stack, kill.process, cells);
  const played = await Promise.allSettled(
    cells.map(async (cell, index) => {
      await sleep(index * APART_MS);
      await runCell(cell, matrix, blow, index);
    }),
  );
  const wrong = played.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []));
  await blow?.over();
  if (blow !== null && !blow.fallen) wrong.push('nothing was killed');
  await matrix.hangUpStrays();
  await matrix.untilNothingIsLeft(NOTHING_LEFT_MS).catch((error: unknown) => wrong.push((error as Error).message));
  return wrong;
}
