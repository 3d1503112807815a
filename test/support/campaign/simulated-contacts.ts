/** Contacts of a simulation all over the world, and where their phones are, as the plans of their countries say. */
import type { SeededRandom } from '../live/random';

/** A day of legal hours, in minutes since midnight. */
const FEDERAL = [8 * 60, 21 * 60] as const;
const FLORIDA = [8 * 60, 20 * 60] as const;

interface Area {
  readonly prefix: string;
  /** Of the digits behind the prefix; the first of them is not 0 or 1. */
  readonly digits: number;
  readonly zones: readonly string[];
  readonly legal?: readonly [start: number, end: number];
}

/** Numbers that tell where they are. */
export const AREAS: readonly Area[] = [
  { prefix: '+1212', digits: 7, zones: ['America/New_York'] },
  { prefix: '+1310', digits: 7, zones: ['America/Los_Angeles'] },
  { prefix: '+1312', digits: 7, zones: ['America/Chicago'] },
  { prefix: '+1303', digits: 7, zones: ['America/Denver'] },
  { prefix: '+1602', digits: 7, zones: ['America/Phoenix'] },
  { prefix: '+1808', digits: 7, zones: ['Pacific/Honolulu'] },
  { prefix: '+1305', digits: 7, zones: ['America/New_York'], legal: FLORIDA },
  // The Panhandle, on both sides of the Apalachicola.
  { prefix: '+1850', digits: 7, zones: ['America/New_York', 'America/Chicago'], legal: FLORIDA },
  { prefix: '+1416', digits: 7, zones: ['America/Toronto'] },
  { prefix: '+4420', digits: 8, zones: ['Europe/London'] },
  { prefix: '+4930', digits: 8, zones: ['Europe/Berlin'] },
];

/** Of contacts that name their own. */
export const ZONES: readonly string[] = [
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
  'America/Phoenix',
  'America/Anchorage',
  'Pacific/Honolulu',
  'America/Halifax',
  'America/St_Johns',
  'America/Toronto',
  'America/Vancouver',
  'America/Regina',
  'America/Mexico_City',
  'America/Bogota',
  'America/Caracas',
  'America/Sao_Paulo',
  'America/Santiago',
  'Europe/London',
  'Europe/Lisbon',
  'Europe/Berlin',
  'Europe/Athens',
  'Europe/Istanbul',
  'Africa/Cairo',
  'Africa/Lagos',
  'Africa/Johannesburg',
  'Asia/Dubai',
  'Asia/Tehran',
  'Asia/Karachi',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Yangon',
  'Asia/Bangkok',
  'Asia/Singapore',
  'Asia/Tokyo',
  'Australia/Perth',
  'Australia/Adelaide',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
];

export interface SimulatedContact {
  readonly phoneNumber: string;
  readonly timeZone: string | null;
  readonly consentId: string | null;
  readonly priority: number;
  /** All must be open. */
  readonly zones: readonly string[];
  readonly legal: readonly [start: number, end: number];
}

/** Numbers of their own, four in five with a zone, one in fifty without consent. */
export function simulatedContacts(random: SeededRandom, count: number): SimulatedContact[] {
  const numbers = new Set<string>();
  while (numbers.size < count) {
    const { prefix, digits } = random.pick(AREAS);
    const first = random.between(2, 9) * 10 ** (digits - 1);
    numbers.add(`${prefix}${first + random.between(0, 10 ** (digits - 1) - 1)}`);
  }
  return [...numbers].map((phoneNumber) => {
    const area = AREAS.find(({ prefix }) => phoneNumber.startsWith(prefix))!;
    const timeZone = random.next() < 0.8 ? random.pick(ZONES) : null;
    return {
      phoneNumber,
      timeZone,
      consentId: random.next() < 0.02 ? null : 'form-1',
      priority: random.pick([0, 0, 0, 5]),
      zones: timeZone === null ? area.zones : [timeZone],
      legal: area.legal ?? FEDERAL,
    };
  });
}
