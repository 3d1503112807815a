import type { Announcement, CallScript } from '../../contract/commands';
import type { AgentProfile } from '../../contract/directory';
import { fillNames, fillVariables } from '../../contract/placeholders';
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

/** The same in a campaign's call: filled for whom it calls, who may opt out of it. */
export function scripted(persona: AgentPersona, { variables, disclosureLine }: CallScript): AgentPersona {
  const filled = (text: string): string => fillVariables(text, variables);
  return {
    ...persona,
    firstMessage: filled(persona.firstMessage),
    instructions: persona.instructions.map((text) => fillNames(text, variables)),
    disclosure: disclosureLine === null ? '' : filled(disclosureLine),
    mayOptOut: true,
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
