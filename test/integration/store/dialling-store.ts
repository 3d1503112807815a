/** Campaigns' calls on a database of the test file's own: claimed, admitted and ended as the product does it. */
import type { DataSource } from 'typeorm';
import type { CallEnding } from '../../../contract/endings';
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact } from '../../../store/entities/campaign-contact';
import type { StoredCheck } from '../../../store/entities/contact-decision';
import { attemptIdOf, campaignCallId, uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import type { ClosedAttempt } from '../../../store/repositories/call-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import type { CampaignAnswer } from '../../../store/repositories/capacity-repository';
import { CampaignRows } from '../../support/campaign-rows';
import { newCall, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

export const BOOT = { nodeId: 'node', bootId: 'boot' };
export const CHECKS: readonly StoredCheck[] = [{ check: 'no_consent', passed: true, detail: 'Consent form-1' }];
export const AHEAD_MS = 1_000;

export class DiallingStore {
  readonly dataSource: DataSource;
  readonly orgId: string;
  readonly rows: CampaignRows;
  readonly dialling: CampaignDiallingRepository;
  readonly ledger: CapacityRepository;
  readonly calls: CallRepository;
  /** Campaigns that were told that contacts have moved. */
  readonly moved: string[] = [];
  readonly #store: StoreFixture;
  readonly #agentId: string;

  private constructor(store: StoreFixture, rows: CampaignRows, agentId: string) {
    this.#store = store;
    this.#agentId = agentId;
    this.dataSource = store.dataSource;
    this.rows = rows;
    this.orgId = rows.orgId;
    this.dialling = new CampaignDiallingRepository(store.dataSource);
    this.ledger = new CapacityRepository(store.dataSource);
    this.calls = new CallRepository(store.dataSource, { moved: (campaignId) => void this.moved.push(campaignId) });
  }

  static async open(): Promise<DiallingStore> {
    const store = await openStore();
    const rows = new CampaignRows(store.dataSource, await store.newOrg());
    return new DiallingStore(store, rows, await rows.agent());
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async campaign(fields: Partial<Campaign> = {}): Promise<Campaign> {
    return this.rows.campaign({ trunkIds: [await this.rows.trunk()], agentId: this.#agentId, ...fields });
  }

  change(campaign: Campaign, set: string): Promise<unknown> {
    return this.dataSource.query(`UPDATE campaigns SET ${set}, version = version + 1 WHERE id = $1`, [campaign.id]);
  }

  async claim(
    campaign: Campaign,
    contacts: readonly CampaignContact[],
    { turn = uuidV7(), version = campaign.version } = {},
  ): Promise<string[]> {
    const trunkId = campaign.trunkIds![0]!;
    const wanted = contacts.map(({ id, calls: n }) => ({
      id,
      calls: n + 1,
      callId: campaignCallId(campaign.id, id, n + 1),
      trunkId,
    }));
    const claimed = await this.dialling.claim(this.orgId, campaign.id, { turn, version, wanted, nowMs: Date.now() });
    return claimed.map(({ id }) => id);
  }

  async claimed(campaign: Campaign, fields: Partial<CampaignContact> = {}): Promise<CampaignContact> {
    const contact = await this.rows.contact(campaign.id, fields);
    expect(await this.claim(campaign, [contact])).toEqual([contact.id]);
    return this.rows.stored(contact.id);
  }

  /** The call of a claimed contact, as its node admits it. */
  async admit(
    campaign: Campaign,
    contactId: string,
    { n = 1, aheadMs = AHEAD_MS, atMs = null as number | null } = {},
  ): Promise<CampaignAnswer> {
    const { callId, phoneNumber: to, trunkId } = await this.rows.stored(contactId);
    const call = newCall(this.orgId, { id: callId!, trunkId, to, campaignId: campaign.id, contactId });
    const attemptId = attemptIdOf(call.id, n);
    const admission = { campaignId: campaign.id, contactId, version: campaign.version, checks: CHECKS };
    return this.ledger.admitCampaignCall(
      { attemptId, call, n, sipCallId: attemptId, ...BOOT },
      admission,
      aheadMs,
      atMs,
    );
  }

  async end(
    { callId }: CampaignContact,
    disposition: CallEnding['disposition'],
    {
      endReason = null as CallEnding['endReason'],
      undialled = false,
      endedAtMs = Date.now(),
      attempt = null as ClosedAttempt | null,
    } = {},
  ): Promise<string> {
    const ending = { disposition, endReason, endedBy: 'system', sip: null } as const;
    const record = { callId: callId!, ending, endedAtMs, answeredAtMs: null, metrics: null, truncated: false };
    return this.calls.finaliseCall(record, { undialled, attempt });
  }

  decisions(contactId: string): Promise<{ dialled: boolean; checks: StoredCheck[] }[]> {
    return this.dataSource.query('SELECT dialled, checks FROM contact_decisions WHERE contact_id = $1 ORDER BY at', [
      contactId,
    ]);
  }
}
