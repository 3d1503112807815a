/** The media service as a library: what a process needs to run it, and the seams it is given. */
export { AgentRuntime } from './agent/runtime';
export type { AgentFactory } from './call/agent-factory';
export type { CallObserver } from './call/call-observer';
export type { TrunkCapacity } from './call/trunk-capacity';
export { systemClock } from './clock';
export { MediaService, type MediaServiceOptions } from './media-service';
export { rehearse } from './rehearsal/rehearsal';
export { ThreadedRtpEngine } from './rtp/engine';
export { RealTimePreference } from './rtp/real-time-preference';
export type { SipCounters } from './sip/counters';
export type { DigestCredentials } from './sip/auth/identity';
export { isKnownMethod } from './sip/message/methods';
export { SipServer, type SipServerOptions } from './sip/sip-server';
export { threadEntry } from './thread-entry';
export type { TrunkMonitors, TrunkWatchDelegate } from './trunk/trunk-monitors';
export type { TrunkObserver } from './trunk/trunk-observer';
