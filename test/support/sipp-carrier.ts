/**
 * SIPp as the carrier of an outbound trunk. What was asked of it is read from its own message log: the effects of a call
 * are counted here, at the peer.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort, isPortFree } from './free-ports';
import { waitFor } from './wait-for';

const SCENARIOS = join(__dirname, '../fixtures/sipp');

export interface SippCarrierOptions {
  /** File name in `test/fixtures/sipp`. */
  readonly scenario: string;
  /** Values of keywords in the scenario. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Length of a `<pause/>` without a value. */
  readonly pauseMs?: number;
  /** Default UDP. */
  readonly transport?: 'udp' | 'tcp';
  /** Sends back the audio that comes. */
  readonly echo?: boolean;
}

/** One datagram that came in; a retransmission is another one. */
export interface CarrierRequest {
  readonly method: string;
  /** User part of the Request-URI: the number that was dialled. */
  readonly user: string;
  readonly callId: string;
  readonly branch: string;
  readonly cseq: string;
  readonly hasCredentials: boolean;
  readonly text: string;
}

export class SippCarrier {
  readonly port: number;
  readonly #dir: string;
  readonly #sipp: ChildProcess;
  #screen = '';

  private constructor(port: number, dir: string, args: readonly string[]) {
    this.port = port;
    this.#dir = dir;
    this.#sipp = spawn('sipp', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#sipp.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#screen += text));
  }

  static async start(options: SippCarrierOptions): Promise<SippCarrier> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), 'trunkline-carrier-'));
    const scenario = join(dir, options.scenario);
    writeFileSync(scenario, scenarioWith(options));
    const local = ['-sf', scenario, '-i', '127.0.0.1', '-p', String(port), '-nostdin'];
    const log = ['-trace_msg', '-message_file', join(dir, 'messages.log')];
    const pause = options.pauseMs === undefined ? [] : ['-d', String(options.pauseMs)];
    const transport = options.transport === 'tcp' ? ['-t', 't1'] : [];
    const echo = options.echo === true ? ['-rtp_echo', '-mp', String(await freePort())] : [];
    const carrier = new SippCarrier(port, dir, [...local, ...log, ...pause, ...transport, ...echo]);
    const protocol = options.transport === 'tcp' ? 'TCP' : 'UDP';
    // A probe binds the port for a moment: not while SIPp is about to.
    await sleep(200);
    await waitFor(`SIPp with ${options.scenario}`, 5_000, async () => {
      if (carrier.#sipp.exitCode !== null) throw new Error(`SIPp ended: ${carrier.#screen}`);
      return (await isPortFree(protocol, port)) ? undefined : true;
    });
    return carrier;
  }

  /** Everything received so far, in its order. */
  requests(method?: string): CarrierRequest[] {
    const log = join(this.#dir, 'messages.log');
    if (!existsSync(log)) return [];
    const received = parseMessageLog(readFileSync(log, 'utf8'));
    return method === undefined ? received : received.filter((request) => request.method === method);
  }

  /** INVITE transactions to a number: retransmissions do not count, the one with credentials does. */
  invites(user: string): CarrierRequest[] {
    const byBranch = new Map<string, CarrierRequest>();
    for (const request of this.requests('INVITE')) {
      if (request.user === user && !byBranch.has(request.branch)) byBranch.set(request.branch, request);
    }
    return [...byBranch.values()];
  }

  /** One for each time the number was dialled. */
  callIds(user: string): string[] {
    return [...new Set(this.invites(user).map(({ callId }) => callId))];
  }

  async waitForRequest(method: string, user: string, limitMs = 10_000): Promise<CarrierRequest> {
    return waitFor(`${method} for ${user} at the carrier`, limitMs, () => {
      const calls = this.callIds(user);
      return this.requests(method).find(({ callId }) => calls.includes(callId));
    });
  }

  async stop(): Promise<void> {
    if (this.#sipp.exitCode === null && this.#sipp.signalCode === null) {
      const ended = once(this.#sipp, 'exit');
      this.#sipp.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** SIPp's own `-key` comes too late for a status, which it reads from the scenario before any call. */
function scenarioWith({ scenario, keys = {} }: SippCarrierOptions): string {
  const text = readFileSync(join(SCENARIOS, scenario), 'utf8');
  return Object.entries(keys).reduce((filled, [name, value]) => filled.replaceAll(`[${name}]`, value), text);
}

const SECTION = /^-{20,} .*\n\w+ message (received|sent) .*\n/m;

function parseMessageLog(log: string): CarrierRequest[] {
  const parts = log.split(SECTION).slice(1);
  const requests: CarrierRequest[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    if (parts[at] === 'received') requests.push(...asRequest((parts[at + 1] ?? '').trimStart()));
  }
  return requests;
}

function asRequest(text: string): CarrierRequest[] {
  const line = /^([A-Z]+) sip:([^@\s]*)@\S+ SIP\/2\.0/.exec(text);
  if (line === null) return [];
  return [
    {
      method: line[1] ?? '',
      user: decodeURIComponent(line[2] ?? ''),
      callId: header(text, 'Call-ID'),
      branch: /branch=([^;,\s]+)/.exec(header(text, 'Via'))?.[1] ?? '',
      cseq: header(text, 'CSeq'),
      hasCredentials: /^(?:Proxy-)?Authorization:/im.test(text),
      text,
    },
  ];
}

function header(text: string, name: string): string {
  return new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(text)?.[1] ?? '';
}
