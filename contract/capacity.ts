/** What outbound trunks and organisations carry at once and in a second, and what a call waits for. */

export const CAPACITY_REASONS = [
  'trunk_concurrency',
  'trunk_rate',
  'trunk_cool_down',
  'organisation_concurrency',
  'organisation_rate',
  'campaign_concurrency',
  'campaign_rate',
] as const;
/**
 * Why a call is not dialled yet: as many calls as there may be, as many as may begin in a second (of the trunk, or of all
 * trunks of the organisation, or of the campaign), or a carrier that has answered 503 and is left in peace.
 */
export type CapacityReason = (typeof CAPACITY_REASONS)[number];

export interface CapacityWait {
  readonly reason: CapacityReason;
  /** When it is its turn, as far as that is known; null: when somebody gives a slot back. */
  readonly retryInMs: number | null;
}

/** The slots of a boot that has been silent for this long are given to others. */
export const NODE_LEASE_MS = 15_000;
