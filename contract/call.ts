/** What a call is to everybody: its direction and how far it has come. */

export const CALL_DIRECTIONS = ['inbound', 'outbound'] as const;
export type CallDirection = (typeof CALL_DIRECTIONS)[number];

/**
 * scheduled → queued ⇄ dialing → ringing → in_progress ⇄ held ⇄ transferring → completed.
 *
 * `completed` is the only terminal status; how the call went is its ending's to say (`endings.ts`).
 */
export const CALL_STATUSES = [
  'scheduled',
  'queued',
  'dialing',
  'ringing',
  'in_progress',
  'held',
  'transferring',
  'completed',
] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];
