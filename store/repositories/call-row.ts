/** How a call's row begins, for the writers that may be the first: its workflow and its node. */
import type { CallDirection, CallStatus } from '../../contract/call';
import type { Routing } from '../../contract/directory';
import { jsonbParameter, storableText } from '../jsonb';

export interface NewCall {
  readonly id: string;
  readonly orgId: string;
  /** Null for a call that no agent makes. */
  readonly agentId: string | null;
  readonly trunkId: string | null;
  /** Of a campaign's call, as the next one. */
  readonly campaignId?: string | null;
  readonly contactId?: string | null;
  readonly sessionId: string;
  readonly direction: CallDirection;
  readonly from: string;
  readonly to: string;
  readonly privacy?: readonly string[];
  readonly status: CallStatus;
  readonly createdAtMs: number;
  readonly scheduledAtMs?: number | null;
  readonly expiresAtMs?: number | null;
  readonly nodeId?: string | null;
  readonly bootId?: string | null;
  readonly sipCallId?: string | null;
  readonly routingRule?: string | null;
  readonly routing?: Routing | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * Two parts of a WITH clause, `begun` and `started`: the row, and the first event of the workflow. What is there already
 * stays. Takes the first 23 parameters.
 */
export const CALL_BEGUN = `
  begun AS (
    INSERT INTO calls (id, org_id, agent_id, trunk_id, session_id, direction, from_number, to_number, status,
      created_at, started_at, node_id, boot_id, sip_call_id, routing_rule, metadata, privacy, routing, scheduled_at,
      expires_at, campaign_id, contact_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $18::text[], $19::jsonb, $20, $21, $22, $23)
    ON CONFLICT (id) DO NOTHING RETURNING id),
  started AS (
    INSERT INTO call_events (call_id, source, seq, org_id, at, type, data)
    SELECT id, 'workflow', 1, $2, $10, 'call.started', $17::jsonb FROM begun
    ON CONFLICT DO NOTHING)`;

export function callParameters(call: NewCall): unknown[] {
  return [
    call.id,
    call.orgId,
    call.agentId,
    call.trunkId,
    call.sessionId,
    call.direction,
    storableText(call.from),
    storableText(call.to),
    call.status,
    timestamp(call.createdAtMs),
    timestamp(call.createdAtMs),
    call.nodeId ?? null,
    call.bootId ?? null,
    call.sipCallId == null ? null : storableText(call.sipCallId),
    call.routingRule ?? null,
    jsonbParameter(call.metadata ?? {}),
    jsonbParameter({ direction: call.direction, routing_rule: call.routingRule ?? null }),
    call.privacy ?? [],
    call.routing == null ? null : jsonbParameter(call.routing),
    timestamp(call.scheduledAtMs),
    timestamp(call.expiresAtMs),
    call.campaignId ?? null,
    call.contactId ?? null,
  ];
}

/** Of epoch milliseconds. */
export function timestamp(ms: number | null | undefined): Date | null {
  return ms == null ? null : new Date(ms);
}
