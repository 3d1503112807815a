import type { Announcement } from '../../contract/commands';
import type { AgentProfile } from '../../contract/directory';
import type { AgentPersona } from '../agent/agent-session';

/** What the agent of a call is, as its session needs it. `firstMessage` overrides the agent's own. */
export function personaOf(callId: string, agent: AgentProfile, firstMessage: string | null = null): AgentPersona {
  return {
    callId,
    agentName: agent.name,
    language: agent.language,
    firstMessage: firstMessage ?? agent.firstMessage,
    instructions: agent.instructions,
    voiceId: agent.voiceId,
    ttsSpeedPct: agent.ttsSpeedPct,
    interruptible: agent.interruptible,
    silenceTimeoutMs: agent.silenceTimeoutSeconds * 1000,
    destinations: agent.destinations ?? [],
    handsOff: agent.handsOff ?? false,
    failsOver: agent.failsOver ?? false,
  };
}

/** Slower than an agent: what is announced gets written down. */
const ANNOUNCED_SPEED_PCT = 90;

/** Who speaks where no agent does. */
export function announcer(callId: string, announcement: Announcement): AgentPersona {
  return {
    callId,
    agentName: 'Announcement',
    language: ['en'],
    firstMessage: '',
    instructions: [],
    voiceId: null,
    ttsSpeedPct: ANNOUNCED_SPEED_PCT,
    interruptible: false,
    silenceTimeoutMs: 0,
    announcement,
  };
}
