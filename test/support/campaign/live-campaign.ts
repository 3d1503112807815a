/** A campaign of a stack that calls numbers at a simulated carrier, and what the product says of it. */
import { OutboundCalls } from '../outbound';
import type { ApiAnswer, Stack } from '../stack';
import { waitFor } from '../wait-for';
import { SimulatedCarrier } from './carrier';
import type { CarrierOptions } from './carrier';

export interface CampaignStats {
  readonly contacts: number;
  readonly states: Readonly<Record<string, number>>;
  readonly results: Readonly<Record<string, number>>;
  readonly attempts: number;
}

export interface LiveCampaignOptions {
  readonly contacts: number;
  readonly callsPerSecond: number;
  readonly carrier: Omit<CarrierOptions, 'port'>;
  /** Over what a test needs by itself: called at any hour, once each. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** At any hour; only an operator's key may say so. */
const ALWAYS = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], start: '00:00', end: '24:00', legal: 'off' };
const ONCE = { max_attempts_total: 1 };

export class LiveCampaign {
  readonly id: string;
  readonly trunkId: string;
  readonly carrier: SimulatedCarrier;
  readonly #stack: Stack;

  private constructor(stack: Stack, id: string, trunkId: string, carrier: SimulatedCarrier) {
    this.#stack = stack;
    this.id = id;
    this.trunkId = trunkId;
    this.carrier = carrier;
  }

  /** With its contacts, not started. */
  static async create(stack: Stack, options: LiveCampaignOptions): Promise<LiveCampaign> {
    const [calls, carrier] = await Promise.all([OutboundCalls.create(stack), SimulatedCarrier.start(options.carrier)]);
    return LiveCampaign.#create(stack, calls, carrier, options).catch(async (error: unknown) => {
      await carrier.stop();
      throw error;
    });
  }

  static async #create(
    stack: Stack,
    calls: OutboundCalls,
    carrier: SimulatedCarrier,
    { contacts, callsPerSecond, fields = {} }: LiveCampaignOptions,
  ): Promise<LiveCampaign> {
    const trunkId = await calls.trunkTo(carrier.port, { max_calls_per_second: callsPerSecond });
    const made = await stack.api<{ id: string }>('POST', '/phone/campaigns', {
      name: 'A campaign',
      phone_agent_id: calls.agentId,
      trunk_ids: [trunkId],
      window: ALWAYS,
      ring_timeout_seconds: 5,
      retry: ONCE,
      disclosure_line: null,
      ...fields,
    });
    if (made.status !== 201) throw new Error(`campaign: ${made.status} ${JSON.stringify(made.body)}`);
    const campaign = new LiveCampaign(stack, made.body.id, trunkId, carrier);
    await campaign.#import(contacts);
    return campaign;
  }

  async act(what: 'start' | 'pause' | 'resume' | 'cancel'): Promise<void> {
    const answer = await this.post(what);
    if (answer.status !== 200) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  post(what: string): Promise<ApiAnswer> {
    return this.#stack.api('POST', `/phone/campaigns/${this.id}/${what}`);
  }

  async stats(): Promise<CampaignStats> {
    const answer = await this.#stack.api<CampaignStats>('GET', `/phone/campaigns/${this.id}/stats`);
    if (answer.status !== 200) throw new Error(`stats: ${answer.status}`);
    return answer.body;
  }

  /** Waits while that cannot be asked. */
  async until(status: string, limitMs: number): Promise<void> {
    let last: unknown;
    await waitFor(`the campaign to be ${status}`, limitMs, async () => {
      const path = `/phone/campaigns/${this.id}`;
      const answer = await this.#stack.api<{ status: string }>('GET', path).catch(() => undefined);
      last = answer?.body.status;
      return last === status ? true : undefined;
    }).catch(async (error: unknown) => {
      const stats = await this.stats().catch(String);
      throw new Error(`it is ${String(last)}: ${JSON.stringify(stats)}`, { cause: error });
    });
  }

  /** Of numbers of its own, in the order of their calling. */
  async #import(contacts: number): Promise<void> {
    const rows = Array.from({ length: contacts }, (_, n) => ({
      phone_number: numberOf(n),
      time_zone: 'America/New_York',
      consent_id: `form-${n}`,
    }));
    for (let at = 0; at < rows.length; at += 1_000) {
      const path = `/phone/campaigns/${this.id}/contacts`;
      const body = { contacts: rows.slice(at, at + 1_000) };
      const answer = await this.#stack.api<{ accepted: number }>('POST', path, body);
      if (answer.body.accepted !== body.contacts.length) throw new Error(`import: ${JSON.stringify(answer.body)}`);
    }
  }
}

let campaigns = 0;

function numberOf(n: number): string {
  if (n === 0) campaigns += 1;
  return `+1212${String(200 + campaigns)}${String(n).padStart(4, '0')}`;
}
