import type { CallStatus } from '../contract/call';
/** How far a status is; a row only moves to a higher rank. The three states of a conversation may alternate. */
const RANK: Readonly<Record<CallStatus, number>> = {
  scheduled: 0,
  queued: 1,
  dialing: 2,
  ringing: 3,
  in_progress: 4,
  held: 4,
  transferring: 4,
  completed: 5,
};

/** The statuses from which a call may still move to `next`. */
export function statusesBefore(next: CallStatus): CallStatus[] {
  const conversing = RANK.in_progress;
  return (Object.keys(RANK) as CallStatus[]).filter(
    (status) =>
      RANK[status] < RANK[next] || (status !== next && RANK[status] === conversing && RANK[next] === conversing),
  );
}
