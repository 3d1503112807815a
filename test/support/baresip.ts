/** baresip as a phone: a digest account, audio from one WAV file and to another. Its absence skips a test, or fails it with `REQUIRE_PHONES=1`. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-ports';
import { readWav, writeWav } from './wav';

import type { ChildProcess } from 'node:child_process';

const MODULES = ['/usr/lib/baresip/modules', '/usr/local/lib/baresip/modules', '/opt/homebrew/lib/baresip/modules'];
const SAMPLE_RATE_HZ = 8000;

export interface BaresipOptions {
  readonly server: { readonly address: string; readonly port: number };
  readonly credentials: { readonly username: string; readonly password: string };
  readonly transport?: 'udp' | 'tcp';
  /** 8 kHz; what the phone says, from the answer on: at its end the phone hangs up. Default a minute of silence. */
  readonly says?: Int16Array;
}

export function hasBaresip(): boolean {
  const installed = moduleFolder() !== null && runs();
  if (!installed && process.env['REQUIRE_PHONES'] === '1') throw new Error('baresip is required and missing');
  return installed;
}

export class Baresip {
  readonly #dir: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;
  #output = '';

  /** Starts the phone and dials `user` at the server. */
  static async call(user: string, options: BaresipOptions): Promise<Baresip> {
    const { address, port } = options.server;
    const uri = `sip:${user}@${address}:${port};transport=${options.transport ?? 'udp'}`;
    return Baresip.#start(options, 'regint=0', ['-e', `/dial ${uri}`]);
  }

  /** Starts the phone, which registers for an hour and answers whoever calls it. */
  static async register(options: BaresipOptions): Promise<Baresip> {
    return Baresip.#start(options, 'regint=3600;answermode=auto', []);
  }

  static async #start(options: BaresipOptions, how: string, args: readonly string[]): Promise<Baresip> {
    const dir = mkdtempSync(join(tmpdir(), 'trunkline-baresip-'));
    const says = options.says ?? new Int16Array(60 * SAMPLE_RATE_HZ);
    writeWav(join(dir, 'says.wav'), { sampleRateHz: SAMPLE_RATE_HZ, pcm: says });
    writeFileSync(join(dir, 'config'), configOf(dir, await freePort()));
    writeFileSync(join(dir, 'contacts'), '');
    const { username, password } = options.credentials;
    const { address, port } = options.server;
    const transport = options.transport ?? 'udp';
    const account = `<sip:${username}@${address}:${port};transport=${transport}>;auth_user=${username};auth_pass=${password};${how};audio_codecs=PCMU/8000/1,PCMA/8000/1`;
    writeFileSync(join(dir, 'accounts'), `${account}\n`);
    return new Baresip(
      dir,
      spawn('baresip', ['-4', '-f', dir, ...args], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  private constructor(dir: string, child: ChildProcess) {
    this.#dir = dir;
    this.#child = child;
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString('utf8');
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    this.#exit = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  get output(): string {
    return this.#output;
  }

  /** @throws Error with the phone's output when the call is not up in time */
  established(timeoutMs = 10_000): Promise<void> {
    return this.#until(/Call established/i, timeoutMs);
  }

  /** The other side hung up. */
  closed(timeoutMs = 10_000): Promise<void> {
    return this.#until(/terminated|session closed|call closed/i, timeoutMs);
  }

  /** Ends the phone, which hangs up, and hands out what it heard. */
  async stop(): Promise<Int16Array> {
    this.#child.kill('SIGINT');
    const forced = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#exit;
    clearTimeout(forced);
    const heard = readdirSync(this.#dir).find((name) => name.startsWith('dump') && name.endsWith('-dec.wav'));
    const pcm = heard === undefined ? new Int16Array(0) : readWav(join(this.#dir, heard)).pcm;
    rmSync(this.#dir, { recursive: true, force: true });
    return pcm;
  }

  async #until(pattern: RegExp, timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!pattern.test(this.#output)) {
      if (performance.now() > deadlineMs || this.#child.exitCode !== null) {
        throw new Error(`baresip did not say ${pattern.source}:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function moduleFolder(): string | null {
  for (const folder of MODULES) {
    try {
      if (readdirSync(folder).includes('g711.so')) return folder;
    } catch {
      // Not on this system; the next one may be.
    }
  }
  return null;
}

function runs(): boolean {
  try {
    execFileSync('baresip', ['-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** `aubridge` stands in for a loudspeaker; the sndfile filter writes down what would be heard. */
function configOf(dir: string, sipPort: number): string {
  return [
    `module_path ${moduleFolder() ?? ''}`,
    'module g711.so',
    'module aufile.so',
    'module aubridge.so',
    'module sndfile.so',
    'module_tmp account.so',
    'module_app menu.so',
    `sip_listen 127.0.0.1:${sipPort}`,
    `audio_source aufile,${join(dir, 'says.wav')}`,
    'audio_player aubridge,heard',
    `audio_srate ${SAMPLE_RATE_HZ}`,
    'audio_channels 1',
    `snd_path ${dir}`,
    'rtp_ports 30000-39000',
    'rtcp_mux no',
    'jitter_buffer_delay 2-10',
    '',
  ].join('\n');
}
