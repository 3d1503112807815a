/** Contacts of a campaign: imported as JSON or as a CSV of up to a million rows, listed, counted, reported. */
import type { Campaign } from '../../store/entities/campaign';
import type { CampaignImport } from '../../store/entities/campaign-import';
import type { CampaignRequests } from '../campaigns/campaign-requests';
import { campaignContactView, campaignImportView } from '../campaigns/campaign-view';
import { importContacts, importCsvContacts } from '../campaigns/contact-import';
import { neededOf } from '../../store/campaigns/contact-rules';
import { csvLine } from '../campaigns/csv-line';
import { csvPages } from '../campaigns/csv-pages';
import { notFound, unavailable } from '../errors';
import { answer, route } from '../route';
import type { Actor, Route } from '../route';
import {
  campaignContactPage,
  campaignContactsCreate,
  campaignContactsQuery,
  campaignImport,
  campaignImportPage,
  campaignReport,
  importReportQuery,
} from '../schemas/campaign';
import {
  campaignContactExample,
  campaignContactsCsvExample,
  campaignContactsExample,
  campaignImportExample,
  campaignImportPageExample,
  importReportExample,
} from '../schemas/campaign-examples';
import { idParams, pageQuery } from '../schemas/primitives';
import type { ApiStore, OrgStore } from '../store';
import { CAMPAIGN, findCampaign } from './campaigns';
import { numberIn } from './dnc';

export interface CampaignContactRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly campaigns: Pick<CampaignRequests, 'moved'>;
}

const PATH = '/phone/campaigns/{id}';
/** Of CSV, at once in one process: each holds a connection of the database for most of its time. */
const MOST_IMPORTS = 3;

export function campaignContactRoutes(deps: CampaignContactRouteDeps): readonly Route[] {
  return [importRoute(deps), ...readRoutes(deps), ...csvRoutes(deps)];
}

function importRoute({ store, campaigns }: CampaignContactRouteDeps): Route {
  let running = 0;
  const prepare = async (orgId: string, id: string): Promise<{ campaign: Campaign; needed: string[] }> => {
    const access = store.forOrg(orgId);
    const [campaign, parts] = await access.read((org) =>
      Promise.all([findCampaign(org, orgId, id), org.campaigns.parts(orgId, id)]),
    );
    return { campaign, needed: neededOf(campaign, parts.agent) };
  };
  const endedBy =
    (actor: Actor, { campaign }: { readonly campaign: Campaign }) =>
    async (ended: CampaignImport): Promise<void> => {
      if (campaign.status !== 'draft') campaigns.moved(campaign.id);
      await noteImport(store, actor, ended);
    };
  return route({
    ...CAMPAIGN,
    method: 'post',
    path: `${PATH}/contacts`,
    operationId: 'importCampaignContacts',
    summary: 'Add contacts to a campaign, as JSON or as CSV',
    description:
      'CSV (`text/csv`, UTF-8, separated by comma, semicolon or tab, up to 1,000,000 rows) is read as it arrives. Columns: ' +
      '`phone_number`*, `name`, `time_zone`, `consent_id`, `priority`; any other one is a variable. Each row is stored or ' +
      'refused by itself, and stored once: an upload that stopped is sent again, and what is there already is a duplicate. ' +
      '`GET …/imports` tells what became of each upload, `GET …/import-report.csv` every row that was not accepted.',
    scope: 'phone:write',
    params: idParams,
    body: campaignContactsCreate,
    response: campaignImport,
    errors: {
      409: ['campaign_over'],
      413: ['too_many_rows'],
      422: ['missing_column', 'invalid_header'],
      503: ['imports_busy'],
    },
    requestExample: campaignContactsExample,
    uploadExample: campaignContactsCsvExample,
    responseExample: campaignImportExample,
    handle: async ({ actor, params, body }) => {
      const prepared = await prepare(actor.orgId, params.id);
      return answer(await importContacts({ store, ...prepared, ended: endedBy(actor, prepared) }, body.contacts));
    },
    upload: async ({ actor, params, source }) => {
      const prepared = await prepare(actor.orgId, params.id);
      if (running >= MOST_IMPORTS) {
        throw unavailable('imports_busy', 'Other imports are under way; nothing was done');
      }
      running += 1;
      try {
        return answer(await importCsvContacts({ store, ...prepared, ended: endedBy(actor, prepared) }, source));
      } finally {
        running -= 1;
      }
    },
  });
}

async function noteImport(
  store: Pick<ApiStore, 'forOrg'>,
  actor: Actor,
  { id, campaignId: resourceId, status, accepted, duplicates, invalid, suppressed }: CampaignImport,
): Promise<void> {
  const after = { import_id: id, status, accepted, duplicates, invalid, suppressed };
  const note = { ...actor, action: 'import', resource: 'campaign', resourceId, after };
  await store.forOrg(actor.orgId).write((org) => org.audit.add(note));
}

function readRoutes({ store }: Pick<CampaignContactRouteDeps, 'store'>): readonly Route[] {
  const READ = { ...CAMPAIGN, method: 'get', scope: 'phone:read', params: idParams } as const;
  return [
    route({
      ...READ,
      path: `${PATH}/contacts`,
      operationId: 'listCampaignContacts',
      summary: 'Contacts of a campaign, newest first',
      query: campaignContactsQuery,
      response: campaignContactPage,
      responseExample: { items: [campaignContactExample], next: null },
      handle: async ({ principal: { orgId }, params, query }) => {
        const page = await readOfCampaign(store, orgId, params.id, (org) =>
          org.campaignContacts.list(orgId, params.id, { ...query, phoneNumber: numberIn(query.phone_number) }),
        );
        return answer({ items: page.items.map(campaignContactView), next: page.next });
      },
    }),
    route({
      ...READ,
      path: `${PATH}/imports`,
      operationId: 'listCampaignImports',
      summary: 'Uploads of contacts to a campaign, newest first',
      query: pageQuery,
      response: campaignImportPage,
      responseExample: campaignImportPageExample,
      handle: async ({ principal: { orgId }, params, query }) => {
        const page = await readOfCampaign(store, orgId, params.id, (org) =>
          org.campaignImports.list(orgId, params.id, query),
        );
        return answer({ items: page.items.map(campaignImportView), next: page.next });
      },
    }),
  ];
}

function csvRoutes({ store }: Pick<CampaignContactRouteDeps, 'store'>): readonly Route[] {
  const CSV = { ...CAMPAIGN, method: 'get', scope: 'phone:read', params: idParams, csvAnswer: true } as const;
  return [
    route({
      ...CSV,
      path: `${PATH}/import-report.csv`,
      operationId: 'getCampaignImportReport',
      summary: 'Every row of an import that was not accepted, as CSV',
      query: importReportQuery,
      response: campaignReport,
      errors: { 404: ['import_not_found'] },
      responseExample: importReportExample,
      handle: async ({ principal: { orgId }, params, query }) => {
        const wanted = query.import_id ?? null;
        const found = await readOfCampaign(store, orgId, params.id, (org) =>
          org.campaignImports.find(orgId, params.id, wanted),
        );
        if (found === null) throw notFound('import');
        const page = async (after: number): Promise<{ lines: string; next: number | null }> => {
          const parts = await store.forOrg(orgId).read((org) => org.campaignImports.parts(orgId, found.id, after));
          const rows = parts.flatMap((part) => part.rows);
          const lines = rows.map(({ row, phoneNumber, result, reason }) => csvLine([row, phoneNumber, result, reason]));
          return { lines: lines.join(''), next: parts.at(-1)?.part ?? null };
        };
        return answer(await csvPages(csvLine(['row', 'phone_number', 'result', 'reason']), -1, page));
      },
    }),
  ];
}

/** That there is no such campaign is told before what is wrong with what is asked of it. */
export async function readOfCampaign<T>(
  store: Pick<ApiStore, 'forOrg'>,
  orgId: string,
  id: string,
  ask: (org: OrgStore) => Promise<T>,
): Promise<T> {
  return store.forOrg(orgId).read(async (org) => {
    await findCampaign(org, orgId, id);
    return ask(org);
  });
}
