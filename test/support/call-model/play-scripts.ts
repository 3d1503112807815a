/** Scripts that are played on one stack, some at a time. Answers what went wrong, call by call. */
import type { MatrixStack } from '../transfer/matrix-stack';
import { ModelCall } from './model-call';
import type { Script } from './script';

const NOTHING_LEFT_MS = 60_000;

export async function playScripts(matrix: MatrixStack, scripts: readonly Script[], atOnce: number): Promise<string[]> {
  const wrong: string[] = [];
  const left = [...scripts];
  const player = async (): Promise<void> => {
    for (let script = left.shift(); script !== undefined; script = left.shift()) {
      await ModelCall.play(matrix, script).catch((error: unknown) => wrong.push((error as Error).message));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, player));
  await matrix.hangUpStrays();
  await matrix.untilNothingIsLeft(NOTHING_LEFT_MS).catch((error: unknown) => wrong.push((error as Error).message));
  return wrong;
}
