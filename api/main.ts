import type { Server } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { NODE_SILENCE_MS } from '../contract/nodes';
import { createLogger } from '../ops/logger';
import type { Logger } from '../ops/logger';
import { Shutdown } from '../ops/shutdown';
import { createTemporalClient } from '../ops/temporal-client';
import { createDataSource } from '../store/data-source';
import { isBoundToOrganisation } from '../store/row-level-security';
import { SecretBox } from '../store/secrets';
import { probeStoreWrite } from '../store/write-probe';
import { NumberWorkflows } from '../workflows/client/number-workflows';
import { temporalAnswers } from '../workflows/client/temporal-answers';
import { TrunkCheckWorkflows } from '../workflows/client/trunk-check-workflows';
import { createApp } from './app';
import { CallRequests } from './calls/call-requests';
import { CampaignRequests } from './campaigns/campaign-requests';
import { readApiConfig } from './config';
import { connectDatabase, createApiStore, purgeHourly, whenConnected } from './database';
import { KeyAuthenticator } from './key-authenticator';
import { createLimitedServer } from './limited-server';
import { readinessProbes } from './readiness';
import { TrunkRequests } from './trunk-requests';
import { packageVersion } from './version';

/** A request that waits for the database gives up before its client does. */
const CONNECT_TIMEOUT_MS = 1500;
const STATEMENT_TIMEOUT_MS = 1500;
/** Requests under way get this long when the process stops. */
const DRAIN_MS = 10_000;
const TEMPORAL_PROBE_MS = 1000;
/** Longer than a check may take, and less than clients wait. */
const TRUNK_CHECK_MS = 29_000;
/** What is not told to a workflow in time, it finds out. */
const TEMPORAL_SIGNAL_MS = 1000;

async function main(): Promise<void> {
  const config = readApiConfig();
  const logger = createLogger({ name: 'api', level: config.logLevel });
  const shutdown = new Shutdown({ logger }).listen();
  // A stray rejection of one request must not take all others with it.
  process.on('unhandledRejection', (reason) => logger.error({ err: reason }, 'unhandled rejection'));
  try {
    const secrets = new SecretBox(config.secretsKey);
    const dataSource = createDataSource({
      url: config.databaseUrl,
      applicationName: 'trunkline-api',
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      onPoolError: (error) => logger.warn({ err: error }, 'database connection lost'),
    });
    shutdown.add('database', async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
    });
    const temporal = createTemporalClient(config.temporal);
    shutdown.add('temporal', () => temporal.close());

    const store = createApiStore(dataSource, secrets);
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const probes = readinessProbes({
      store: async () => {
        await dataSource.query('SELECT 1');
        await probeStoreWrite(dataSource);
      },
      temporal: () => temporalAnswers(temporal.client, TEMPORAL_PROBE_MS),
      nodes: () => store.mediaNodes.live(NODE_SILENCE_MS),
    });
    const app = createApp({
      options: { ...config, version: packageVersion() },
      store,
      workflows: new CallRequests({ client: temporal.client, logger }),
      trunkChecks: new TrunkCheckWorkflows({ client: temporal.client, limitMs: TRUNK_CHECK_MS }),
      trunks: new TrunkRequests({ client: temporal.client, logger }),
      verifications: new NumberWorkflows({ client: temporal.client, limitMs: TEMPORAL_SIGNAL_MS }),
      campaigns: new CampaignRequests({ client: temporal.client, logger }),
      secrets,
      authenticator: whenConnected(
        dataSource,
        new KeyAuthenticator(store, logger, {
          perMinute: config.rateLimitPerMinute,
          streamingPerMinute: config.rateLimitStreamingPerMinute,
        }),
      ),
      probes,
      registry,
      logger,
    });
    const handle = app.callback();
    const server = createLimitedServer((request, response) => void handle(request, response));
    await listen(server, config.port, config.host);
    shutdown.add('http', () => drain(server));
    logger.info({ host: config.host, port: config.port }, 'API listens');
    await connectDatabase(dataSource, logger, shutdown.requested);
    void purgeHourly(store, logger, shutdown.requested);
    void warnWhenUnbound(dataSource, logger);
  } catch (error) {
    if (!shutdown.requested.aborted) shutdown.fail(error);
  }
}

/** Everything works without it: the repositories name the organisation themselves. */
async function warnWhenUnbound(dataSource: DataSource, logger: Logger): Promise<void> {
  try {
    if (await isBoundToOrganisation(dataSource)) return;
    logger.warn({}, 'row-level security does not bind this connection to an organisation: see API_DATABASE_URL');
  } catch (error) {
    logger.debug({ err: error }, 'whether row-level security binds this connection is not known');
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** No new connections; requests under way are answered. */
function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearTimeout(limit);
      resolve();
    });
    server.closeIdleConnections();
  });
}

void main();
