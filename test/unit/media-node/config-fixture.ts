import type { PhoneNumber } from '../../../store/entities/phone-number';
import type { ConfigDelta, ConfiguredAgent } from '../../../store/repositories/config-repository';

export function newAgent(changes: Partial<ConfiguredAgent> = {}): ConfiguredAgent {
  return {
    id: 'agent',
    orgId: 'org-1',
    name: 'Support',
    type: 'inbound',
    voiceId: null,
    language: ['en'],
    firstMessage: 'Hello?',
    instructions: [],
    handoffPhoneNumber: null,
    useOrgKnowledgebase: false,
    actionIds: null,
    interruptible: true,
    recordingEnabled: false,
    sttKeyterms: [],
    ttsSpeedPct: 100,
    failoverTransferDestinationId: null,
    dataCollectionFields: null,
    dataCollectionWebhookUrl: null,
    sessionWindowHours: 24,
    ambientNoise: 'none',
    maxCallDurationSeconds: 3600,
    silenceTimeoutSeconds: 10,
    llm: null,
    stt: null,
    tts: null,
    customLlm: null,
    outboundTrunkId: null,
    createdAt: new Date(1_000),
    updatedAt: new Date(1_000),
    version: 1,
    destinations: [],
    ...changes,
  };
}

export function newNumber(changes: Partial<PhoneNumber> = {}): PhoneNumber {
  const number: Partial<PhoneNumber> = {
    id: 'number',
    orgId: 'org-1',
    phoneNumber: '+15551234567',
    status: 'verified',
    method: 'attest',
    agentId: null,
    createdAt: new Date(1_000),
    version: 1,
    ...changes,
  };
  return number as PhoneNumber;
}

export function delta(changes: Partial<ConfigDelta> = {}): ConfigDelta {
  return {
    version: 1,
    full: true,
    agents: [],
    inboundTrunks: [],
    phoneNumbers: [],
    outboundTrunks: [],
    deleted: [],
    unreadable: [],
    suspended: [],
    ...changes,
  };
}
