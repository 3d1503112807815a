/** Examples of the OpenAPI document; a test parses each with its schema. */
import type { z } from 'zod';
import type { agent, agentDeleted, VoiceResource } from './agent';
import type { AgentConfig } from './agent-config';
import type { call, callEvent, transcript } from './call';
import type { ContactResource } from './contact';
import type { inboundTrunk, inboundTrunkDeleted } from './inbound-trunk';
import type { number, numberDeleted } from './number';
import type {
  outboundTrunk,
  outboundTrunkDeleted,
  OutboundTrunkResource,
  OutboundTrunkSummary,
} from './outbound-trunk';
import type {
  destinationAssigned,
  destinationUnassigned,
  transferDestinationDeleted,
  AgentDestinationResource,
  TransferDestinationResource,
} from './transfer-destination';
import type { RoutePreview } from './routing';

const ORG_ID = '01937f3e-5b7a-7c11-9d2e-2f4f8f1f0a01';
const AGENT_ID = '01937f3e-6c10-7f33-8a44-91b1a2c3d402';
const TRUNK_ID = '01937f3e-7a55-7abc-b0c1-5e6f70819203';
const NUMBER_ID = '01937f3e-8123-7d4e-a5f6-0718293a4b04';
const DESTINATION_ID = '01937f3e-9001-7e55-8b21-aa11bb22cc33';
const CALL_ID = '01937f40-1111-7222-8333-444455556666';
const CREATED = '2026-11-24T09:30:00.000Z';

const NUMBER = '+15551234567';
const callee = '+15559876543';

export const agentExample: z.output<typeof agent> = {
  id: AGENT_ID,
  org_id: ORG_ID,
  name: 'Support Agent',
  type: 'inbound',
  phone_number: NUMBER,
  voice_id: null,
  language: ['en'],
  first_message: 'Hi, thanks for calling! How can I help you today?',
  instructions: [],
  handoff_phone_number: null,
  use_org_knowledgebase: false,
  actionIds: null,
  interruptible: true,
  recording_enabled: false,
  stt_keyterms: [],
  tts_speed_pct: 100,
  failover_transfer_destination_id: null,
  data_collection_fields: null,
  data_collection_webhook_url: null,
  session_window_hours: 24,
  ambient_noise: 'none',
  max_call_duration_seconds: 3600,
  silence_timeout_seconds: 10,
  llm: null,
  stt: null,
  tts: null,
  custom_llm: null,
  accent: null,
  speed: null,
  model: null,
  provider_external_id: null,
  flow: null,
  manual_mode: false,
  created_at: CREATED,
  updated_at: CREATED,
};

export const agentDeletedExample: z.output<typeof agentDeleted> = {
  id: AGENT_ID,
  deleted: true,
  detached: { phone_numbers: [{ id: NUMBER_ID, phone_number: NUMBER }], campaigns: [] },
};

export const voicesExample: VoiceResource[] = [
  {
    id: 'slt',
    name: 'SLT',
    provider: 'embedded',
    language: ['en'],
    gender: 'female',
    sample_url: null,
    default: true,
  },
];

export const numberExample: z.output<typeof number> = {
  id: NUMBER_ID,
  org_id: ORG_ID,
  phone_number: NUMBER,
  status: 'verified',
  method: 'attest',
  phone_agent_id: null,
  trunk_id: null,
  call_id: null,
  code_expires_at: null,
  expires_at: null,
  failure: null,
  verified_at: CREATED,
  created_at: CREATED,
};

export const numberDeletedExample: z.output<typeof numberDeleted> = {
  id: NUMBER_ID,
  deleted: true,
  detached: { agents: [{ id: AGENT_ID, name: 'Support Agent' }], inbound_trunk: true },
};

export const inboundTrunkExample: z.output<typeof inboundTrunk> = {
  id: TRUNK_ID,
  sip_endpoint: 'sip.example.com',
  auth_username: 'trunk-5f2c9d0e1a7b3c48',
  auth_password: 'shown-on-every-answer-about-it',
  previous_password_valid_until: null,
  phone_numbers: [NUMBER],
  krisp_enabled: true,
  media_timeout_seconds: 30,
  agent_id_header: 'X-OPENCX-AGENT-ID',
  auth: 'digest',
  ip_allowlist: [],
  media_source: 'same_host',
  codecs: null,
  dtmf_mode: 'auto',
  srtp: 'off',
  max_concurrent_calls: null,
  max_calls_per_second: null,
  created_at: CREATED,
  updated_at: CREATED,
};

export const registeredTrunkExample: z.output<typeof inboundTrunk> = {
  ...inboundTrunkExample,
  registrations: [
    {
      contact: 'sip:trunk-5f2c9d0e1a7b3c48@192.168.1.20:5060',
      transport: 'udp',
      source: '203.0.113.20:62114',
      path: [],
      user_agent: 'FPBX-16.0.40(18.9)',
      registered_at: CREATED,
      refreshed_at: CREATED,
      expires_at: '2026-11-24T09:31:00.000Z',
    },
  ],
};

export const inboundTrunkDeletedExample: z.output<typeof inboundTrunkDeleted> = {
  id: TRUNK_ID,
  deleted: true,
  detached: { phone_numbers: [NUMBER] },
};

export const routePreviewExample: RoutePreview = {
  steps: [
    { rule: 'header', matched: false, reason: 'No agent is named by X-OPENCX-AGENT-ID.' },
    {
      rule: 'number_assignment',
      matched: true,
      reason: `The number, dialled without the plus sign, is assigned to the agent ${AGENT_ID}.`,
    },
  ],
  agent_id: AGENT_ID,
  rule: 'number_assignment',
  dialed_number: NUMBER,
  sip_status: null,
};

export const outboundTrunkSummaryExample: OutboundTrunkSummary = {
  id: TRUNK_ID,
  name: 'My SIP Provider',
  created_at: CREATED,
  updated_at: CREATED,
};

export const outboundTrunkChangedExample: OutboundTrunkResource = {
  ...outboundTrunkSummaryExample,
  host: 'sip.provider.com',
  port: 5060,
  transport: 'udp',
  username: 'user',
  has_password: true,
  caller_number: NUMBER,
  media_timeout_seconds: 30,
  caller_numbers: [],
  gateways: [],
  codecs: null,
  dtmf_mode: 'auto',
  srtp: 'off',
  max_concurrent_calls: null,
  max_calls_per_second: null,
  number_format: 'e164',
  number_prefix: '',
  from_host: null,
  headers: {},
  pass_caller_id: false,
  transport_strict: false,
  allowed_countries: null,
  register: true,
  options_ping: true,
};

export const outboundTrunkExample: z.output<typeof outboundTrunk> = {
  ...outboundTrunkChangedExample,
  health: {
    state: 'degraded',
    since: '2026-11-24T10:00:00.000Z',
    checked_at: '2026-11-24T10:00:30.000Z',
    reasons: [{ code: 'no_answer', message: '203.0.113.7:5060/udp: no answer to OPTIONS' }],
    rtt_ms: 42,
    node: 'media-1',
    registration: {
      state: 'registered',
      expires_at: '2026-11-24T10:10:00.000Z',
      last_status: 200,
      last_error: null,
    },
  },
  agents: [{ id: AGENT_ID, name: 'Support Agent' }],
};

export const outboundTrunkDeletedExample: z.output<typeof outboundTrunkDeleted> = {
  id: TRUNK_ID,
  deleted: true,
  detached: { agents: [{ id: AGENT_ID, name: 'Support Agent' }], campaigns: [] },
};

export const agentConfigExample: AgentConfig = {
  phone_agent_id: AGENT_ID,
  inbound_numbers: [{ id: NUMBER_ID, phone_number: NUMBER }],
  outbound_trunk: { id: TRUNK_ID, name: 'My SIP Provider' },
  transfer_destinations: [],
};

export const transferDestinationExample: TransferDestinationResource = {
  id: DESTINATION_ID,
  name: 'Support Team',
  type: 'phone',
  value: '+15559999999',
  mode: 'auto',
  ring_timeout_seconds: 30,
  announce: null,
  username: null,
  has_password: false,
  created_at: CREATED,
  updated_at: CREATED,
};

export const agentDestinationExample: AgentDestinationResource = { ...transferDestinationExample, keypad: '1' };

export const transferDestinationDeletedExample: z.output<typeof transferDestinationDeleted> = {
  id: DESTINATION_ID,
  deleted: true,
  detached: { agents: [{ id: AGENT_ID, name: 'Support Agent' }] },
};

export const destinationAssignedExample: z.output<typeof destinationAssigned> = {
  destination_id: DESTINATION_ID,
  keypad: '1',
};

export const destinationUnassignedExample: z.output<typeof destinationUnassigned> = {
  id: DESTINATION_ID,
  deleted: true,
};

export const contactExample: ContactResource = {
  id: '01937f3e-9222-7a66-8c32-bb22cc33dd44',
  email: 'ada@example.com',
  phone_number: callee,
  name: 'Ada Byron',
  custom_data: { plan: 'gold' },
  created_at: CREATED,
  updated_at: CREATED,
};

export const queuedCallExample: z.output<typeof call> = {
  id: CALL_ID,
  org_id: ORG_ID,
  phone_agent_id: AGENT_ID,
  direction: 'outbound',
  from: NUMBER,
  to: callee,
  privacy: [],
  status: 'queued',
  queue: { reason: 'trunk_concurrency', position: 1, next_try_at: null },
  disposition: null,
  sip: { call_id: null, final_status: null, reason: null, q850: null },
  trunk_id: TRUNK_ID,
  routing: null,
  campaign_id: null,
  contact_id: null,
  session_id: '01937f40-2222-7333-8444-555566667777',
  scheduled_at: null,
  expires_at: '2026-11-24T11:00:00.000Z',
  started_at: '2026-11-24T10:00:00.000Z',
  answered_at: null,
  ended_at: null,
  duration_seconds: null,
  ended_by: null,
  end_reason: null,
  truncated: false,
  transfer: null,
  machine_detection: null,
  recording: { available: false, duration_seconds: null },
  metrics: {
    post_dial_delay_ms: null,
    mos: null,
    packet_loss_pct: null,
    jitter_ms: null,
    turn_latency_ms: null,
    opening_silence_ms: null,
  },
  metadata: { ticket: '4711' },
};

export const scheduledCallExample: z.output<typeof call> = {
  ...queuedCallExample,
  status: 'scheduled',
  queue: null,
  scheduled_at: '2026-11-26T09:30:00.000Z',
  expires_at: '2026-11-26T10:30:00.000Z',
};

export const liveCallExample: z.output<typeof call> = {
  ...queuedCallExample,
  status: 'in_progress',
  queue: null,
  answered_at: '2026-11-24T09:31:07.000Z',
};

export const completedCallExample: z.output<typeof call> = {
  ...queuedCallExample,
  status: 'completed',
  queue: null,
  disposition: 'answered',
  sip: { call_id: '2f1c7a@trunkline', final_status: 200, reason: 'OK', q850: 16 },
  answered_at: '2026-11-24T10:00:04.000Z',
  ended_at: '2026-11-24T10:01:14.000Z',
  duration_seconds: 70,
  ended_by: 'api',
  end_reason: 'api_hangup',
  metrics: {
    post_dial_delay_ms: 3200,
    mos: 4.3,
    packet_loss_pct: 0.1,
    jitter_ms: 4,
    turn_latency_ms: { p50: 820, p95: 1100 },
    opening_silence_ms: 20,
  },
};

export const callEventExample: z.output<typeof callEvent> = {
  id: 'node:3',
  source: 'node',
  seq: 3,
  at: '2026-11-24T10:00:01.000Z',
  type: 'ringing',
  data: { status: 180 },
};

export const transcriptExample: z.output<typeof transcript> = {
  call_id: CALL_ID,
  turns: [
    {
      index: 0,
      speaker: 'agent',
      text: 'Hello, how can I help?',
      start_ms: 20,
      end_ms: 1850,
      interrupted_at_ms: null,
    },
  ],
};
