/** Rows of the store as the contract shows them. */
import { AGENT_ID_HEADER } from '../contract/directory';
import type { Gateway, Routing } from '../contract/directory';
import type { Call as CallRow } from '../store/entities/call';
import type { Contact } from '../store/entities/contact';
import type { SipBinding } from '../contract/registration';
import type { InboundTrunk as InboundTrunkRow } from '../store/entities/inbound-trunk';
import type { PhoneNumber as PhoneNumberRow } from '../store/entities/phone-number';
import { codeCallId } from '../store/ids';
import type { AgentRecord } from '../store/repositories/agent-repository';
import type { StoredEvent } from '../store/repositories/event-repository';
import type { CapacityPlace } from '../store/repositories/capacity-repository';
import type { OutboundTrunkRecord } from '../store/repositories/outbound-trunk-repository';
import type {
  AssignedDestination,
  TransferDestinationRecord,
} from '../store/repositories/transfer-destination-repository';
import type { ValidationIssue } from './errors';
import { isoTime, isoTimeOrNull } from './iso-time';
import { failureMessage } from './numbers/verification-failures';
import type { AgentResource } from './schemas/agent';
import type { CallResource, CallEventResource } from './schemas/call';
import type { ContactResource } from './schemas/contact';
import type { InboundTrunkResource, SipRegistrationResource } from './schemas/inbound-trunk';
import type { PhoneNumberRecord } from './schemas/number';
import type { RoutingResource } from './schemas/routing';
import type { OutboundTrunkResource, OutboundTrunkSummary } from './schemas/outbound-trunk';
import type { AgentDestinationResource, TransferDestinationResource } from './schemas/transfer-destination';
import { inboundTrunkWarnings, outboundTrunkWarnings } from './warnings';

export function agentView(row: AgentRecord): AgentResource {
  return {
    id: row.id,
    org_id: row.orgId,
    name: row.name,
    type: row.type,
    phone_number: row.phoneNumber,
    voice_id: row.voiceId,
    language: row.language,
    first_message: row.firstMessage,
    instructions: row.instructions,
    handoff_phone_number: row.handoffPhoneNumber,
    use_org_knowledgebase: row.useOrgKnowledgebase,
    actionIds: row.actionIds,
    interruptible: row.interruptible,
    recording_enabled: row.recordingEnabled,
    stt_keyterms: row.sttKeyterms,
    tts_speed_pct: row.ttsSpeedPct,
    failover_transfer_destination_id: row.failoverTransferDestinationId,
    data_collection_fields: row.dataCollectionFields,
    data_collection_webhook_url: row.dataCollectionWebhookUrl,
    session_window_hours: row.sessionWindowHours,
    ambient_noise: row.ambientNoise,
    max_call_duration_seconds: row.maxCallDurationSeconds,
    silence_timeout_seconds: row.silenceTimeoutSeconds,
    llm: row.llm,
    stt: row.stt,
    tts: row.tts,
    custom_llm: row.customLlm,
    ...OPENCX_AGENT_FIELDS,
    created_at: isoTime(row.createdAt),
    updated_at: isoTime(row.updatedAt),
  };
}

/** Clients of OpenCX expect them; nothing here sets them. */
const OPENCX_AGENT_FIELDS = {
  accent: null,
  speed: null,
  model: null,
  provider_external_id: null,
  flow: null,
  manual_mode: false,
} as const;

export function numberView(row: PhoneNumberRow): PhoneNumberRecord {
  return {
    id: row.id,
    org_id: row.orgId,
    phone_number: row.phoneNumber,
    status: row.status,
    method: row.method,
    phone_agent_id: row.agentId,
    trunk_id: row.trunkId,
    call_id: row.method === 'outbound_code' ? codeCallId({ numberId: row.id, n: row.round }) : null,
    code_expires_at: row.method === 'outbound_code' ? isoTimeOrNull(row.codeExpiresAt) : null,
    expires_at: row.status === 'pending' ? isoTimeOrNull(row.codeExpiresAt) : null,
    failure: row.failure === null ? null : { code: row.failure, message: failureMessage(row.failure) },
    verified_at: isoTimeOrNull(row.verifiedAt),
    created_at: isoTime(row.createdAt),
  };
}

type InboundTrunkPublic = Omit<InboundTrunkRow, 'authPasswordSealed' | 'previousPasswordSealed' | 'version'>;

/** Without the password: what an audit row keeps. */
export function inboundTrunkAuditView(
  row: InboundTrunkPublic,
): Omit<InboundTrunkResource, 'auth_password' | 'sip_endpoint'> {
  return {
    id: row.id,
    auth_username: row.authUsername,
    previous_password_valid_until: isoTimeOrNull(row.previousPasswordUntil),
    phone_numbers: row.phoneNumbers,
    krisp_enabled: row.krispEnabled,
    media_timeout_seconds: row.mediaTimeoutSeconds,
    agent_id_header: AGENT_ID_HEADER,
    auth: row.auth,
    ip_allowlist: row.ipAllowlist,
    media_source: row.mediaSource,
    codecs: row.codecs,
    dtmf_mode: row.dtmfMode,
    srtp: 'off',
    max_concurrent_calls: row.maxConcurrentCalls,
    max_calls_per_second: row.maxCallsPerSecond,
    created_at: isoTime(row.createdAt),
    updated_at: isoTime(row.updatedAt),
  };
}

export function inboundTrunkView(
  row: InboundTrunkPublic & { readonly authPassword: string },
  sipEndpoint: string,
): InboundTrunkResource {
  const view = { ...inboundTrunkAuditView(row), sip_endpoint: sipEndpoint, auth_password: row.authPassword };
  return withWarnings(view, inboundTrunkWarnings(view));
}

function withWarnings<View extends object>(view: View, warnings: ValidationIssue[]): View {
  return warnings.length === 0 ? view : { ...view, warnings };
}

/** After a write: with what does not happen as it says. */
export function outboundTrunkSavedView(row: OutboundTrunkRecord): OutboundTrunkSummary {
  return withWarnings(outboundTrunkSummaryView(row), outboundTrunkWarnings(outboundTrunkAuditView(row)));
}

export function outboundTrunkView(row: OutboundTrunkRecord): Omit<OutboundTrunkResource, 'agents'> {
  const view = outboundTrunkAuditView(row);
  return withWarnings(view, outboundTrunkWarnings(view));
}

export function registrationView(binding: SipBinding): SipRegistrationResource {
  const { contact, source, path, userAgent } = binding;
  const host = source.address.includes(':') ? `[${source.address}]` : source.address;
  return {
    contact: withoutPassword(contact),
    transport: source.transport,
    source: `${host}:${source.port}`,
    path: path.map(withoutPassword),
    user_agent: userAgent,
    registered_at: new Date(binding.registeredAtMs).toISOString(),
    refreshed_at: new Date(binding.refreshedAtMs).toISOString(),
    expires_at: new Date(binding.expiresAtMs).toISOString(),
  };
}

/** A SIP URI may hold one after its user (RFC 3261 §19.1.1). */
function withoutPassword(uri: string): string {
  return uri.replace(/^(<?sips?:[^:@]*):[^@]*@/i, '$1@');
}

export function outboundTrunkSummaryView(row: OutboundTrunkRecord): OutboundTrunkSummary {
  return { id: row.id, name: row.name, created_at: isoTime(row.createdAt), updated_at: isoTime(row.updatedAt) };
}

/** Without the password, as everything of it that is shown. */
export function outboundTrunkAuditView(row: OutboundTrunkRecord): Omit<OutboundTrunkResource, 'warnings'> {
  return {
    ...outboundTrunkSummaryView(row),
    host: row.host,
    port: row.port,
    transport: row.transport,
    username: row.username,
    has_password: true,
    caller_number: row.callerNumber,
    media_timeout_seconds: row.mediaTimeoutSeconds,
    caller_numbers: row.callerNumbers,
    gateways: row.gateways.map(gatewayView),
    codecs: row.codecs,
    dtmf_mode: row.dtmfMode,
    srtp: 'off',
    max_concurrent_calls: row.maxConcurrentCalls,
    max_calls_per_second: row.maxCallsPerSecond,
    number_format: row.numberFormat,
    number_prefix: row.numberPrefix,
    from_host: row.fromHost,
    headers: row.headers,
    pass_caller_id: row.passCallerId,
    transport_strict: row.transportStrict,
    allowed_countries: row.allowedCountries,
    register: row.register,
    options_ping: row.optionsPing,
  };
}

/** In the order of the request, which `jsonb` does not keep. */
function gatewayView({ host, port, transport, priority, weight }: Gateway): Gateway {
  return { host, port, transport, priority, weight };
}

export function transferDestinationView(row: TransferDestinationRecord): TransferDestinationResource {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    value: row.value,
    mode: row.mode,
    ring_timeout_seconds: row.ringTimeoutSeconds,
    announce: row.announce,
    username: row.username,
    has_password: row.hasPassword,
    created_at: isoTime(row.createdAt),
    updated_at: isoTime(row.updatedAt),
  };
}

export function agentDestinationView(row: AssignedDestination): AgentDestinationResource {
  return { ...transferDestinationView(row), keypad: row.keypad };
}

export function contactView(row: Contact): ContactResource {
  return {
    id: row.id,
    email: row.email,
    phone_number: row.phoneNumber,
    name: row.name,
    custom_data: row.customData,
    created_at: isoTime(row.createdAt),
    updated_at: isoTime(row.updatedAt),
  };
}

/** @param place where it stands in the queue; null: it waits for nothing */
export function callView(row: CallRow, place: CapacityPlace | null = null): CallResource {
  const latency = row.metrics?.turnLatencyMs ?? null;
  return {
    id: row.id,
    org_id: row.orgId,
    phone_agent_id: row.agentId,
    direction: row.direction,
    from: row.fromNumber,
    to: row.toNumber,
    privacy: row.privacy,
    status: row.status,
    queue: place && { reason: place.reason, position: place.position, next_try_at: isoTimeOrNull(place.retryAt) },
    disposition: row.disposition,
    sip: { call_id: row.sipCallId, final_status: row.sipFinalStatus, reason: row.sipReason, q850: row.sipQ850 },
    trunk_id: row.trunkId,
    routing: row.routing && routingView(row.routing),
    campaign_id: row.campaignId,
    contact_id: row.contactId,
    session_id: row.sessionId,
    scheduled_at: isoTimeOrNull(row.scheduledAt),
    expires_at: isoTimeOrNull(row.expiresAt),
    started_at: isoTime(row.startedAt ?? row.createdAt),
    answered_at: isoTimeOrNull(row.answeredAt),
    ended_at: isoTimeOrNull(row.endedAt),
    duration_seconds: row.durationSeconds,
    ended_by: row.endedBy,
    end_reason: row.endReason,
    truncated: row.truncated,
    transfer: row.transfer && transferOf(row.transfer),
    machine_detection: null,
    recording: { available: false, duration_seconds: null },
    metrics: {
      post_dial_delay_ms: row.metrics?.postDialDelayMs ?? null,
      mos: row.metrics?.mos ?? null,
      packet_loss_pct: row.metrics?.packetLossPct ?? null,
      jitter_ms: row.metrics?.jitterMs ?? null,
      turn_latency_ms: latency === null ? null : { p50: latency.p50, p95: latency.p95 },
      opening_silence_ms: row.metrics?.openingSilenceMs ?? null,
    },
    metadata: row.metadata,
  };
}

function transferOf(transfer: NonNullable<CallRow['transfer']>): NonNullable<CallResource['transfer']> {
  const { id, mode, by = 'api' } = transfer;
  if (transfer.outcome === undefined) {
    return { id, by, mode, outcome: null, sip_status: null, duration_ms: null, failed_step: null };
  }
  const { outcome, sipStatus, durationMs, failedStep } = transfer;
  return { id, by, mode, outcome, sip_status: sipStatus, duration_ms: durationMs, failed_step: failedStep };
}

export function routingView({ steps, agentId }: Routing): RoutingResource {
  return { steps: steps.map(({ rule, matched, reason }) => ({ rule, matched, reason })), agent_id: agentId };
}

export function callEventView({ source, seq, at, type, data }: StoredEvent): CallEventResource {
  return { id: `${source}:${seq}`, source, seq, at: isoTime(at), type, data: wireNames(data) };
}

/** What the node's code calls `sipCallId` is `sip_call_id` on the wire, at any depth. */
function wireNames(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [toSnakeCase(name), wireValue(value)]));
}

function wireValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireValue);
  return value !== null && typeof value === 'object' ? wireNames(value as Record<string, unknown>) : value;
}

const toSnakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
