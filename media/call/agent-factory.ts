import type { AgentDelegate, AgentPersona, AgentSession } from '../agent/agent-session';
import type { RtpSession } from '../rtp/rtp-session';

/** The agent of a call on its RTP session: `AgentRuntime.createSession`, or the echo of bench mode. */
export type AgentFactory = (persona: AgentPersona, rtp: RtpSession, delegate: AgentDelegate) => AgentSession;
