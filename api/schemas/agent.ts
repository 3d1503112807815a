import { z } from 'zod';
import { e164, id, languageCode, MAX_FIRST_MESSAGE_CHARS, phoneNumber, isoTimestamp, warnings } from './primitives';

/** Languages one agent may mix; any other stands alone. */
const MIXABLE_LANGUAGES: ReadonlySet<string> = new Set(['en', 'es', 'fr', 'de', 'hi', 'ru', 'pt', 'ja', 'it', 'nl']);

const language = z
  .union([languageCode.transform((code) => [code]), z.array(languageCode).min(1).max(10)], {
    error: 'must be an ISO 639-1 code, such as "en", or 1 to 10 of them',
  })
  .transform((codes) => [...new Set(codes)])
  .refine((codes) => codes.length === 1 || codes.every((code) => MIXABLE_LANGUAGES.has(code)), {
    message: `only ${[...MIXABLE_LANGUAGES].join(', ')} may be mixed; any other language must be alone`,
  })
  .meta({ description: 'One language or several; stored and returned as an array' });

const agentType = z.enum(['inbound', 'outbound']);
const ambientNoise = z.enum(['none', 'office', 'bar', 'city-street']);

/** Settings are returned as they were stored, so nothing that looks like a credential is stored among them. */
const CREDENTIAL_NAME = /(^|_)(api_?key|key|secret|token|password|passphrase|credentials?|authorization|bearer)$/;

/** In whatever style it is written: `apiKey`, `x-api-key`, `ACCESS_TOKEN`. */
function isCredentialName(name: string): boolean {
  const words = name.replaceAll(/([a-z\d])([A-Z])/g, '$1_$2').replaceAll(/[^A-Za-z\d]+/g, '_');
  return CREDENTIAL_NAME.test(words.toLowerCase());
}

const provider = z
  .object({ provider: z.string().min(1).max(50), model: z.string().max(200).optional() })
  .catchall(z.union([z.string().max(2000), z.number(), z.boolean(), z.null()]))
  .transform(({ provider: name, ...settings }): { provider: string; [setting: string]: unknown } => {
    const kept = Object.entries(settings).filter(([setting]) => !isCredentialName(setting));
    return { provider: name, ...Object.fromEntries(kept) };
  })
  .nullable()
  .meta({ description: "Provider and model; null = the server's default" });

/** Like settings, URLs are returned and audited as they are; a request cannot be made to one with a user part anyway. */
const url = z
  .url({ protocol: /^https?$/, abort: true })
  .max(2000)
  .refine((text) => !hasUserPart(text), { message: 'must not contain a user name or password' });

function hasUserPart(text: string): boolean {
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

const text = (max: number): z.ZodString => z.string().max(max);

/** Every field a client may set, none with its default: what PATCH takes. */
const fields = {
  name: text(255).trim().min(1),
  type: agentType,
  voice_id: text(200).nullable(),
  language,
  first_message: text(MAX_FIRST_MESSAGE_CHARS),
  instructions: z.array(text(20_000)).max(200),
  handoff_phone_number: phoneNumber.nullable(),
  use_org_knowledgebase: z.boolean(),
  actionIds: z.array(text(200)).max(500).nullable(),
  interruptible: z.boolean(),
  recording_enabled: z.boolean(),
  stt_keyterms: z.array(text(200)).max(500),
  tts_speed_pct: z.int().min(50).max(200),
  failover_transfer_destination_id: id.nullable(),
  data_collection_fields: z.array(text(200)).max(200).nullable(),
  data_collection_webhook_url: url.nullable(),
  session_window_hours: z.number().min(0).max(168),
  ambient_noise: ambientNoise,
  max_call_duration_seconds: z.int().min(10).max(21_600),
  silence_timeout_seconds: z.int().min(3).max(60),
  llm: provider,
  stt: provider,
  tts: provider,
  custom_llm: url.nullable(),
};

export const agentCreate = z
  .object({
    ...fields,
    type: agentType.default('inbound'),
    voice_id: fields.voice_id.default(null),
    language: language.default(['en']),
    first_message: fields.first_message.default('Hello?'),
    instructions: fields.instructions.default([]),
    handoff_phone_number: fields.handoff_phone_number.default(null),
    use_org_knowledgebase: z.boolean().default(false),
    actionIds: fields.actionIds.default(null),
    interruptible: z.boolean().default(true),
    recording_enabled: z.boolean().default(false),
    stt_keyterms: fields.stt_keyterms.default([]),
    tts_speed_pct: fields.tts_speed_pct.default(100),
    failover_transfer_destination_id: fields.failover_transfer_destination_id.default(null),
    data_collection_fields: fields.data_collection_fields.default(null),
    data_collection_webhook_url: fields.data_collection_webhook_url.default(null),
    session_window_hours: fields.session_window_hours.default(24),
    ambient_noise: ambientNoise.default('none'),
    max_call_duration_seconds: fields.max_call_duration_seconds.default(3600),
    silence_timeout_seconds: fields.silence_timeout_seconds.default(10),
    llm: provider.default(null),
    stt: provider.default(null),
    tts: provider.default(null),
    custom_llm: fields.custom_llm.default(null),
  })
  .meta({ id: 'AgentCreate' });

export const agentPatch = z.object(fields).partial().meta({ id: 'AgentPatch' });

export const agent = z
  .object({
    id,
    org_id: id,
    name: z.string(),
    type: agentType,
    phone_number: e164.nullable().meta({ description: 'The first number assigned to the agent' }),
    voice_id: z.string().nullable(),
    language: z.array(z.string()),
    first_message: z.string(),
    instructions: z.array(z.string()),
    handoff_phone_number: e164.nullable(),
    use_org_knowledgebase: z.boolean(),
    actionIds: z.array(z.string()).nullable(),
    interruptible: z.boolean(),
    recording_enabled: z.boolean(),
    stt_keyterms: z.array(z.string()),
    tts_speed_pct: z.int(),
    failover_transfer_destination_id: id.nullable(),
    data_collection_fields: z.array(z.string()).nullable(),
    data_collection_webhook_url: z.string().nullable(),
    session_window_hours: z.number(),
    ambient_noise: ambientNoise,
    max_call_duration_seconds: z.int(),
    silence_timeout_seconds: z.int(),
    llm: z.record(z.string(), z.unknown()).nullable(),
    stt: z.record(z.string(), z.unknown()).nullable(),
    tts: z.record(z.string(), z.unknown()).nullable(),
    custom_llm: z.string().nullable(),
    accent: z.string().nullable(),
    speed: z.number().nullable(),
    model: z.string().nullable(),
    provider_external_id: z.string().nullable(),
    flow: z.record(z.string(), z.unknown()).nullable(),
    manual_mode: z.boolean(),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
    warnings,
  })
  .meta({ id: 'Agent' });

export const agentDeleted = z
  .object({
    id,
    deleted: z.literal(true),
    detached: z.object({
      phone_numbers: z.array(z.object({ id, phone_number: e164 })),
      campaigns: z.array(z.object({ id, name: z.string() })),
    }),
  })
  .meta({ id: 'AgentDeleted' });

export const voice = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: z.string(),
    language: z.array(z.string()),
    gender: z.string(),
    sample_url: z.string().nullable(),
    default: z.boolean(),
  })
  .meta({ id: 'Voice' });

export type AgentPatchRequest = z.output<typeof agentPatch>;
export type AgentResource = z.output<typeof agent>;
export type VoiceResource = z.output<typeof voice>;
