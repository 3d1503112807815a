/**
 * Installs the dependencies when they are missing or older than the lock file. Needs nothing but Node itself, so that
 * `npm start` and `npm test` work on a fresh clone; two that start at once install once.
 *
 * It runs when it is imported: `.npmrc` ignores scripts of packages, and with them npm skips `prestart` and `pretest` too.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MINIMUM_NODE = [20, 19];
const LOCK_POLL_MS = 250;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockFile = join(root, 'package-lock.json');
/** Written by npm at the end of an install: the lock file of what is really there. */
const installedFile = join(root, 'node_modules', '.package-lock.json');
const installLock = join(root, '.install.lock');

try {
  checkNode();
  if (!isInstalled()) installOnce();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

function installOnce() {
  takeLock();
  try {
    // Another start may have installed while this one waited.
    if (!isInstalled()) install();
  } finally {
    rmSync(installLock, { force: true });
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return;
  throw new Error(`Node ${MINIMUM_NODE.join('.')} or newer is needed, this is ${process.versions.node}.`);
}

function isInstalled() {
  if (!existsSync(installedFile)) return false;
  if (statSync(installedFile).mtimeMs >= statSync(lockFile).mtimeMs) return true;
  // A checkout touches the lock file without changing it, and `npm install` writes it last: what it says decides.
  if (!holdsTheSame()) return false;
  const now = new Date();
  try {
    utimesSync(installedFile, now, now);
  } catch {
    // not ours to touch: the comparison is repeated at the next start
  }
  return true;
}

function holdsTheSame() {
  try {
    const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
    const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
    return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
      if (path === '' || link) return true;
      const found = installed[path];
      return found === undefined ? optional === true : found.version === version && found.integrity === integrity;
    });
  } catch {
    return false; // damaged: an install repairs it
  }
}

function install() {
  console.log('Installing dependencies from the lock file …');
  const npm = npmCommand();
  const result = spawnSync(npm.command, [...npm.args, 'ci', '--include=dev', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: 'inherit',
    shell: npm.shell,
  });
  if (result.error) throw new Error(`npm cannot be run: ${result.error.message}`);
  if (result.status !== 0) throw new Error('npm ci failed; its messages are above.');
}

/** The npm that runs this script, else the one on PATH. */
function npmCommand() {
  const path = process.env.npm_execpath;
  if (path && basename(path).startsWith('npm') && existsSync(path)) {
    return { command: process.execPath, args: [path], shell: false };
  }
  const windows = process.platform === 'win32';
  return { command: windows ? 'npm.cmd' : 'npm', args: [], shell: windows };
}

/** The lock holds the pid of its owner. A lock whose owner is gone is taken over. */
function takeLock() {
  const part = `${installLock}.${process.pid}`;
  writeFileSync(part, String(process.pid));
  try {
    for (let told = false; ;) {
      try {
        linkSync(part, installLock);
        return;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const owner = readOwner();
      if (owner === undefined || !isRunning(owner)) {
        discardStale(owner);
        continue;
      }
      if (!told) console.log(`Waiting for the installation of process ${owner} …`);
      told = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
    }
  } finally {
    rmSync(part, { force: true });
  }
}

/** Moved away before it is judged: another start may have replaced the stale lock since it was read. */
function discardStale(owner) {
  const aside = `${installLock}.stale-${process.pid}`;
  try {
    renameSync(installLock, aside);
  } catch {
    return; // released or taken over meanwhile
  }
  if (readOwner(aside) === owner) rmSync(aside, { force: true });
  else renameSync(aside, installLock);
}

function readOwner(path = installLock) {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined; // released meanwhile
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    // Pids come round: where it can be told, only an installation counts.
    const command = `/proc/${pid}/cmdline`;
    return !existsSync(command) || readFileSync(command, 'utf8').includes('bootstrap.mjs');
  } catch (error) {
    return error.code === 'EPERM';
  }
}
