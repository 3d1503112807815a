/** What a call is to everybody: its direction and how far it has come. */

export type CallDirection = 'inbound' | 'outbound';

/**
 * scheduled → queued ⇄ dialing → ringing → in_progress ⇄ held ⇄ transferring → completed.
 *
 * `completed` is the only terminal status; how the call went is its ending's to say (`endings.ts`).
 */
export type CallStatus =
  'scheduled' | 'queued' | 'dialing' | 'ringing' | 'in_progress' | 'held' | 'transferring' | 'completed';
