/** A campaign that calls, with all it needs, as rows: its agent, trunk and contacts. */
import type { DataSource } from 'typeorm';
import type { CampaignWindow } from '../../store/campaigns/campaign-hours';
import { DEFAULT_NUMBER_CAPS } from '../../store/campaigns/number-caps';
import { DEFAULT_RETRY_MATRIX } from '../../store/campaigns/retry-plan';
import { Campaign } from '../../store/entities/campaign';
import { CampaignContact } from '../../store/entities/campaign-contact';
import { uuidV7 } from '../../store/ids';

/** At every hour: what is tested is not the window. */
export const ALWAYS: CampaignWindow = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  start: '00:00',
  end: '24:00',
  holidays: [],
  defaultTimeZone: null,
  legal: 'off',
};

export class CampaignRows {
  readonly #dataSource: DataSource;
  readonly orgId: string;
  #numbers = 0;

  constructor(dataSource: DataSource, orgId: string) {
    this.#dataSource = dataSource;
    this.orgId = orgId;
  }

  async trunk(
    limits: {
      readonly maxConcurrentCalls?: number;
      readonly maxCallsPerSecond?: number;
      readonly callerNumbers?: string[];
    } = {},
  ): Promise<string> {
    const id = uuidV7();
    await this.#dataSource.query(
      `INSERT INTO outbound_trunks (id, org_id, name, host, username, password_sealed, caller_number, caller_numbers,
         max_concurrent_calls, max_calls_per_second) VALUES ($1, $2, 'T', 'h', 'u', '', '+12025550100', $3, $4, $5)`,
      [id, this.orgId, limits.callerNumbers ?? [], limits.maxConcurrentCalls ?? null, limits.maxCallsPerSecond ?? null],
    );
    return id;
  }

  async agent(id = uuidV7()): Promise<string> {
    await this.#dataSource.query(
      `INSERT INTO agents (id, org_id, name, type, language, instructions, first_message)
       VALUES ($1, $2, 'A', 'outbound', '{en}', '{"Be brief."}', 'Hello {{name}}')`,
      [id, this.orgId],
    );
    return id;
  }

  /** Running, without limits of its own, by one trunk. */
  async campaign(fields: Partial<Campaign> & Pick<Campaign, 'trunkIds' | 'agentId'>): Promise<Campaign> {
    const id = uuidV7();
    await this.#dataSource.manager.insert(Campaign, {
      id,
      orgId: this.orgId,
      name: 'C',
      status: 'running',
      callerNumbers: [],
      localPresence: false,
      dialWindow: ALWAYS,
      ringTimeoutSeconds: 30,
      retry: DEFAULT_RETRY_MATRIX,
      caps: DEFAULT_NUMBER_CAPS,
      machineDetection: 'off',
      disclosureLine: 'I am a machine, {{name}}.',
      variables: {},
      variableNames: ['name'],
      requireConsent: true,
      autoPause: { answerRateBelow: null, shortCallShareAbove: null, abandonShareAbove: null },
      ...fields,
    } as object);
    return this.#dataSource.manager.findOneByOrFail(Campaign, { id });
  }

  /** Due since a moment ago, in a zone of its own, with consent. */
  async contact(campaignId: string, fields: Partial<CampaignContact> = {}): Promise<CampaignContact> {
    const id = uuidV7();
    this.#numbers += 1;
    await this.#dataSource.manager.insert(CampaignContact, {
      id,
      orgId: this.orgId,
      campaignId,
      phoneNumber: `+1202556${String(this.#numbers).padStart(4, '0')}`,
      name: 'Ada',
      timeZone: 'America/New_York',
      consentId: 'form-1',
      priority: 0,
      variables: {},
      dueAt: new Date(Date.now() - 1_000),
      ...fields,
    } as object);
    return this.stored(id);
  }

  stored(id: string): Promise<CampaignContact> {
    return this.#dataSource.manager.findOneByOrFail(CampaignContact, { id });
  }

  /** As a look sees it. */
  async seen(id: string): Promise<string> {
    const [row] = await this.#dataSource.query('SELECT xmin::text AS seen FROM campaign_contacts WHERE id = $1', [id]);
    return row.seen;
  }
}
