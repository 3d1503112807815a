/**
 * Where the law allows telephone solicitation in fewer hours than 08:00–21:00 at the called person's place (47 CFR
 * § 64.1200(c)(1), 16 CFR § 310.4(c)). Edit it here: one row, one source. It is a careful reading, not legal advice:
 *
 * - exceptions (consent, an existing relationship, charities, debts, calls to businesses) are not taken: a row holds for
 *   every call;
 * - hours of automatic dialling and announcing devices count too where the law names them, since an agent's voice is
 *   synthesised and the numbers are dialled by machine;
 * - `certainty` says what was read: the text of the law (`statute`), or only what several publishers say it is
 *   (`secondary`); such a row keeps the strictest of what they say.
 *
 * Not here, though published lists have it: South Carolina's § 16-17-446 (08:00–19:00 for announcing devices), held
 * unconstitutional in Cahaly v. LaRosa, 796 F.3d 399 (4th Cir. 2015); emergencies declared by a governor (Louisiana), which
 * an operator answers by pausing; local ordinances; Indiana and Oregon, whose hours for announcing devices could not be read.
 */
import { FEDERAL_HOLIDAYS } from './legal-holidays';
import type { LegalHoliday } from './legal-holidays';

/** `HH:MM`–`HH:MM` of the local clock; null: no calls on such days. */
export type PermittedHours = readonly [start: string, end: string] | null;

export interface StateRule {
  /** ISO 3166-2 of a state or territory; `CA`: all of Canada. */
  readonly region: string;
  readonly weekdays: PermittedHours;
  readonly saturday: PermittedHours;
  readonly sunday: PermittedHours;
  /** No calls on these. */
  readonly holidays: readonly LegalHoliday[];
  readonly source: string;
  readonly certainty: 'statute' | 'secondary';
  /** When it was last compared with its source. */
  readonly checked: string;
}

const CHECKED = '2026-11-29';

const daily = (start: string, end: string): Pick<StateRule, 'weekdays' | 'saturday' | 'sunday'> => ({
  weekdays: [start, end],
  saturday: [start, end],
  sunday: [start, end],
});

export const STATE_RULES: readonly StateRule[] = [
  {
    region: 'CA',
    weekdays: ['09:00', '21:30'],
    saturday: ['10:00', '18:00'],
    sunday: ['10:00', '18:00'],
    holidays: [],
    source: 'CRTC Unsolicited Telecommunications Rules, Part III (hours as published by carriers and the CRTC)',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-AL',
    weekdays: ['08:00', '20:00'],
    saturday: ['08:00', '20:00'],
    sunday: null,
    holidays: [...FEDERAL_HOLIDAYS, 'mardi_gras', 'confederate_memorial_day', 'jefferson_davis'],
    source:
      'Ala. Code §§ 8-19A, 8-19C and 1-3-8; hours, Sunday and holidays as published, Mardi Gras of two counties only',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-CA',
    ...daily('09:00', '21:00'),
    holidays: [],
    source: 'Cal. Pub. Util. Code § 2872(c) (dialing-announcing devices)',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-CT',
    ...daily('09:00', '20:00'),
    holidays: [],
    source: 'Conn. Gen. Stat. § 42-288a, as amended by P.A. 23-98; hours as published',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-FL',
    ...daily('08:00', '20:00'),
    holidays: [],
    source: 'Fla. Stat. § 501.616(6)(a); (6)(b): three calls in 24 hours, which the caps keep',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-IL',
    ...daily('09:00', '21:00'),
    holidays: [],
    source: '815 ILCS 305 (prerecorded calls); hours as published by one list',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-KY',
    ...daily('10:00', '21:00'),
    holidays: [],
    source: 'KRS § 367.46955; hours as published',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-LA',
    weekdays: ['08:00', '20:00'],
    saturday: ['08:00', '20:00'],
    sunday: null,
    holidays: [...FEDERAL_HOLIDAYS, 'battle_of_new_orleans', 'robert_e_lee', 'mardi_gras', 'good_friday'],
    source:
      'LPSC Do Not Call General Order R-29617, La. R.S. 45:844.11 et seq. and 1:55; hours and holidays as published',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-MA',
    ...daily('08:00', '20:00'),
    holidays: [],
    source: '201 CMR 12.02(2), M.G.L. c. 159C § 3',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-MD',
    ...daily('08:00', '20:00'),
    holidays: [],
    source: 'Stop the Spam Calls Act of 2023 (Md. SB 90), in force 2024-01-01; hours as published',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-ME',
    weekdays: ['09:00', '17:00'],
    saturday: null,
    sunday: null,
    holidays: [],
    source: '10 M.R.S. § 1498(3) (automated telephone calling devices), as quoted in LD 392 of the 121st Legislature',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-MI',
    ...daily('09:00', '21:00'),
    holidays: [],
    source: 'MCL § 445.111 et seq.; hours as published by one list',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-MN',
    ...daily('09:00', '21:00'),
    holidays: [],
    source: 'Minn. Stat. § 325E.30; hours as published by one list',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-MS',
    weekdays: ['08:00', '20:00'],
    saturday: ['08:00', '20:00'],
    sunday: null,
    holidays: [],
    source:
      'Miss. Code §§ 77-3-603(a) and 77-3-723(1) as quoted by DNC.com 2024-06-03 (holidays no longer barred); 20:00 is the ' +
      'stricter of two published ends',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-NE',
    weekdays: ['08:00', '21:00'],
    saturday: ['08:00', '21:00'],
    sunday: ['13:00', '21:00'],
    holidays: FEDERAL_HOLIDAYS,
    source: '291 Neb. Admin. Code ch. 11 § 003.01 (announcing devices); it allows 13:00–21:00 on holidays, closed here',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-NM',
    ...daily('09:00', '21:00'),
    holidays: [],
    source: 'N.M. Stat. § 57-12-22(B)(5)',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-NV',
    ...daily('09:00', '20:00'),
    holidays: [],
    source: 'NRS § 597.814(2)(a): from 09:00 (announcing devices); 20:00 as published, NRS ch. 598',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-OK',
    ...daily('09:00', '20:00'),
    holidays: [],
    source:
      '15 O.S. § 755.1(C)(2): from 09:00 (announcing devices); Telephone Solicitation Act of 2022, § 775C: until 20:00',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-PA',
    ...daily('08:00', '21:00'),
    holidays: [...FEDERAL_HOLIDAYS, 'good_friday', 'flag_day', 'election_day'],
    source: '73 P.S. § 2245(a)(1) and (a)(10) (Act 73 of 2019); the list of holidays as published',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-RI',
    weekdays: ['09:00', '18:00'],
    saturday: ['10:00', '17:00'],
    sunday: null,
    holidays: [...FEDERAL_HOLIDAYS, 'victory_day', 'election_day'],
    source: 'R.I. Gen. Laws §§ 5-61-3.6 and 5-61-2(2)',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-SD',
    weekdays: ['09:00', '21:00'],
    saturday: null,
    sunday: null,
    holidays: [],
    source: 'SDCL § 37-30-28 (automated dialing systems: weekdays)',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-TX',
    weekdays: ['09:00', '21:00'],
    saturday: ['09:00', '21:00'],
    sunday: ['12:00', '21:00'],
    holidays: [],
    source: 'Tex. Bus. & Com. Code § 301.051; hours as published',
    certainty: 'secondary',
    checked: CHECKED,
  },
  {
    region: 'US-UT',
    weekdays: ['08:00', '21:00'],
    saturday: ['08:00', '21:00'],
    sunday: null,
    holidays: [...FEDERAL_HOLIDAYS, 'pioneer_day'],
    source: 'Utah Code § 13-25a-103(3)',
    certainty: 'statute',
    checked: CHECKED,
  },
  {
    region: 'US-WA',
    ...daily('08:00', '20:00'),
    holidays: [],
    source: 'RCW 19.158.040(2)',
    certainty: 'statute',
    checked: CHECKED,
  },
];
