/** How somebody listens in on a call, and takes part in it. */

export const SUPERVISE_MODES = ['listen', 'whisper', 'barge'] as const;
/**
 * `listen`: hears both sides, and is heard by nobody. `whisper`: is heard by the agent's side too, which is the agent, as
 * instructions, or whoever the caller was handed over to. `barge`: is heard by everybody.
 */
export type SuperviseMode = (typeof SUPERVISE_MODES)[number];

/** Their BYE, our command, the end of the call, or what was wrong with the leg. */
export type SupervisionEnd = 'hangup' | 'sent_away' | 'call_ended' | 'media_timeout' | 'session_expired' | 'error';

/** What became of one thing that a supervisor said to an agent. */
export type WhisperOutcome = 'instructed' | 'not_understood' | 'too_many';
