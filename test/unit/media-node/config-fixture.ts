import type { ConfigDelta, ConfiguredAgent, ConfiguredNumber } from '../../../store/config-changes';

export function newAgent(changes: Partial<ConfiguredAgent> = {}): ConfiguredAgent {
  return {
    id: 'agent',
    orgId: 'org-1',
    name: 'Support',
    type: 'inbound',
    language: ['en'],
    firstMessage: 'Hello?',
    instructions: [],
    voiceId: null,
    ttsSpeedPct: 100,
    interruptible: true,
    useOrgKnowledgebase: false,
    sttKeyterms: [],
    maxCallDurationSeconds: 3600,
    silenceTimeoutSeconds: 10,
    handsOff: false,
    failsOver: false,
    destinations: [],
    createdAtMs: 1_000,
    ...changes,
  };
}

export function newNumber(changes: Partial<ConfiguredNumber> = {}): ConfiguredNumber {
  return {
    id: 'number',
    orgId: 'org-1',
    phoneNumber: '+15551234567',
    status: 'verified',
    method: 'attest',
    agentId: null,
    round: 0,
    trunkId: null,
    codeExpiresAt: null,
    ...changes,
  };
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
