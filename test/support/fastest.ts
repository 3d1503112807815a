/**
 * Shortest of some runs, ms: how long the work itself takes, whatever else the machine does. Input that stalls a parser
 * stalls it every time.
 */
export function fastestMs(work: () => unknown, runs = 3, enoughMs = 20): number {
  let fastest = Infinity;
  for (let run = 0; run < runs && fastest > enoughMs; run++) {
    const began = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - began);
  }
  return fastest;
}
