/** What a campaign would do in the next hour if it ran now, and why it would not call the rest. */
import { checkContact } from '../../store/campaigns/contact-check';
import type { ContactObjection } from '../../store/campaigns/contact-check';
import { neverOpenBecause, rulesOf, unfillable } from '../../store/campaigns/contact-rules';
import { destinationGuard } from '../../store/campaigns/destination-guard';
import { CAP_WEEK_MS } from '../../store/campaigns/number-caps';
import type { Campaign } from '../../store/entities/campaign';
import type { DueContact, DuePosition } from '../../store/repositories/campaign-contact-repository';
import type { CampaignParts } from '../../store/repositories/campaign-repository';
import type { CampaignPreviewResource, PreviewReason } from '../schemas/campaign-preview';
import type { ApiStore } from '../store';

export interface PreviewDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  /** ISO codes; empty = the countries of the organisation's own numbers. */
  readonly allowedCountries: readonly string[];
}

const HOUR_MS = 3_600_000;
/** A page is checked in one go: other requests wait for it. */
const PAGE = 250;
/** As far as a preview looks: more than most carriers dial in an hour. */
const MOST_EXAMINED = 20_000;
const MOST_MS = 3000;
const MOST_SHOWN = 100;

/** Those not called, by the reason that stands first against them. */
class Tally {
  readonly #byReason = new Map<
    PreviewReason,
    { contacts: number; example: CampaignPreviewResource['not_called'][number]['example'] }
  >();

  add(
    reason: PreviewReason,
    contacts: number,
    example: { id: string; phoneNumber: string; detail: string } | null,
  ): void {
    if (contacts === 0) return;
    const found = this.#byReason.get(reason);
    const shown = example && { id: example.id, phone_number: example.phoneNumber, detail: example.detail };
    if (found === undefined) this.#byReason.set(reason, { contacts, example: shown });
    else found.contacts += contacts;
  }

  list(): CampaignPreviewResource['not_called'] {
    return [...this.#byReason]
      .map(([reason, { contacts, example }]) => ({ reason, contacts, example }))
      .sort((a, b) => b.contacts - a.contacts);
  }
}

export async function previewCampaign(
  deps: PreviewDeps,
  campaign: Campaign,
  parts: CampaignParts,
  nowMs: number,
): Promise<CampaignPreviewResource> {
  const { orgId, id } = campaign;
  const access = deps.store.forOrg(orgId);
  const counts = await access.read((org) => org.campaigns.counts(id));
  const countIf = (state: string): number =>
    counts.reduce((sum, count) => sum + (count.state === state ? count.contacts : 0), 0);
  const fromMs = Math.max(nowMs, campaign.startsAt?.getTime() ?? nowMs);
  const untilMs = Math.min(nowMs + HOUR_MS, campaign.endsAt?.getTime() ?? Infinity);
  const problems = problemsOf(campaign, parts, fromMs, untilMs, nowMs + HOUR_MS);
  const capacity = problems.length > 0 ? 0 : capacityOf(campaign, parts, untilMs - fromMs);
  const tally = new Tally();
  const contacts: CampaignPreviewResource['contacts'] = [];
  let [examined, wouldCall] = [0, 0];
  const until = new Date(nowMs + HOUR_MS);
  const mayCall = destinationGuard(
    (country) => access.read((org) => org.callers.find(orgId, campaign.agentId, country)),
    deps.allowedCountries,
    parts.trunks,
  );
  const rules = rulesOf(campaign, parts.agent);
  for await (const contact of dueContacts(deps, campaign, until, nowMs)) {
    examined += 1;
    const checked = { ...contact, destinationRefusal: (await mayCall(contact.phoneNumber)).refusal };
    const dueMs = Math.max(fromMs, contact.dueAt.getTime());
    const { refusals, earliestMs, zones } = checkContact(checked, rules, dueMs, untilMs);
    const [first] = refusals;
    if (first !== undefined) tally.add(first.reason, 1, { ...contact, detail: detailOf(refusals) });
    else if (problems.length > 0) tally.add('campaign', 1, null);
    else if (capacity !== null && wouldCall >= capacity) tally.add('behind_others', 1, null);
    else {
      wouldCall += 1;
      if (contacts.length < MOST_SHOWN && earliestMs !== null) {
        const earliest_at = new Date(earliestMs).toISOString();
        contacts.push({ id: contact.id, phone_number: contact.phoneNumber, zones: [...zones], earliest_at });
      }
    }
  }
  const later = await access.read((org) => org.campaignContacts.countLater(id, until));
  tally.add('due_later', later, null);
  tally.add('calling', countIf('calling'), null);
  tally.add('done', countIf('done'), null);
  const notExamined = Math.max(0, countIf('pending') + countIf('waiting') - later - examined);
  return {
    at: new Date(nowMs).toISOString(),
    until: until.toISOString(),
    problems,
    capacity,
    would_call: wouldCall,
    contacts,
    not_called: tally.list(),
    examined,
    not_examined: notExamined,
  };
}

/** In the order in which they are called, as many as a preview looks at. */
async function* dueContacts(
  { store }: PreviewDeps,
  { orgId, id }: Campaign,
  until: Date,
  nowMs: number,
): AsyncGenerator<DueContact> {
  const startedMs = performance.now();
  const dialledSince = new Date(nowMs - CAP_WEEK_MS);
  let after: DuePosition | null = null;
  for (let read = 0; read < MOST_EXAMINED && performance.now() - startedMs < MOST_MS; read += PAGE) {
    const from: DuePosition | null = after;
    const page: DueContact[] = await store
      .forOrg(orgId)
      .read((org) => org.campaignContacts.due(orgId, id, until, { after: from, limit: PAGE, dialledSince }));
    yield* page;
    after = page.at(-1) ?? null;
    if (page.length < PAGE) return;
  }
}

/** What keeps the whole campaign from calling. */
function problemsOf(
  campaign: Campaign,
  { agent, trunks }: CampaignParts,
  fromMs: number,
  untilMs: number,
  hourMs: number,
): CampaignPreviewResource['problems'] {
  const { startsAt, endsAt, agentId } = campaign;
  const problems: CampaignPreviewResource['problems'] = [];
  if (agentId === null || agent === null) problems.push({ code: 'no_agent', message: 'The agent was deleted' });
  if (trunks.length === 0) {
    problems.push({ code: 'no_trunk', message: 'Neither the campaign nor its agent has an outbound trunk' });
  }
  const closed = neverOpenBecause(campaign);
  if (closed !== null) problems.push({ code: 'window_never_opens', message: closed });
  const unclear = unfillable(campaign, agent);
  if (unclear !== null) problems.push({ code: 'invalid_placeholder', message: unclear.message });
  if (fromMs >= hourMs) {
    problems.push({ code: 'not_started', message: `The campaign starts at ${startsAt?.toISOString() ?? ''}` });
  } else if (untilMs <= fromMs) {
    problems.push({ code: 'ended', message: `The campaign ended at ${endsAt?.toISOString() ?? ''}` });
  }
  return problems;
}

/**
 * Calls that can begin in this time; null: no limit is set. One that a guard has slowed takes its share of what it would have; once it
 * is resumed it is as fast as it may be.
 */
function capacityOf({ callsPerSecond, pace, status }: Campaign, { trunks }: CampaignParts, ms: number): number | null {
  const ofTrunks = trunks.reduce((sum, trunk) => sum + (trunk.maxCallsPerSecond ?? Infinity), 0);
  const share = status === 'running' ? pace : 1;
  const perSecond = Math.min((callsPerSecond ?? ofTrunks) * share, ofTrunks);
  return Number.isFinite(perSecond) ? Math.floor((perSecond * ms) / 1000) : null;
}

const detailOf = (refusals: readonly ContactObjection[]): string => refusals.map(({ detail }) => detail).join('. ');
