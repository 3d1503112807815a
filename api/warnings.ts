/** What is stored and shown but not acted on yet says so where it is set. */
import type { ValidationIssue } from './errors';
import type { AgentResource } from './schemas/agent';
import type { OutboundCallRequest } from './schemas/call';
import type { InboundTrunkResource } from './schemas/inbound-trunk';
import type { OutboundTrunkResource } from './schemas/outbound-trunk';
import type { TransferDestinationResource } from './schemas/transfer-destination';

const notYet = (path: string, what: string): ValidationIssue => ({ path, message: `Stored; ${what} yet` });

const unused = (path: string, why: string): ValidationIssue => ({ path, message: `Not used: ${why}` });

const NOISE_SUPPRESSION_TO_COME = notYet('krisp_enabled', 'no noise is suppressed');

/** Settings of an agent, what does not happen, and the value that asks for nothing. */
const AGENT_SETTINGS: readonly (readonly [keyof AgentResource, string, unknown])[] = [
  ['use_org_knowledgebase', 'there is no knowledge base', false],
  ['actionIds', 'there are no actions', null],
  ['recording_enabled', 'no call is recorded', false],
  ['stt_keyterms', 'no recogniser is told of them', []],
  ['data_collection_fields', 'nothing is collected', null],
  ['data_collection_webhook_url', 'nothing is sent there', null],
  ['session_window_hours', 'every call is a session of its own', 24],
  ['ambient_noise', 'no noise is mixed in', 'none'],
  ['llm', "the server's default answers", null],
  ['stt', "the server's default listens", null],
  ['tts', "the server's default speaks", null],
  ['custom_llm', "the server's default answers", null],
];

export function agentWarnings(agent: AgentResource): ValidationIssue[] {
  return AGENT_SETTINGS.filter(([setting, , idle]) => {
    const value = agent[setting];
    // No actions at all asks for nothing either.
    return JSON.stringify(value) !== JSON.stringify(idle) && !(setting === 'actionIds' && isEmpty(value));
  }).map(([setting, what]) => notYet(setting, what));
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

type CallLimits = Pick<InboundTrunkResource, 'max_concurrent_calls' | 'max_calls_per_second'>;

type TransferSettings = Pick<TransferDestinationResource, 'type' | 'value' | 'mode' | 'username' | 'has_password'>;

export function destinationWarnings(destination: TransferSettings): ValidationIssue[] {
  const { type, value, username, has_password: hasPassword } = destination;
  const secure = type === 'sip' && /^sips:|;transport=tls\b/i.test(value);
  return [
    ...(secure ? [notYet('value', 'nobody is called over TLS')] : []),
    ...(type === 'phone' && (username !== null || hasPassword)
      ? [unused('username', "a number's trunk has its own")]
      : []),
    ...(type === 'sip' && username === null && hasPassword ? [unused('password', 'there is no username')] : []),
  ];
}

function limitWarnings(trunk: CallLimits): ValidationIssue[] {
  const message = 'Kept by each media node for itself: several may exceed it together';
  const set = (['max_concurrent_calls', 'max_calls_per_second'] as const).filter((name) => trunk[name] !== null);
  return set.map((path) => ({ path, message }));
}

export function inboundTrunkWarnings(
  trunk: CallLimits & Pick<InboundTrunkResource, 'krisp_enabled'>,
): ValidationIssue[] {
  return [...(trunk.krisp_enabled ? [NOISE_SUPPRESSION_TO_COME] : []), ...limitWarnings(trunk)];
}

type OutboundSettings = Pick<OutboundTrunkResource, 'number_format' | 'number_prefix'>;

export function outboundTrunkWarnings(trunk: OutboundSettings): ValidationIssue[] {
  if (trunk.number_prefix === '' || trunk.number_format === 'prefix') return [];
  return [unused('number_prefix', `number_format is ${trunk.number_format}`)];
}

/** Of a call that is placed nevertheless. */
export function callWarnings(request: OutboundCallRequest): ValidationIssue[] {
  const idle = {
    contact_id: 'Not kept; calls belong to no contact yet',
    voicemail_message: 'Not kept; no machine is told from a person yet',
  } as const;
  const given = (Object.keys(idle) as (keyof typeof idle)[]).filter((name) => request[name] != null);
  return given.map((name) => ({ path: name, message: idle[name] }));
}
