import { z } from 'zod';
import { CALL_DIRECTIONS, CALL_STATUSES } from '../../contract/call';
import { CAPACITY_REASONS } from '../../contract/capacity';
import { DISPOSITIONS, ENDED_BY } from '../../contract/endings';
import { routing } from './routing';
import { transferView } from './transfer';
import {
  id,
  MAX_FIRST_MESSAGE_CHARS,
  pageOf,
  pageQuery,
  phoneNumber,
  isoTimestamp,
  variables,
  warnings,
} from './primitives';

const direction = z.enum(CALL_DIRECTIONS);
const status = z.enum(CALL_STATUSES);
const disposition = z.enum(DISPOSITIONS);

const instant = z.iso.datetime({ offset: true });

export const outboundCall = z
  .object({
    phone_agent_id: id,
    phone_number: phoneNumber,
    contact_id: id.nullish().meta({ description: 'Not acted on yet: warned of, and no call without `phone_number`' }),
    first_message: z
      .string()
      .max(MAX_FIRST_MESSAGE_CHARS)
      .optional()
      .meta({ description: "Instead of the agent's own" }),
    variables: variables.optional().meta({ description: 'Fills `{{name}}` in the first message' }),
    trunk_id: id.optional().meta({ description: "Default: the agent's outbound trunk" }),
    caller_number: phoneNumber.optional().meta({ description: 'One that the trunk owns' }),
    ring_timeout_seconds: z.int().min(5).max(120).default(45),
    max_duration_seconds: z.int().min(10).max(21_600).optional().meta({ description: "Default: the agent's" }),
    scheduled_at: instant
      .nullish()
      .meta({ description: 'When it is dialled, at most 90 days ahead; null, and what is past: at once' }),
    expires_at: instant.nullish().meta({
      description:
        'A call that was not dialled by then never is: `expired`. Default: an hour after `scheduled_at`, or after now',
    }),
    machine_detection: z
      .enum(['off', 'hangup', 'message', 'continue'])
      .default('off')
      .meta({ description: 'Anything but `off` is refused' }),
    voicemail_message: z
      .string()
      .max(MAX_FIRST_MESSAGE_CHARS)
      .nullish()
      .meta({ description: 'Not acted on yet: warned of' }),
    metadata: z.record(z.string().max(200), z.unknown()).optional(),
  })
  .refine((body) => body.contact_id == null || numberGiven(body), {
    path: ['contact_id'],
    message: 'No contact is called yet; give phone_number',
    // Also beside what is said of the number that is not there.
    when: () => true,
  })
  .meta({ id: 'OutboundCallRequest' });

/** A number that is none is its own issue. */
function numberGiven(body: object): boolean {
  return 'phone_number' in body && body.phone_number !== null;
}

const turnLatency = z.object({ p50: z.number(), p95: z.number() });

export const call = z
  .object({
    id,
    org_id: id,
    phone_agent_id: id.nullable(),
    direction,
    from: z.string(),
    to: z.string(),
    privacy: z.array(z.string()).meta({
      description: "Values of the caller's Privacy header (RFC 3323), empty without any: `from` is then not for agents",
    }),
    status,
    queue: z
      .object({
        reason: z.enum(CAPACITY_REASONS).meta({
          description:
            'As many calls as there may be, or as many as may begin in a second (of the trunk, or of the organisation); or the carrier has answered 503 and said for how long',
        }),
        position: z.int().meta({ description: '1: the next' }),
        next_try_at: isoTimestamp.nullable().meta({ description: 'null: when another call gives its place back' }),
      })
      .nullable()
      .meta({ description: 'What a call that is `queued` waits for; null: nothing' }),
    disposition: disposition.nullable(),
    sip: z.object({
      call_id: z.string().nullable(),
      final_status: z.int().nullable(),
      reason: z
        .string()
        .nullable()
        .meta({ description: 'Of the final answer; without one why there is none, or why nothing was dialled' }),
      q850: z.int().nullable(),
    }),
    trunk_id: id.nullable(),
    routing: routing.nullable().meta({ description: 'Why this agent answers; null for outbound calls' }),
    campaign_id: id.nullable(),
    contact_id: id.nullable(),
    session_id: id.nullable(),
    scheduled_at: isoTimestamp.nullable().meta({ description: 'When it is, or was, to be dialled; null: at once' }),
    expires_at: isoTimestamp.nullable().meta({ description: 'Outbound: not dialled by then, it never is' }),
    started_at: isoTimestamp,
    answered_at: isoTimestamp.nullable(),
    ended_at: isoTimestamp.nullable(),
    duration_seconds: z.number().nullable().meta({ description: 'From answer to end' }),
    ended_by: z.enum(ENDED_BY).nullable(),
    end_reason: z.string().nullable(),
    truncated: z.boolean().meta({ description: 'Events may be missing: the media node was lost' }),
    transfer: transferView.nullable().meta({ description: 'The last one' }),
    machine_detection: z.string().nullable(),
    recording: z.object({ available: z.boolean(), duration_seconds: z.number().nullable() }),
    metrics: z.object({
      post_dial_delay_ms: z.number().nullable(),
      mos: z.number().nullable(),
      packet_loss_pct: z.number().nullable(),
      jitter_ms: z.number().nullable(),
      turn_latency_ms: turnLatency.nullable(),
      opening_silence_ms: z.number().nullable().meta({
        description: "Before the agent's first sound, after the answer or after the greeting of whoever has answered",
      }),
    }),
    metadata: z.record(z.string(), z.unknown()),
    warnings,
  })
  .meta({ id: 'Call' });

export const callPatch = z
  .object({
    scheduled_at: instant.optional().meta({ description: 'Without `expires_at` that moves by as much' }),
    expires_at: instant.optional(),
  })
  .refine((body) => body.scheduled_at !== undefined || body.expires_at !== undefined, {
    message: 'Give scheduled_at or expires_at',
  })
  .meta({ id: 'CallPatch' });

export const callsQuery = pageQuery.extend({
  status: status.optional(),
  disposition: disposition.optional(),
  direction: direction.optional(),
  phone_agent_id: id.optional(),
  campaign_id: id.optional(),
  phone_number: z.string().max(40).optional().meta({ description: 'Either side of the call' }),
  created_after: z.iso.datetime({ offset: true }).optional(),
  created_before: z.iso.datetime({ offset: true }).optional(),
});

export const callPage = pageOf(call).meta({ id: 'CallPage' });

export const callEvent = z
  .object({
    id: z.string().meta({ description: '`<source>:<seq>`' }),
    source: z.enum(['node', 'workflow']),
    seq: z.int(),
    at: isoTimestamp,
    type: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'CallEvent' });

export const callEventPage = pageOf(callEvent).meta({ id: 'CallEventPage' });

export const transcript = z
  .object({
    call_id: id,
    turns: z.array(
      z.object({
        index: z.int(),
        speaker: z.enum(['agent', 'caller']),
        text: z.string(),
        start_ms: z.int().meta({ description: 'Since the answer' }),
        end_ms: z.int(),
        interrupted_at_ms: z.int().nullable(),
      }),
    ),
  })
  .meta({ id: 'Transcript' });

export type OutboundCallRequest = z.output<typeof outboundCall>;
export type CallResource = z.output<typeof call>;
export type CallsQuery = z.output<typeof callsQuery>;
export type CallEventResource = z.output<typeof callEvent>;
