/** Campaigns of an end-to-end test, as a client of the API sees them. */
import type { CallRecord, OutboundCalls } from './outbound';
import type { ApiAnswer, Stack } from './stack';
import { waitFor } from './wait-for';

interface CampaignRecord {
  readonly id: string;
  readonly status: string;
}

export interface ContactRecord {
  readonly phone_number: string;
  readonly state: string;
  readonly result: string | null;
  readonly attempts: number;
  readonly last_disposition: string | null;
}

/** At any hour, by any day: the hours of the law have tests of their own. */
const ALWAYS = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  start: '00:00',
  end: '24:00',
  legal: 'off',
} as const;

export class CampaignCalls {
  readonly #stack: Stack;
  readonly #calls: OutboundCalls;

  constructor(stack: Stack, calls: OutboundCalls) {
    this.#stack = stack;
    this.#calls = calls;
  }

  /** A draft that calls these numbers once each, over one trunk. */
  async create(trunkId: string, numbers: readonly string[], more: object = {}): Promise<string> {
    const made = await this.#stack.api<CampaignRecord>('POST', '/phone/campaigns', {
      name: 'C',
      phone_agent_id: this.#calls.agentId,
      trunk_ids: [trunkId],
      window: ALWAYS,
      require_consent: false,
      retry: { max_attempts_total: 1 },
      ...more,
    });
    if (made.status !== 201) throw new Error(`campaign: ${made.status} ${JSON.stringify(made.body)}`);
    const contacts = numbers.map((phone_number) => ({ phone_number, time_zone: 'America/New_York' }));
    await this.#stack.api('POST', `/phone/campaigns/${made.body.id}/contacts`, { contacts });
    return made.body.id;
  }

  async act(id: string, action: 'start' | 'pause' | 'resume' | 'cancel'): Promise<CampaignRecord> {
    const answer: ApiAnswer<CampaignRecord> = await this.#stack.api('POST', `/phone/campaigns/${id}/${action}`);
    if (answer.status !== 200) throw new Error(`${action}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async is(id: string, status: string, limitMs = 30_000): Promise<void> {
    await waitFor(`the campaign ${status}`, limitMs, async () => {
      const { body } = await this.#stack.api<CampaignRecord>('GET', `/phone/campaigns/${id}`);
      return body.status === status ? true : undefined;
    });
  }

  /** By number. */
  async contacts(id: string): Promise<ReadonlyMap<string, ContactRecord>> {
    const path = `/phone/campaigns/${id}/contacts?limit=100`;
    const { items } = (await this.#stack.api<{ items: ContactRecord[] }>('GET', path)).body;
    return new Map(items.map((contact) => [contact.phone_number, contact]));
  }

  async calls(id: string): Promise<CallRecord[]> {
    return (await this.#stack.api<{ items: CallRecord[] }>('GET', `/phone/calls?campaign_id=${id}&limit=100`)).body
      .items;
  }

  /** Oldest first. */
  async timeline(id: string): Promise<string[]> {
    const path = `/phone/campaigns/${id}/events?limit=100`;
    const { items } = (await this.#stack.api<{ items: { readonly type: string }[] }>('GET', path)).body;
    return items.map(({ type }) => type).reverse();
  }
}
