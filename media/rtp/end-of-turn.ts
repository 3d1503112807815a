/**
 * Runs this when the present callback of the event loop is through with all that its promises go on to do, and before the
 * next one.
 */
export function endOfTurn(run: () => void): void {
  // What a microtask puts off so runs after all microtasks, those included that they add.
  queueMicrotask(() => process.nextTick(run));
}
