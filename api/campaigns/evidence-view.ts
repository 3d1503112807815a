/** What is on record of why a contact was called or not, as the contract shows it and as lines of CSV. */
import type { ContactRefusal } from '../../store/campaigns/contact-check';
import { legalHoursOf, legalSourceOf } from '../../store/campaigns/legal-hours';
import { numberZones } from '../../store/campaigns/number-zones';
import type { Campaign } from '../../store/entities/campaign';
import type { AppliedLaw, StoredCheck } from '../../store/entities/contact-decision';
import type { ContactEvidence } from '../../store/repositories/campaign-results-repository';
import type { ContactEvidenceResource } from '../schemas/campaign-results';
import { campaignContactView } from './campaign-view';
import { csvLine } from './csv-line';

/** The check that keeps the hours of the law, among others. */
const WINDOW_CHECK: ContactRefusal = 'outside_window';

const isoOf = (date: Date | null): string | null => (date === null ? null : date.toISOString());

export function evidenceView(
  { dialWindow }: Campaign,
  { contact, listing, decisions, attempts }: ContactEvidence,
): ContactEvidenceResource {
  const { organisation, server } = listing;
  const laws = decisions.map(({ at, checks }) => ({ at, law: lawOf(checks) }));
  const last = laws.findLast(({ law }) => law !== undefined);
  return {
    contact: campaignContactView(contact),
    do_not_call: {
      organisation: organisation && {
        since: organisation.since.toISOString(),
        source: organisation.source as NonNullable<ContactEvidenceResource['do_not_call']['organisation']>['source'],
        reason: organisation.reason,
      },
      server: server && { since: server.since.toISOString() },
    },
    legal_hours: {
      at: isoOf(last?.at ?? null),
      ...(last?.law === undefined ? lawNow(dialWindow, contact.phoneNumber) : lawView(last.law)),
    },
    decisions: decisions.map(({ id, at, dialled, callId, checks }, n) => {
      const law = laws[n]?.law;
      return {
        id,
        at: at.toISOString(),
        dialled,
        call_id: callId,
        legal_hours: law === undefined ? null : lawView(law),
        checks: checks.map(({ check, passed, detail }) => ({
          check,
          passed,
          detail,
          source: check === WINDOW_CHECK ? (law?.source ?? null) : null,
        })),
      };
    }),
    attempts: attempts.map((attempt) => ({
      call_id: attempt.callId,
      sip_call_id: attempt.sipCallId,
      state: attempt.state,
      at: attempt.at.toISOString(),
      sent_at: isoOf(attempt.sentAt),
      disposition: attempt.disposition,
      sip_final_status: attempt.sipFinalStatus,
      answered_at: isoOf(attempt.answeredAt),
      ended_at: isoOf(attempt.endedAt),
      duration_seconds: attempt.durationSeconds,
    })),
  };
}

type LegalHoursView = NonNullable<ContactEvidenceResource['decisions'][number]['legal_hours']>;

/** Of a look whose record was written before laws were kept with it the text names the rule. */
const RULE_IN_TEXT = /legal hours ([A-Za-z-]+)/;

/** By which it was decided; null: by none, the campaign kept no legal hours; undefined: not on record. */
function lawOf(checks: readonly StoredCheck[]): AppliedLaw | null | undefined {
  const window = checks.find(({ check }) => check === WINDOW_CHECK);
  if (window?.law !== undefined) return window.law;
  const rule = RULE_IN_TEXT.exec(window?.passed === true ? window.detail : '')?.[1];
  if (rule === undefined) return undefined;
  return rule === 'off' ? null : { rule, ...legalSourceOf({ rule }) };
}

function lawView(law: AppliedLaw | null): LegalHoursView {
  if (law === null) return { kept: false, rule: null, source: null, certainty: null, checked: null };
  const { rule, source, certainty, checked } = law;
  return { kept: true, rule, source, certainty, checked };
}

/** Of who was not looked at yet. */
function lawNow({ legal }: Campaign['dialWindow'], e164: string): LegalHoursView {
  const { region } = numberZones({ e164, contactTimeZone: null, defaultTimeZone: null });
  const hours = legalHoursOf(region);
  return lawView(legal === 'off' ? null : { rule: hours.rule, ...legalSourceOf(hours) });
}

const COLUMNS = [
  'contact_id',
  'phone_number',
  'consent_id',
  'do_not_call',
  'do_not_call_since',
  'at',
  'dialled',
  'checks',
  'failed',
  'legal_source',
  'call_id',
  'sip_call_ids',
  'disposition',
  'answered_at',
  'ended_at',
] as const;
type Cells = Readonly<Partial<Record<(typeof COLUMNS)[number], string | boolean | null>>>;

export const EVIDENCE_HEADER = csvLine(COLUMNS);

/**
 * A line for each look at a contact that was to be dialled, and for the last one if it was not; one that was never looked at,
 * and a call whose decision is not on record, have one too.
 */
export function evidenceLines(evidence: ContactEvidenceResource): string {
  const { contact, do_not_call: listing, legal_hours: legal, decisions, attempts } = evidence;
  const since = [listing.organisation?.since, listing.server?.since].filter((at) => at !== undefined).toSorted()[0];
  const listed = [listing.organisation && 'organisation', listing.server && 'server'].filter((name) => name !== null);
  const shared: Cells = {
    contact_id: contact.id,
    phone_number: contact.phone_number,
    consent_id: contact.consent_id,
    do_not_call: listed.join(' '),
    do_not_call_since: since ?? null,
  };
  const decided = new Set(decisions.map(({ call_id: callId }) => callId));
  const others = new Set(attempts.map(({ call_id: callId }) => callId).filter((callId) => !decided.has(callId)));
  const rows: Cells[] = [
    ...decisions.map(({ at, dialled, call_id: callId, checks, legal_hours: applied }) => ({
      at,
      dialled,
      legal_source: sourceOf(applied),
      checks: checks.map(({ check, detail }) => `${check}: ${detail}`).join(' | '),
      failed: checks
        .filter(({ passed }) => !passed)
        .map(({ check }) => check)
        .join(' '),
      ...callCells(attempts, callId),
    })),
    ...[...others].map((callId) => ({ dialled: true, ...callCells(attempts, callId) })),
    ...passedOver(contact.last_decision),
  ];
  return (rows.length === 0 ? [{ legal_source: sourceOf(legal) }] : rows)
    .map((row) => lineOf({ ...shared, ...row }))
    .join('');
}

/** Null: not on record. */
const sourceOf = (applied: LegalHoursView | null): string | null => {
  if (applied === null) return null;
  return applied.kept ? applied.source : 'not kept';
};

/** Put off or left out when it was due: no call was begun for it, and so no decision is on record. */
function passedOver(last: ContactEvidenceResource['contact']['last_decision']): Cells[] {
  if (last === null || last.called || last.call_id !== null) return [];
  const { at, reason, detail } = last;
  return [{ at, dialled: false, checks: `${reason ?? ''}: ${detail ?? ''}`, failed: reason }];
}

function callCells(attempts: ContactEvidenceResource['attempts'], callId: string | null): Cells {
  const dials = attempts.filter(({ call_id: of }) => of === callId);
  const [first] = dials;
  if (first === undefined) return { call_id: callId };
  return {
    call_id: callId,
    sip_call_ids: dials.map(({ sip_call_id: sipCallId }) => sipCallId).join(' '),
    disposition: first.disposition,
    answered_at: first.answered_at,
    ended_at: first.ended_at,
  };
}

const lineOf = (cells: Cells): string => csvLine(COLUMNS.map((column) => cells[column] ?? null));
