/** Durations of RFC 3261 table 4 in milliseconds, over UDP. */
export const T1_MS = 500;
export const T2_MS = 4_000;
const T4_MS = 5_000;

/** Client keeps answering repeated refusals with ACK (§17.1.1.2: at least 32 s). */
export const TIMER_D_MS = 32_000;
/** Server swallows repeated ACKs of a refusal. */
export const TIMER_I_MS = T4_MS;
/** Server keeps answering repeated non-INVITE requests. */
export const TIMER_J_MS = 64 * T1_MS;
/** Server swallows repetitions of an INVITE that it has accepted (RFC 6026 §7.1). */
export const TIMER_L_MS = 64 * T1_MS;
/** Client swallows repeated answers to a non-INVITE request. */
export const TIMER_K_MS = T4_MS;
/** A re-INVITE of ours that only gets provisional answers is given up. */
export const REINVITE_WAIT_MS = 64 * T1_MS;
/** A cancelled INVITE whose final answer does not come is forgotten (§9.1). */
export const CANCEL_WAIT_MS = 64 * T1_MS;
