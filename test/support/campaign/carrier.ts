/**
 * A carrier for campaigns, over real SIP and in a process of its own: neither a kill of the product nor a busy test delays
 * what it notes. It treats calls by a seeded mix and notes every INVITE.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { CarrierOutcome, CarrierRules } from './carrier-mix';

export interface CarrierOptions extends CarrierRules {
  /** Of 503; default 1. */
  readonly retryAfterSeconds?: number;
  /** Default any free one. */
  readonly port?: number;
}

/** All that came with one Call-ID. */
export interface CarrierCall {
  readonly sipCallId: string;
  readonly number: string;
  readonly fromNumber: string;
  readonly outcome: CarrierOutcome;
  /** Of the first INVITE, when it was received: epoch ms, with fractions. */
  readonly atMs: number;
  /** INVITE transactions: retransmissions do not count. */
  readonly transactions: number;
  readonly cancelledAtMs: number | null;
  /** It was answered, and is over. */
  readonly over: boolean;
}

export type ToCarrier = { readonly ask: 'log' };
export type FromCarrier = { readonly port: number } | { readonly log: readonly CarrierCall[] };

export class SimulatedCarrier {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(options: CarrierOptions): Promise<SimulatedCarrier> {
    const child = fork(join(__dirname, 'carrier-main.ts'), [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const said = await answerOf(child);
    if (!('port' in said)) throw new Error('the carrier says its port first');
    return new SimulatedCarrier(child, said.port);
  }

  /** In the order of their INVITEs. */
  async log(): Promise<readonly CarrierCall[]> {
    const answer = answerOf(this.#child);
    this.#child.send({ ask: 'log' } satisfies ToCarrier);
    const said = await answer;
    if (!('log' in said)) throw new Error('the carrier was asked for its log');
    return said.log;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

async function answerOf(child: ChildProcess): Promise<FromCarrier> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`the carrier ended with ${String(code)}`);
  });
  try {
    const [said] = (await Promise.race([once(child, 'message', { signal: ended.signal }), exit])) as [FromCarrier];
    return said;
  } finally {
    ended.abort();
    exit.catch(() => undefined); // not waited for any more
  }
}

/** The smallest time between two INVITEs that follow each other, ms; Infinity for fewer than two. */
export function smallestGapMs(calls: readonly CarrierCall[]): number {
  const times = calls.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  return Math.min(Infinity, ...times.slice(1).map((atMs, n) => atMs - times[n]!));
}

/** The most INVITEs that any window of this length holds. */
export function mostWithin(calls: readonly CarrierCall[], windowMs: number): number {
  const times = calls.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  let first = 0;
  return times.reduce((most, atMs, n) => {
    while (atMs - times[first]! >= windowMs) first++;
    return Math.max(most, n - first + 1);
  }, 0);
}
