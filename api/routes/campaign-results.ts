/** What became of a campaign: its numbers, its report, and what is on record of why each contact was called or not. */
import type { CampaignContact } from '../../store/entities/campaign-contact';
import type { Talk } from '../../store/repositories/campaign-results-repository';
import { campaignContactView } from '../campaigns/campaign-view';
import { csvLine } from '../campaigns/csv-line';
import { csvPages } from '../campaigns/csv-pages';
import { EVIDENCE_HEADER, evidenceLines, evidenceView } from '../campaigns/evidence-view';
import { statsView } from '../campaigns/stats-view';
import { notFound } from '../errors';
import { answer, route } from '../route';
import type { Route } from '../route';
import { campaignReport } from '../schemas/campaign';
import { campaignContactParams, campaignStats, contactEvidence } from '../schemas/campaign-results';
import {
  campaignReportExample,
  campaignStatsExample,
  contactEvidenceExample,
  evidenceCsvExample,
} from '../schemas/campaign-results-examples';
import { idParams } from '../schemas/primitives';
import type { ApiStore, OrgStore } from '../store';
import { readOfCampaign } from './campaign-contacts';
import { CAMPAIGN, findCampaign } from './campaigns';

export interface CampaignResultRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
}

const PATH = '/phone/campaigns/{id}';
const READ = { ...CAMPAIGN, method: 'get', scope: 'phone:read' } as const;
const CSV = { ...READ, params: idParams, csvAnswer: true } as const;
const ROWS_PER_PAGE = 1000;
/** Each with all that is on record of it. */
const CONTACTS_PER_PAGE = 200;
const FORMULAS = 'A cell that a spreadsheet would take for a formula begins with an apostrophe.';

export function campaignResultRoutes(deps: CampaignResultRouteDeps): readonly Route[] {
  return [statsRoute(deps), reportRoute(deps), evidenceRoute(deps), evidenceCsvRoute(deps)];
}

function statsRoute({ store }: CampaignResultRouteDeps): Route {
  return route({
    ...READ,
    path: `${PATH}/stats`,
    operationId: 'getCampaignStats',
    summary: 'Numbers of a campaign, its contacts and its calls: exact at any size',
    params: idParams,
    response: campaignStats,
    responseExample: campaignStatsExample,
    handle: async ({ principal: { orgId }, params: { id } }) => {
      const [contacts, calls] = await readOfCampaign(store, orgId, id, (org) =>
        Promise.all([org.campaigns.counts(id), org.campaignResults.callCounts(orgId, id)]),
      );
      return answer(statsView(contacts, calls));
    },
  });
}

function reportRoute({ store }: CampaignResultRouteDeps): Route {
  return route({
    ...CSV,
    path: `${PATH}/report.csv`,
    operationId: 'getCampaignReport',
    summary: 'Every contact of a campaign with what became of it, as CSV',
    description: FORMULAS,
    response: campaignReport,
    responseExample: campaignReportExample,
    handle: async ({ principal: { orgId }, params: { id } }) => {
      const campaign = await store.forOrg(orgId).read((org) => findCampaign(org, orgId, id));
      // A contact's name has a column of its own.
      const variableNames = campaign.variableNames.filter((name) => name !== 'name');
      return answer(
        await byContact(csvLine([...REPORT_COLUMNS, ...TALK_COLUMNS, ...variableNames]), ROWS_PER_PAGE, {
          contacts: (after, limit) =>
            store.forOrg(orgId).read((org) => org.campaignContacts.inOrder(orgId, id, after, limit)),
          lines: async (rows) => {
            const ids = rows.map((row) => row.id);
            const talks = await store.forOrg(orgId).read((org) => org.campaignResults.talks(orgId, id, ids));
            return rows.map((row) => csvLine(cellsOf(row, talks.get(row.id), variableNames)));
          },
        }),
      );
    },
  });
}

function evidenceRoute({ store }: CampaignResultRouteDeps): Route {
  return route({
    ...READ,
    path: `${PATH}/contacts/{contact_id}/evidence`,
    operationId: 'getCampaignContactEvidence',
    summary: 'Why a contact was called, or not: what was checked, when, and with which result',
    description:
      'Each look at the contact with its checks, each dial with its SIP Call-ID, and the lists that the number is on.',
    params: campaignContactParams,
    response: contactEvidence,
    errors: { 404: ['campaign_contact_not_found'] },
    responseExample: contactEvidenceExample,
    handle: async ({ principal: { orgId }, params: { id, contact_id: contactId } }) => {
      const [campaign, found] = await store.forOrg(orgId).read(async (org: OrgStore) => {
        const row = await findCampaign(org, orgId, id);
        return [row, await org.campaignResults.evidence(orgId, id, [contactId])] as const;
      });
      const [evidence] = found;
      if (evidence === undefined) throw notFound('campaign contact');
      return answer(evidenceView(campaign, evidence));
    },
  });
}

function evidenceCsvRoute({ store }: CampaignResultRouteDeps): Route {
  return route({
    ...CSV,
    path: `${PATH}/evidence.csv`,
    operationId: 'getCampaignEvidence',
    summary: 'The same of every contact of a campaign, as CSV: a row for each time it was looked at',
    description: FORMULAS,
    response: campaignReport,
    responseExample: evidenceCsvExample,
    handle: async ({ principal: { orgId }, params: { id } }) => {
      const campaign = await store.forOrg(orgId).read((org) => findCampaign(org, orgId, id));
      return answer(
        await byContact(EVIDENCE_HEADER, CONTACTS_PER_PAGE, {
          contacts: (after, limit) =>
            store.forOrg(orgId).read((org) => org.campaignContacts.inOrder(orgId, id, after, limit)),
          lines: async (rows) => {
            const ids = rows.map((row) => row.id);
            const found = await store.forOrg(orgId).read((org) => org.campaignResults.evidence(orgId, id, ids));
            return found.map((one) => evidenceLines(evidenceView(campaign, one)));
          },
        }),
      );
    },
  });
}

interface ContactPages {
  readonly contacts: (after: string, limit: number) => Promise<CampaignContact[]>;
  readonly lines: (rows: readonly CampaignContact[]) => Promise<string[]>;
}

/** Of every contact in the order of their numbers. */
function byContact(header: string, limit: number, { contacts, lines }: ContactPages): ReturnType<typeof csvPages> {
  return csvPages(header, '', async (after: string) => {
    const rows = await contacts(after, limit);
    const next = rows.length < limit ? null : (rows.at(-1)?.phoneNumber ?? null);
    return { lines: (await lines(rows)).join(''), next };
  });
}

const REPORT_COLUMNS = [
  'id',
  'phone_number',
  'name',
  'time_zone',
  'consent_id',
  'priority',
  'state',
  'result',
  'attempts',
  'last_disposition',
  'last_attempt_at',
  'due_at',
] as const;
const TALK_COLUMNS = ['last_call_id', 'talk_seconds'] as const;

function cellsOf(
  row: CampaignContact,
  talk: Talk | undefined,
  variableNames: readonly string[],
): (string | number | null)[] {
  const view = campaignContactView(row);
  return [
    ...REPORT_COLUMNS.map((column) => view[column]),
    talk?.lastCallId ?? null,
    talk?.seconds ?? null,
    ...variableNames.map((name) => view.variables[name] ?? null),
  ];
}
