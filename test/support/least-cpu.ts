/**
 * Least processor time of some runs, ms: how much there is to do, whatever else the machine does meanwhile. More than one
 * run, since the process also collects garbage and compiles; a parser that an input stalls is stalled by it every time.
 */
export function leastCpuMs(work: () => unknown, { runs = 20, enoughMs = 40 } = {}): number {
  let least = Infinity;
  for (let run = 0; run < runs && least > enoughMs; run++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}
