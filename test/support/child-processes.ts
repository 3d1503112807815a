import { execFileSync } from 'node:child_process';

/** Ids of the processes that this one has started and whose command line matches. */
export function childProcesses(commandLine: RegExp): number[] {
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return listed.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === process.pid && commandLine.test(command) ? [Number(pid)] : [];
  });
}
