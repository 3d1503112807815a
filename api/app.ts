/** The REST API as a Koa application: everything but the socket. */
import Koa from 'koa';
import type { Registry } from 'prom-client';
import { NODE_SILENCE_MS } from '../contract/nodes';
import type { Logger } from '../ops/logger';
import { reachableHosts } from '../ops/private-host';
import type { SipListening } from '../ops/sip-address';
import type { SecretBox } from '../store/secrets';
import type { NumberWorkflows } from '../workflows/client/number-workflows';
import type { CallRequests } from './calls/call-requests';
import { CallPlacement } from './calls/placement';
import type { CampaignRequests } from './campaigns/campaign-requests';
import { Changes } from './changes';
import { ConfigPropagation } from './config-propagation';
import { tableRoute } from './dispatch';
import { InboundTrunkEndpoint } from './inbound-trunk-endpoint';
import { LiveNodes } from './live-nodes';
import type { Authenticator } from './middleware/auth';
import { errorHandler } from './middleware/error-handler';
import { requestId } from './middleware/request-id';
import { requestMetrics } from './middleware/request-metrics';
import type { VerificationOptions } from './numbers/new-verification';
import { buildOpenApi } from './openapi';
import type { OpenApiDocument } from './openapi';
import type { ReadinessProbe } from './readiness';
import type { Route } from './route';
import { dispatch, RouteTable } from './route-table';
import { agentConfigRoutes } from './routes/agent-config';
import { agentDestinationRoutes } from './routes/agent-destinations';
import { agentRoutes } from './routes/agents';
import { apiKeyRoutes } from './routes/api-keys';
import { auditLogRoutes } from './routes/audit-log';
import { callControlRoutes } from './routes/call-control';
import { callScheduleRoutes } from './routes/call-schedule';
import { callSuperviseRoutes } from './routes/call-supervise';
import { callTransferRoute } from './routes/call-transfer';
import { callRoutes } from './routes/calls';
import { campaignContactRoute } from './routes/campaign-contact';
import { campaignContactRoutes } from './routes/campaign-contacts';
import { campaignControlRoutes } from './routes/campaign-control';
import { campaignPreviewRoute } from './routes/campaign-preview';
import { campaignResultRoutes } from './routes/campaign-results';
import { campaignRoutes } from './routes/campaigns';
import { contactRoutes } from './routes/contacts';
import { dncRoutes } from './routes/dnc';
import { docsRoutes } from './routes/docs';
import { inboundTrunkRoutes } from './routes/inbound-trunk';
import { inboundTrunkNumberRoutes } from './routes/inbound-trunk-numbers';
import { inboundTrunkSyncRoutes } from './routes/inbound-trunk-sync';
import { numberRoutes } from './routes/numbers';
import { operationsRoutes } from './routes/operations';
import { organisationRoutes } from './routes/organisations';
import { outboundTrunkRoutes } from './routes/outbound-trunks';
import { transferDestinationRoutes } from './routes/transfer-destinations';
import { routePreviewRoutes } from './routes/route-preview';
import { trunkCheckRoutes } from './routes/trunk-checks';
import { SpeechCatalog } from './speech-catalog';
import type { ApiStore } from './store';
import type { TrunkRequests } from './trunk-requests';
import { TrunkChecks } from './trunk-check/trunk-checks';
import type { TrunkChecksDeps } from './trunk-check/trunk-checks';

export interface AppOptions {
  /** What a media node with the API's environment listens on. */
  readonly sip: SipListening;
  readonly outboundAllowedCountries: readonly string[];
  readonly allowPrivateTargets: boolean;
  readonly verification: VerificationOptions;
  readonly version: string;
}

export interface RouteDeps {
  readonly options: AppOptions;
  readonly store: ApiStore;
  readonly workflows: Pick<CallRequests, 'accept' | 'describe' | 'control' | 'reschedule' | 'transfer'>;
  readonly trunks: Pick<TrunkRequests, 'sync' | 'tell'>;
  readonly trunkChecks: TrunkChecksDeps['workflows'];
  readonly verifications: Pick<NumberWorkflows, 'begin' | 'over'>;
  readonly campaigns: Pick<CampaignRequests, 'settled' | 'moved'>;
  readonly secrets: Pick<SecretBox, 'seal' | 'open' | 'derive'>;
  readonly logger: Logger;
}

export interface AppDeps extends RouteDeps {
  readonly authenticator: Authenticator;
  readonly probes: readonly ReadinessProbe[];
  readonly registry: Registry;
}

export function createApp(deps: AppDeps): Koa {
  const { logger, registry } = deps;
  const app = new Koa();
  // What reaches Koa's own handler is a broken connection or a defect of a middleware; it has been answered.
  app.on('error', (error: unknown) => logger.debug({ err: error }, 'request aborted'));
  app.use(requestId());
  app.use(requestMetrics(registry, logger));
  app.use(errorHandler(logger));
  const table = new RouteTable([
    ...operationsRoutes(deps.probes, registry),
    ...docsRoutes(openApiDocument(deps)),
    ...resourceRoutes(deps).map((route) => tableRoute(route, deps.authenticator)),
  ]);
  app.use(dispatch(table));
  return app;
}

export function openApiDocument(deps: RouteDeps): OpenApiDocument {
  return buildOpenApi(resourceRoutes(deps), deps.options.version);
}

/** In the order of the document. */
function resourceRoutes(deps: RouteDeps): readonly Route[] {
  const { store, options, logger, workflows, trunks, trunkChecks, verifications, campaigns, secrets } = deps;
  const changes = new Changes(store, trunks);
  const nodes = new LiveNodes({ find: () => store.mediaNodes.live(NODE_SILENCE_MS) });
  const speech = new SpeechCatalog(nodes);
  const placement = new CallPlacement({ store, workflows, secrets, logger });
  const propagation = new ConfigPropagation(store);
  const sipEndpoint = new InboundTrunkEndpoint(options.sip, nodes);
  const checks = new TrunkChecks({ workflows: trunkChecks, secrets, logger });
  const { allowPrivateTargets, outboundAllowedCountries: allowedCountries } = options;
  const mayReach = reachableHosts(allowPrivateTargets);
  return [
    ...numberRoutes({
      store,
      changes,
      verifications,
      secrets,
      logger,
      options: options.verification,
      allowedCountries,
    }),
    ...routePreviewRoutes({ store }),
    ...trunkCheckRoutes({ store, checks, propagation, sipEndpoint, allowedCountries }),
    ...inboundTrunkRoutes({ store, changes, propagation, sipEndpoint }),
    ...inboundTrunkNumberRoutes({ changes, propagation, sipEndpoint }),
    ...inboundTrunkSyncRoutes({ store, trunks, propagation, sipEndpoint }),
    ...outboundTrunkRoutes({ store, changes, allowPrivateTargets }),
    ...agentConfigRoutes({ store, changes }),
    ...agentDestinationRoutes({ store, changes, mayReach }),
    ...transferDestinationRoutes({ store, changes, mayReach }),
    ...contactRoutes({ store, changes }),
    ...campaignRoutes({ store, changes, campaigns }),
    ...campaignControlRoutes({ store, changes, campaigns }),
    ...campaignContactRoutes({ store, campaigns }),
    campaignContactRoute({ changes, campaigns }),
    ...campaignResultRoutes({ store }),
    campaignPreviewRoute({ store, allowedCountries }),
    ...dncRoutes({ store, changes }),
    ...callRoutes({ store, speech, allowedCountries, placement, workflows, logger }),
    ...callScheduleRoutes({ store, workflows, logger }),
    ...callControlRoutes({ store, workflows, secrets, logger }),
    ...callSuperviseRoutes({ store, workflows, secrets, logger, allowedCountries, mayReach }),
    callTransferRoute({ store, workflows, secrets, logger, allowedCountries, mayReach }),
    ...agentRoutes({ store, changes, speech, allowPrivateTargets }),
    ...apiKeyRoutes({ store, changes }),
    ...auditLogRoutes({ store }),
    ...organisationRoutes({ store, changes }),
  ];
}
