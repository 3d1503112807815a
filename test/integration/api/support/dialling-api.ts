import { CallRequests } from '../../../../api/calls/call-requests';
import { TrunkRequests } from '../../../../api/trunk-requests';
import { createLogger } from '../../../../ops/logger';
import { createTemporalClient } from '../../../../ops/temporal-client';
import type { TemporalClient } from '../../../../ops/temporal-client';
import { ApiServer } from './api-server';
import type { Answer, ApiServerOptions } from './api-server';

export const TO = '+15559876543';

export interface DiallingApiOptions {
  readonly temporalAddress: string;
  readonly namespace?: string;
  /** Default: one of its own, on which a media node is seen. */
  readonly database?: ApiServerOptions['database'];
  readonly commandDeadlineMs?: number;
}

/** The API with calls on a Temporal server of the test's choice, an agent and the trunk that it calls by. */
export class DiallingApi {
  readonly api: ApiServer;
  readonly temporal: TemporalClient;
  readonly agentId: string;

  private constructor(api: ApiServer, temporal: TemporalClient, agentId: string) {
    this.api = api;
    this.temporal = temporal;
    this.agentId = agentId;
  }

  static async start(options: DiallingApiOptions): Promise<DiallingApi> {
    const { temporalAddress: address, namespace = 'default', database, commandDeadlineMs } = options;
    const temporal = createTemporalClient({ address, namespace });
    const { client } = temporal;
    const logger = createLogger({ name: 'test', level: 'silent' });
    const deadline = commandDeadlineMs === undefined ? {} : { commandDeadlineMs };
    const api = await ApiServer.start({
      workflows: () => new CallRequests({ client, logger, ...deadline }),
      trunks: () => new TrunkRequests({ client, logger }),
      ...(database === undefined ? {} : { database }),
    });
    if (database === undefined) await api.seeNode();
    return new DiallingApi(api, temporal, (await api.createDialler()).agentId);
  }

  async dial(body: object = {}, key?: string): Promise<Answer> {
    const headers = key === undefined ? {} : { headers: { 'Idempotency-Key': key } };
    const call = { phone_agent_id: this.agentId, phone_number: TO, ...body };
    return await this.api.post('/phone/outbound-call', call, headers);
  }

  async stop(): Promise<void> {
    await this.api.stop();
    await this.temporal.close();
  }
}
