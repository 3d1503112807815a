/** Campaigns made by the API on an environment's database, and in the place of what dials something that a test plans. */
import type { CampaignDialActivities, CampaignTurn } from '../../../workflows/campaign/activities';
import { CampaignRequests } from '../../../api/campaigns/campaign-requests';
import { uuidV7 } from '../../../store/ids';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { campaignWorkflowId } from '../../../workflows/ids';
import { ApiServer } from '../api/support/api-server';
import type { Answer } from '../api/support/api-server';
import { waitFor } from '../../support/wait-for';
import type { WorkflowEnvironment } from './environment';

const WHOLE_WEEK = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], start: '00:00', end: '24:00' };

/** Each contact that is due is reached at once; `perTurn` of them in one turn. */
export class PlannedDialling {
  readonly turns: (CampaignTurn & { readonly atMs: number })[] = [];
  perTurn = 100;
  wakeInMs: number | null = 200;
  turnMs = 0;
  env!: WorkflowEnvironment;

  readonly dialDue: CampaignDialActivities['dialDue'] = async (turn) => {
    const { campaignId } = turn;
    this.turns.push({ ...turn, atMs: Date.now() });
    if (this.turnMs > 0) await new Promise((resolve) => setTimeout(resolve, this.turnMs));
    const { dataSource } = this.env;
    const rows: { status: 'running' }[] = await dataSource.query(
      'SELECT status FROM campaigns WHERE id = $1 AND deleted_at IS NULL',
      [campaignId],
    );
    const status = rows[0]?.status ?? 'deleted';
    const [, started]: [unknown, number] =
      status === 'running'
        ? await dataSource.query(
            `UPDATE campaign_contacts SET state = 'done', result = 'reached', last_disposition = 'answered', due_at = NULL,
               attempts = attempts + 1 WHERE id IN (SELECT id FROM campaign_contacts
                 WHERE campaign_id = $1 AND state IN ('pending', 'waiting') ORDER BY phone_number LIMIT $2)`,
            [campaignId, this.perTurn],
          )
        : [[], 0];
    const [{ open }]: [{ open: number }] = await dataSource.query(
      `SELECT count(*)::int AS open FROM campaign_contacts WHERE campaign_id = $1 AND state <> 'done'`,
      [campaignId],
    );
    return { status, started, calling: 0, open, wakeInMs: this.wakeInMs };
  };

  of(campaignId: string): typeof this.turns {
    return this.turns.filter((turn) => turn.campaignId === campaignId);
  }
}

export class PlannedCampaigns {
  readonly api: ApiServer;
  readonly #env: WorkflowEnvironment;
  readonly #agentId: string;

  private constructor(env: WorkflowEnvironment, api: ApiServer, agentId: string) {
    this.#env = env;
    this.api = api;
    this.#agentId = agentId;
  }

  static async start(env: WorkflowEnvironment): Promise<PlannedCampaigns> {
    const { dataSource, secrets, client, logger } = env;
    const campaigns = new CampaignRequests({ client, logger });
    const api = await ApiServer.start({ database: { dataSource, secrets }, campaigns });
    await new OrganisationRepository(dataSource).create({ id: env.orgId, name: 'Own' });
    api.tenant = await api.createKey(env.orgId, { operator: true });
    const { agentId } = await api.createDialler();
    return new PlannedCampaigns(env, api, agentId);
  }

  /** A draft with so many contacts. */
  async create(contacts = 3, fields: object = {}): Promise<string> {
    const body = { name: 'C', phone_agent_id: this.#agentId, window: WHOLE_WEEK, require_consent: false, ...fields };
    const made = await this.api.post('/phone/campaigns', body);
    expect(made.status).toBe(201);
    const list = Array.from({ length: contacts }, (_, n) => ({ phone_number: `+1202555${1000 + n}` }));
    if (contacts > 0) await this.api.post(`/phone/campaigns/${made.body.id}/contacts`, { contacts: list });
    return made.body.id as string;
  }

  act(id: string, action: string, body?: object): Promise<Answer> {
    return this.api.post(`/phone/campaigns/${id}/${action}`, body);
  }

  async get(id: string): Promise<Answer['body']> {
    return (await this.api.get(`/phone/campaigns/${id}`)).body;
  }

  async is(id: string, status: string, limitMs = 15_000): Promise<Answer['body']> {
    return waitFor(`the campaign ${status}`, limitMs, async () => {
      const body = await this.get(id);
      return body.status === status ? body : undefined;
    });
  }

  /** Types of its timeline, oldest first. */
  async timeline(id: string): Promise<string[]> {
    const { items } = (await this.api.get(`/phone/campaigns/${id}/events?limit=100`)).body;
    return items.map(({ type }: { type: string }) => type).reverse();
  }

  async states(id: string): Promise<Record<string, number>> {
    const { states } = (await this.api.get(`/phone/campaigns/${id}/stats`)).body;
    return Object.fromEntries(Object.entries(states as Record<string, number>).filter(([, n]) => n > 0));
  }

  handle(id: string): ReturnType<WorkflowEnvironment['handle']> {
    return this.#env.client.workflow.getHandle(campaignWorkflowId(id));
  }

  /** How its workflow stands, or has ended. */
  async workflow(id: string): Promise<string> {
    return (await this.handle(id).describe()).status.name;
  }

  async closed(id: string): Promise<void> {
    await waitFor('the end of the workflow', 15_000, async () =>
      (await this.workflow(id)) === 'COMPLETED' ? true : undefined,
    );
  }

  /** A call to some contact of it, which is under way. */
  async call(id: string): Promise<string> {
    const callId = uuidV7();
    await this.#env.placeCall(this.#env.outboundInput({ callId }));
    await this.#env.dataSource.query('UPDATE calls SET campaign_id = $2 WHERE id = $1', [callId, id]);
    return callId;
  }

  stop(): Promise<void> {
    return this.api.stop();
  }
}
