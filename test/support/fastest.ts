/**
 * Shortest of some runs, ms: how long the work itself takes. Other work on the machine may slow many runs in a row, so
 * there are many; a parser that an input stalls is stalled by it every time, and ends the test by its time limit at last.
 */
export function fastestMs(work: () => unknown, { runs = 20, enoughMs = 40 } = {}): number {
  let fastest = Infinity;
  for (let run = 0; run < runs && fastest > enoughMs; run++) {
    const began = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - began);
  }
  return fastest;
}
