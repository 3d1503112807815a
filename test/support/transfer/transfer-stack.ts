/** A product with an agent, a phone that calls it, and one behind its trunk whom callers are handed over to. */
import { setTimeout as sleep } from 'node:timers/promises';

import { OutboundCalls } from '../outbound';
import { PhoneMedia } from '../phone/media';
import type { Answering, PhoneOptions } from '../phone/options';
import { Phone } from '../phone/phone';
import type { PhoneCall } from '../phone/phone-call';
import { Stack } from '../stack';
import { amplitudeAt, sine } from '../tones';
import { waitFor } from '../wait-for';
import { DIALED } from './matrix-stack';
import type { TransferRecord } from './matrix-stack';

export const SAMPLES_PER_MS = 8;
/** Tones of the two who are joined. */
export const CALLER_HZ = 700;
export const FAR_HZ = 1_150;
export const AMPLITUDE = 6_000;

export interface TransferredCall {
  readonly id: string;
  readonly status: string;
  readonly end_reason: string | null;
  readonly ended_by: string | null;
  readonly session_id: string;
  readonly phone_agent_id: string;
  readonly sip: { readonly call_id: string };
  readonly transfer: TransferRecord | null;
}

export interface TransferEvent {
  readonly type: string;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface TransferStackOptions {
  /** Beside a first message, of which there is none. */
  readonly agent: { readonly name: string } & Readonly<Record<string, unknown>>;
  readonly caller?: Partial<PhoneOptions>;
  /** Default: another codec than the caller's. */
  readonly far?: Partial<PhoneOptions>;
  readonly trunk?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export class TransferStack {
  readonly stack: Stack;
  readonly media: PhoneMedia;
  readonly caller: Phone;
  readonly far: Phone;
  readonly agentId: string;
  /** What `far`, and every phone that is opened like it, does next. */
  answering: Answering = { status: 200, ringMs: 300 };
  /** What `far` does with a number, whatever comes next: for calls at the same time. */
  readonly answers = new Map<string, Answering>();

  static async start(options: TransferStackOptions): Promise<TransferStack> {
    const stack = await Stack.start(options.env === undefined ? {} : { env: options.env });
    const media = new PhoneMedia();
    try {
      const fields = { first_message: '', silence_timeout_seconds: 60, ...options.agent };
      const agent = await stack.api<{ id: string; warnings?: unknown[] }>('POST', '/phone', fields);
      expect(agent.body.warnings ?? []).toEqual([]);
      const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
        'POST',
        '/phone/sip/inbound-trunk',
        { phone_numbers: [DIALED] },
      );
      const caller = await Phone.open({
        media,
        server: { address: stack.sipHost, port: stack.sipPort },
        credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
        ...options.caller,
      });
      const answers: { of: (user: string) => Answering } = { of: () => ({ status: 200 }) };
      const far = await Phone.open({ media, codecs: ['PCMA'], answer: ({ user }) => answers.of(user), ...options.far });
      const calls = await OutboundCalls.create(stack);
      await calls.trunkTo(far.port, options.trunk);
      await sleep(1_000);
      const made = new TransferStack(stack, { media, caller, far, agentId: agent.body.id });
      answers.of = (user) => made.answers.get(user) ?? made.answering;
      return made;
    } catch (error) {
      await media.close();
      await stack.stop();
      throw error;
    }
  }

  private constructor(stack: Stack, parts: Pick<TransferStack, 'media' | 'caller' | 'far' | 'agentId'>) {
    this.stack = stack;
    this.media = parts.media;
    this.caller = parts.caller;
    this.far = parts.far;
    this.agentId = parts.agentId;
  }

  async close(): Promise<void> {
    this.caller.close();
    this.far.close();
    await this.media.close();
    await this.stack.stop();
  }

  /** One more phone like `caller`. */
  openCaller(more: Partial<PhoneOptions> = {}): Promise<Phone> {
    return Phone.open({ ...this.caller.options, ...more });
  }

  /** One more phone like `far`. */
  openFar(more: Partial<PhoneOptions> = {}): Promise<Phone> {
    return Phone.open({ media: this.media, codecs: ['PCMA'], answer: () => this.answering, ...more });
  }

  /** A call that the agent has answered, and its path. */
  async answered(
    call: () => Promise<PhoneCall> = () => this.caller.call(DIALED),
  ): Promise<{ readonly phone: PhoneCall; readonly path: string }> {
    const phone = await call();
    const { id } = await waitFor('the call', 15_000, async () => {
      const page = await this.stack.api<{ items: TransferredCall[] }>('GET', '/phone/calls?status=in_progress');
      return page.body.items.find((item) => item.sip.call_id === phone.sipCallId);
    });
    return { phone, path: `/phone/calls/${id}` };
  }

  async find(path: string): Promise<TransferredCall> {
    return (await this.stack.api<TransferredCall>('GET', path)).body;
  }

  /** One that has begun; its id. */
  async transfer(path: string, body: object): Promise<string> {
    const { status, body: begun } = await this.stack.api<{ transfer_id: string }>('POST', `${path}/transfer`, body);
    expect([status, begun]).toEqual([200, { transfer_id: expect.any(String) }]);
    return begun.transfer_id;
  }

  /** Whoever has answered a transfer: its leg has the Call-ID of it. */
  callOf(transferId: string, limitMs = 15_000): Promise<PhoneCall> {
    return waitFor('the other leg', limitMs, () => this.far.calls.get(transferId));
  }

  outcomeOf(path: string, limitMs = 15_000): Promise<TransferRecord> {
    return waitFor('the outcome', limitMs, async () => {
      const { transfer } = await this.find(path);
      return transfer !== null && transfer.outcome !== null ? transfer : undefined;
    });
  }

  ended(path: string, limitMs = 15_000): Promise<TransferredCall> {
    return waitFor('the end of the call', limitMs, async () => {
      const call = await this.find(path);
      return call.status === 'completed' ? call : undefined;
    });
  }

  async events(path: string): Promise<TransferEvent[]> {
    return (await this.stack.api<{ items: TransferEvent[] }>('GET', `${path}/events?limit=100`)).body.items;
  }

  async turns(path: string): Promise<readonly { readonly speaker: string; readonly text: string }[]> {
    return (await this.stack.api<{ turns: { speaker: string; text: string }[] }>('GET', `${path}/transcript`)).body
      .turns;
  }

  /** At neither end is anything left of these calls; default: of any. */
  async untilNoLegIsLeft(calls?: readonly PhoneCall[]): Promise<void> {
    await waitFor('no leg to be left', 5_000, () => (calls ?? this.calls).every(({ over }) => over) || undefined);
  }

  async hangUpAll(): Promise<void> {
    await Promise.all(this.calls.map((call) => call.hangup()));
  }

  get calls(): readonly PhoneCall[] {
    return [...this.caller.calls.values(), ...this.far.calls.values()];
  }
}

/** What a phone hears from now on, for so long. */
export async function hears(call: PhoneCall, ms: number): Promise<Int16Array> {
  const before = (await call.recording()).pcm.length;
  await sleep(ms);
  return (await call.recording()).pcm.slice(before);
}

/** Each plays a tone of its own, and hears the other's and not its own; `least`: of its amplitude. */
export async function expectTwoWayAudio(one: PhoneCall, other: PhoneCall, least = 1 / 2): Promise<void> {
  void one.play(sine(CALLER_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
  void other.play(sine(FAR_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
  await sleep(600);
  const [first, second] = await Promise.all([hears(one, 1_000), hears(other, 1_000)]);
  expect(amplitudeAt(first, FAR_HZ)).toBeGreaterThan(AMPLITUDE * least);
  expect(amplitudeAt(first, CALLER_HZ)).toBeLessThan(AMPLITUDE / 20);
  expect(amplitudeAt(second, CALLER_HZ)).toBeGreaterThan(AMPLITUDE * least);
  expect(amplitudeAt(second, FAR_HZ)).toBeLessThan(AMPLITUDE / 20);
}
