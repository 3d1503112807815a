/** What is on record of why a contact was called or not, as the contract shows it and as lines of CSV. */
import type { ContactRefusal } from '../../store/campaigns/contact-check';
import { legalHoursOf, legalSourceOf } from '../../store/campaigns/legal-hours';
import { numberZones } from '../../store/campaigns/number-zones';
import type { Campaign } from '../../store/entities/campaign';
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
  const kept = dialWindow.legal !== 'off';
  const { region } = numberZones({ e164: contact.phoneNumber, contactTimeZone: null, defaultTimeZone: null });
  const hours = legalHoursOf(region);
  const { source, certainty, checked } = legalSourceOf(hours);
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
    legal_hours: { kept, rule: hours.rule, source, certainty, checked },
    decisions: decisions.map(({ id, at, dialled, callId, checks }) => ({
      id,
      at: at.toISOString(),
      dialled,
      call_id: callId,
      checks: checks.map(({ check, passed, detail }) => ({
        check,
        passed,
        detail,
        source: check === WINDOW_CHECK && kept ? source : null,
      })),
    })),
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
    legal_source: legal.kept ? legal.source : 'not kept',
  };
  const decided = new Set(decisions.map(({ call_id: callId }) => callId));
  const others = new Set(attempts.map(({ call_id: callId }) => callId).filter((callId) => !decided.has(callId)));
  const rows: Cells[] = [
    ...decisions.map(({ at, dialled, call_id: callId, checks }) => ({
      at,
      dialled,
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
  return (rows.length === 0 ? [{}] : rows).map((row) => lineOf({ ...shared, ...row })).join('');
}

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
