import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { processIdentity } from '../../../../scripts/process/identity';
import { AlreadyRunningError, takeInstanceLock } from '../../../../scripts/process/instance-lock';
import { claimPidFile, readLivePidFile, readPidFile, writePidFile } from '../../../../scripts/process/pid-file';

/** No process has it: above the kernel's highest pid. */
const NO_PID = 4_194_305;

describe('pid files', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-pid-'));
    file = join(folder, 'x.pid');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('a running process is found with its details', () => {
    writePidFile(file, process.pid, { port: 5432 });
    expect(readLivePidFile(file)).toEqual({
      pid: process.pid,
      identity: processIdentity(process.pid),
      details: { port: 5432 },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('a process that is gone is not alive', () => {
    writeFileSync(file, `${NO_PID}\nboot:1\n{}\n`);
    expect(readPidFile(file)?.pid).toBe(NO_PID);
    expect(readLivePidFile(file)).toBeUndefined();
  });

  test('another process with the same pid is not the one recorded', () => {
    writeFileSync(file, `${process.pid}\nearlier-boot:17\n{}\n`);
    expect(readLivePidFile(file)).toBeUndefined();
  });

  test.each(['', 'no pid at all', '-5\nx\n{}', '12\nx\n{broken'])('a damaged file (%j) names no process', (content) => {
    writeFileSync(file, content);
    expect(readPidFile(file)).toBeUndefined();
  });

  test('only one can claim a file', () => {
    expect(claimPidFile(file)).toBe(true);
    expect(claimPidFile(file)).toBe(false);
    expect(readdirSync(folder)).toEqual(['x.pid']);
  });

  describe('as a lock', () => {
    test('is held by a running process and free after its release', () => {
      const release = takeInstanceLock(file);
      expect(() => takeInstanceLock(file)).toThrow(AlreadyRunningError);
      release();
      takeInstanceLock(file)();
    });

    test.each([`${NO_PID}\nboot:1\n{}\n`, `${process.pid}\nearlier-boot:17\n{}\n`, 'damaged'])(
      'is taken over from who is gone (%j)',
      (content) => {
        writeFileSync(file, content);
        takeInstanceLock(file)();
        expect(readdirSync(folder)).toEqual([]);
      },
    );
  });
});

describe('the identity of a process', () => {
  test('is the same each time and another for an older process', () => {
    expect(processIdentity(process.pid)).toBe(processIdentity(process.pid));
    expect(processIdentity(1)).not.toBe(processIdentity(process.pid));
  });

  test.each([0, -1, Number.NaN, NO_PID])('%d has none', (pid) => {
    expect(processIdentity(pid)).toBeUndefined();
  });
});
