/** Outbound calls of an end-to-end test: an agent that dials through trunks to the test's carriers. */
import { setTimeout as sleep } from 'node:timers/promises';

import { keyedCallId } from '../../store/ids';
import type { ApiAnswer, Stack } from './stack';
import { waitFor } from './wait-for';

export const CALLER_NUMBER = '+15551230000';
export const TRUNK_USERNAME = 'trunk-user';
export const TRUNK_PASSWORD = 'trunk-password-8d1f';

export interface CallRecord {
  readonly id: string;
  readonly to: string;
  readonly status: string;
  readonly disposition: string | null;
  readonly end_reason: string | null;
  readonly ended_by: string | null;
  readonly answered_at: string | null;
  readonly duration_seconds: number | null;
  readonly truncated: boolean;
  readonly sip: {
    readonly call_id: string | null;
    readonly final_status: number | null;
    readonly reason: string | null;
  };
}

export interface CallEventItem {
  readonly source: 'node' | 'workflow';
  readonly type: string;
}

let numbers = 0;

/** A number that nothing else of the run dials: what a carrier saw of a call is found by it. */
export function newNumber(): string {
  return `+1555200${String(++numbers).padStart(4, '0')}`;
}

export class OutboundCalls {
  readonly agentId: string;
  readonly orgId: string;
  readonly #stack: Stack;

  private constructor(stack: Stack, agent: { readonly id: string; readonly org_id: string }) {
    this.#stack = stack;
    this.agentId = agent.id;
    this.orgId = agent.org_id;
  }

  static async create(stack: Stack): Promise<OutboundCalls> {
    const agent = await stack.api<{ id: string; org_id: string }>('POST', '/phone', {
      name: 'Dialling Agent',
      type: 'outbound',
      first_message: 'Hello, this is a test call.',
      silence_timeout_seconds: 60,
    });
    return new OutboundCalls(stack, agent.body);
  }

  /** A trunk to a port of this machine, without limits; its id. */
  async trunkTo(port: number, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const answer = await this.#stack.api<{ id: string }>('POST', '/phone/sip/outbound-trunks', {
      name: `carrier at ${port}`,
      host: '127.0.0.1',
      port,
      username: TRUNK_USERNAME,
      password: TRUNK_PASSWORD,
      caller_number: CALLER_NUMBER,
      max_concurrent_calls: null,
      max_calls_per_second: null,
      ...more,
    });
    if (answer.status !== 200) throw new Error(`trunk: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  }

  /** The bare answer to `POST /phone/outbound-call`. */
  post(
    trunkId: string,
    to: string,
    more: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer<CallRecord>> {
    const body = { phone_agent_id: this.agentId, trunk_id: trunkId, phone_number: to, ...more };
    return this.#stack.api('POST', '/phone/outbound-call', body, headers);
  }

  /** A call that was accepted. */
  async place(trunkId: string, to: string, more: Readonly<Record<string, unknown>> = {}): Promise<CallRecord> {
    const answer = await this.post(trunkId, to, more);
    if (answer.status !== 200) throw new Error(`call: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** As a client does that gets no answer, or is told to come again: with one key until the call is accepted. */
  async placeSurely(trunkId: string, to: string, key: string): Promise<CallRecord> {
    return waitFor(`an answer to ${key}`, 30_000, async () => {
      const answer = await this.post(trunkId, to, {}, { 'Idempotency-Key': key }).catch(() => undefined);
      if (answer?.status === 200) return answer.body;
      await sleep(200);
      return undefined;
    });
  }

  /** The id that a call of this key gets, before it exists. */
  keyedId(key: string): string {
    return keyedCallId(this.orgId, 'POST /phone/outbound-call', key, 1);
  }

  async find(callId: string): Promise<CallRecord> {
    const answer = await this.#stack.api<CallRecord>('GET', `/phone/calls/${callId}`);
    if (answer.status !== 200) throw new Error(`call ${callId}: ${answer.status}`);
    return answer.body;
  }

  async hangup(callId: string): Promise<ApiAnswer<CallRecord>> {
    return this.#stack.api('POST', `/phone/calls/${callId}/hangup`);
  }

  async until(callId: string, status: CallRecord['status'], limitMs = 15_000): Promise<CallRecord> {
    return waitFor(`${callId} ${status}`, limitMs, async () => {
      const call = await this.find(callId).catch(() => undefined);
      if (call?.status === 'completed' && status !== 'completed') throw new Error(`ended: ${JSON.stringify(call)}`);
      return call?.status === status ? call : undefined;
    });
  }

  /** The finished call, which must have left exactly one terminal event. */
  async ended(callId: string, limitMs = 15_000): Promise<CallRecord> {
    const call = await this.until(callId, 'completed', limitMs);
    const terminal = (await this.events(callId)).filter(({ type }) => type === 'call.ended' || type === 'call.failed');
    const expected = call.answered_at === null ? 'call.failed' : 'call.ended';
    if (terminal.length !== 1 || terminal[0]?.type !== expected) {
      throw new Error(`${callId} (${call.disposition}) has the terminal events ${JSON.stringify(terminal)}`);
    }
    return call;
  }

  async events(callId: string): Promise<CallEventItem[]> {
    const answer = await this.#stack.api<{ items: CallEventItem[] }>('GET', `/phone/calls/${callId}/events?limit=100`);
    return answer.body.items;
  }
}
