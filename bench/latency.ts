/**
 * `npm run bench:latency`: what a caller and a client of the API wait for, on the whole product with one call at a time.
 * Prints one JSON line. `BENCH_CALLS` (default 60) changes the number of measurements.
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { PhoneMedia } from '../test/support/phone/media';
import { Phone } from '../test/support/phone/phone';
import { Stack } from '../test/support/stack';
import { bridgeSetup } from './bridge-setup';
import type { BridgeSetup } from './bridge-setup';
import { percentiles } from './percentiles';

const DIALED = '+15551234567';
const CALLED = '+15559876543';
const GOALS = {
  inviteTo200Ms: { p50: 25, p95: 50 },
  answerToFirstRtpMs: { p95: 20 },
  postToInviteMs: { p50: 45, p95: 90 },
  hangupToByeMs: { p95: 60 },
  bridgeTwoWayMs: { p50: 40 },
};
/** Measured on the same class of machine (two shared cores). */
const COMPARED_WITH = { livekitSipInviteTo200P50Ms: 84, diagoGoInviteTo200P95Ms: 0.7 };
/** Between two calls: nothing of the last one is under way. */
const PAUSE_MS = 250;

async function main(): Promise<void> {
  const calls = Number(process.env['BENCH_CALLS'] ?? 60);
  const before = loadavg()[0];
  const media = new PhoneMedia();
  const stack = await Stack.start();
  try {
    const bench = await Bench.open(stack, media);
    const cached = await bench.inbound(calls);
    const uncached = await bench.inbound(Math.ceil(calls / 3), true);
    const outbound = await bench.outbound(calls);
    const bridge = await bench.bridges(calls);
    const figures = {
      bench: 'latency',
      inviteTo200Ms: percentiles(cached.inviteTo200),
      inviteTo200UncachedMs: percentiles(uncached.inviteTo200),
      answerToFirstRtpMs: percentiles(cached.answerToFirstRtp),
      // The packet was read before the 200 that left before it: these calls are not in the figures above.
      firstRtpReadBefore200: cached.readBefore200,
      postToInviteMs: percentiles(outbound.postToInvite),
      postToAnswerOfApiMs: percentiles(outbound.postToAnswer),
      hangupToByeMs: percentiles(outbound.hangupToBye),
      bridgeTwoWayMs: percentiles(bridge.twoWay),
      bridgeCalleeHearsMs: percentiles(bridge.calleeHears),
      bridgeCallerHearsMs: percentiles(bridge.callerHears),
      bridgeCalleeSpeaksMs: percentiles(bridge.calleeSpeaks),
      bridgeForwardedMs: percentiles(bridge.forwarded),
      bridgesUnreadable: bridge.unreadable,
      goals: GOALS,
      comparedWith: COMPARED_WITH,
      cores: cpus().length,
      loadAverage: { before, after: loadavg()[0] },
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    bench.close();
  } finally {
    await media.close();
    await stack.stop();
  }
}

class Bench {
  readonly #stack: Stack;
  readonly #phone: Phone;
  readonly #carrier: Phone;
  readonly #agentId: string;
  #inviteAt = 0;
  #onInvite: () => void = () => undefined;

  private constructor(stack: Stack, phone: Phone, carrier: Phone, agentId: string) {
    this.#stack = stack;
    this.#phone = phone;
    this.#carrier = carrier;
    this.#agentId = agentId;
  }

  static async open(stack: Stack, media: PhoneMedia): Promise<Bench> {
    const agent = await stack.api<{ id: string }>('POST', '/phone', { name: 'Bench', first_message: 'Hello there!' });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      {
        phone_numbers: [DIALED],
      },
    );
    const server = { address: stack.sipHost, port: stack.sipPort };
    const credentials = { username: trunk.body.auth_username, password: trunk.body.auth_password };
    const phone = await Phone.open({ media, server, credentials });
    let bench: Bench | undefined;
    const carrier = await Phone.open({
      media,
      answer: () => {
        bench?.invited();
        return { status: 200, ringMs: 20 };
      },
    });
    const outbound = await stack.api<{ id: string }>('POST', '/phone/sip/outbound-trunks', {
      name: 'bench carrier',
      host: '127.0.0.1',
      port: carrier.port,
      username: 'u',
      password: 'p',
      caller_number: DIALED,
      max_concurrent_calls: null,
      max_calls_per_second: null,
    });
    await stack.api('PUT', `/phone/sip/agents/${agent.body.id}/outbound-trunk`, { trunk_id: outbound.body.id });
    bench = new Bench(stack, phone, carrier, agent.body.id);
    await sleep(1_000);
    await bench.inbound(3);
    await bench.outbound(3);
    return bench;
  }

  invited(): void {
    this.#inviteAt = performance.now();
    this.#onInvite();
  }

  /** `fresh`: every call has a first message that was never spoken before. */
  async inbound(
    calls: number,
    fresh = false,
  ): Promise<{ inviteTo200: number[]; answerToFirstRtp: number[]; readBefore200: number }> {
    const inviteTo200: number[] = [];
    const answerToFirstRtp: number[] = [];
    let readBefore200 = 0;
    for (let n = 0; n < calls; n++) {
      if (fresh) {
        await this.#stack.api('PATCH', `/phone/${this.#agentId}`, {
          first_message: `Hello, this is greeting number ${Math.floor(Math.random() * 1e6)}.`,
        });
        await sleep(700);
      }
      const call = await this.#phone.call(DIALED);
      const { lastInvite, answered } = call.times;
      inviteTo200.push((answered ?? 0) - (lastInvite ?? 0));
      await sleep(200);
      const { firstAtMs } = await call.recording();
      if (firstAtMs === null) throw new Error('a call without a packet');
      const afterMs = firstAtMs - performance.timeOrigin - (answered ?? 0);
      if (afterMs < 0) readBefore200++;
      else answerToFirstRtp.push(afterMs);
      await call.hangup();
      await sleep(PAUSE_MS);
    }
    return { inviteTo200, answerToFirstRtp, readBefore200 };
  }

  async outbound(calls: number): Promise<{ postToInvite: number[]; postToAnswer: number[]; hangupToBye: number[] }> {
    const postToInvite: number[] = [];
    const postToAnswer: number[] = [];
    const hangupToBye: number[] = [];
    for (let n = 0; n < calls; n++) {
      const invited = new Promise<void>((resolve) => (this.#onInvite = resolve));
      const posted = performance.now();
      const placed = await this.#stack.api<{ id: string }>('POST', '/phone/outbound-call', {
        phone_agent_id: this.#agentId,
        phone_number: CALLED,
      });
      postToAnswer.push(performance.now() - posted);
      await invited;
      postToInvite.push(this.#inviteAt - posted);
      const call = await this.#carrier.nextCall();
      await sleep(300);
      const asked = performance.now();
      await this.#stack.api('POST', `/phone/calls/${placed.body.id}/hangup`);
      const { atMs } = await call.ended;
      hangupToBye.push(atMs - asked);
      await sleep(PAUSE_MS);
    }
    return { postToInvite, postToAnswer, hangupToBye };
  }

  /** From the 200 of whoever is called until both hear each other. */
  bridges(count: number): Promise<BridgeSetup> {
    return bridgeSetup(this.#stack, { phone: this.#phone, carrier: this.#carrier, dialed: DIALED }, count);
  }

  close(): void {
    this.#phone.close();
    this.#carrier.close();
  }
}

void main();
