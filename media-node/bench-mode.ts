/**
 * The engine alone, for benchmarks: every INVITE of anybody is answered at once, by an agent that sends the caller's
 * audio back (`MEDIA_BENCH=echo`), or connects each second caller with the one before (`MEDIA_BENCH=bridge`). No digest,
 * no workflow, nothing stored.
 */
import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../contract/directory';
import type { AgentProfile, CallDirectory } from '../contract/directory';
import type { CallEvents } from '../contract/events';
import type { AgentFactory, DigestCredentials, TrunkCapacity } from '../media';

export type BenchAgents = 'echo' | 'bridge';
type BenchAudio = Parameters<AgentFactory>[1];

const ORG_ID = 'bench';

export const ECHO_AGENT: AgentProfile = {
  id: 'echo',
  orgId: ORG_ID,
  name: 'Echo',
  type: 'inbound',
  language: ['en'],
  firstMessage: '',
  instructions: [],
  voiceId: null,
  ttsSpeedPct: 100,
  interruptible: false,
  useOrgKnowledgebase: false,
  sttKeyterms: [],
  maxCallDurationSeconds: 3600,
  silenceTimeoutSeconds: 3600,
};

const SILENT: Omit<ReturnType<AgentFactory>, 'start'> = {
  warm: () => Promise.resolve(),
  mayBeTold: false,
  say: () => 'ended',
  notTransferred: () => undefined,
  instruct: () => false,
  mute: () => undefined,
  onDtmf: () => undefined,
  onPlaybackFinished: () => undefined,
  hold: () => undefined,
  finish: () => Promise.resolve(),
  close: () => undefined,
};

export const BENCH_IDENTITY: DigestCredentials = { trunkId: 'bench', orgId: ORG_ID, username: 'bench', password: '' };

export const benchEvents: CallEvents = { report: () => undefined, flush: () => Promise.resolve(true) };

/** It has no trunk to call anybody by. */
export const UNLIMITED_CAPACITY: TrunkCapacity = {
  occupy: () => Promise.resolve(() => undefined),
  turn: () => Promise.resolve(true),
  attemptOver: () => undefined,
  congested: () => undefined,
};

export const createEchoAgent: AgentFactory = (_persona, rtp) => ({ ...SILENT, start: () => rtp.echo() });

/** Of callers in pairs. */
export function createBridgeAgents(): AgentFactory {
  let alone: BenchAudio | null = null;
  return (_persona, rtp) => ({
    ...SILENT,
    start: () => {
      if (alone !== null) rtp.connect(alone);
      alone = alone === null ? rtp : null;
    },
  });
}

/** Whoever calls is answered by this one. */
export function createBenchDirectory(agent: AgentProfile = ECHO_AGENT): CallDirectory {
  let calls = 0;
  return {
    inboundTrunk: () => undefined,
    inboundTrunkAt: () => undefined,
    outboundTrunk: () => undefined,
    registeredContacts: () => null,
    refuseReferredUser: () => 'destination_not_allowed',
    agent: (agentId) => (agentId === agent.id ? agent : undefined),
    routeInbound: (request) =>
      request.dialedUser === ''
        ? { ok: false, status: 404, steps: [] }
        : {
            ok: true,
            agent,
            rule: 'fallback',
            steps: [],
            dialedNumber: request.dialedUser,
            callerNumber: request.callerUser,
            mediaTimeoutSeconds: DEFAULT_MEDIA_TIMEOUT_SECONDS,
          },
    startInbound: () => Promise.resolve({ ok: true, callId: `bench-${++calls}`, sessionId: 'bench' }),
    availability: () => ({ available: true, retryAfterSeconds: 0, reason: null }),
    overload: () => null,
  };
}
