/**
 * The media node: configuration and models are in memory and `nodeStarted` is sent before a SIP socket opens. Temporal
 * and PostgreSQL may come later or go away: the process waits at its start and lives on afterwards.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { createMediaActivities } from '../activities/media/media-activities';
import { createTrunkCheckActivities } from '../activities/media/trunk-check-activities';
import { newCall } from '../activities/new-call';
import { safeFailures } from '../activities/safe-failures';
import type { Overload } from '../contract/directory';
import {
  AgentRuntime,
  MediaService,
  RealTimePreference,
  rehearse,
  SipServer,
  systemClock,
  ThreadedRtpEngine,
  type MediaServiceOptions,
  type SipServerOptions,
  type TrunkMonitors,
} from '../media';
import { OpsServer, type Readiness } from '../ops/http-server';
import { createLogger, type Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import { Shutdown } from '../ops/shutdown';
import { advertisedSipAddress } from '../ops/sip-address';
import { createTemporalClient } from '../ops/temporal-client';
import { temporalSettings } from '../ops/temporal-settings';
import { connectWorker, installRuntime } from '../ops/temporal-worker';
import { createDataSource } from '../store/data-source';
import { AttemptRepository } from '../store/repositories/attempt-repository';
import { CallRepository } from '../store/repositories/call-repository';
import { DialFactsRepository } from '../store/repositories/dial-facts-repository';
import { SecretBox } from '../store/secrets';
import {
  BENCH_IDENTITY,
  benchEvents,
  createBenchDirectory,
  createBridgeAgents,
  createEchoAgent,
  ECHO_AGENT,
  UNLIMITED_CAPACITY,
} from './bench-mode';
import { callLimit } from './call-limit';
import type { CallLimit } from './call-limit';
import { measureAtRest } from './limit-at-rest';
import { readMediaConfig, type MediaConfig } from './config';
import {
  createCallObserver,
  createCapacityGauge,
  createSipCounters,
  createTrunkObserver,
  createUnfinishedGauge,
} from './metrics';
import { NodeServices } from './node-services';

const RETRY_MS = 500;
/** For the last events after the calls have ended. */
const FLUSH_MS = 5000;
/** Drain (30 s), hang-ups, flush. */
const SHUTDOWN_LIMIT_MS = 45_000;
const CLIENT_ID = 'media';
const LAG_PRECISION_MS = 50;
/** Until the code that sets up and ends a call is compiled; on a slow machine the start does not wait for that. */
const REHEARSAL = { calls: 400, limitMs: 1_500, capacity: UNLIMITED_CAPACITY, events: benchEvents } as const;
/** They take longer, and most of what a call runs through is the same without. */
const REHEARSED_CONVERSATIONS = 40;

interface Process {
  readonly config: MediaConfig;
  readonly logger: Logger;
  readonly shutdown: Shutdown;
  readonly registry: Registry;
  /** What `/ready` shows; the node is ready when `node` is `ok`. */
  readonly checks: Map<string, () => string>;
}

type Surroundings = Pick<
  MediaServiceOptions,
  'bootId' | 'maxCalls' | 'directory' | 'capacity' | 'bindings' | 'events' | 'createAgent' | 'listen'
> & {
  readonly sip: Pick<SipServerOptions, 'nonceKey' | 'authentication' | 'anonymousIdentity'>;
};

async function main(): Promise<void> {
  const config = readMediaConfig();
  const logger = createLogger({ name: CLIENT_ID, level: config.logLevel });
  const shutdown = new Shutdown({ logger, limitMs: SHUTDOWN_LIMIT_MS }).listen();
  const registry = new Registry();
  // By default it wakes the thread a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
  const checks = new Map<string, () => string>([['node', () => 'starting']]);
  // One stray error of a peer's making must not take all calls with it.
  process.on('unhandledRejection', (reason) => logger.error({ err: reason }, 'unhandled rejection'));
  process.on('uncaughtException', (error) => logger.error({ err: error }, 'uncaught exception'));
  try {
    const ops = new OpsServer({ ...config.http, registry, readiness: () => readiness(checks) });
    await ops.listen();
    shutdown.add('http server', () => ops.close());
    const self = { config, logger, shutdown, registry, checks };
    const maxCalls = config.mode === 'bench' ? await startBench(self, config) : await startNode(self, config);
    checks.set('node', () => 'ok');
    logger.info({ nodeId: config.nodeId, maxCalls, mode: config.mode }, 'media node is ready');
  } catch (error) {
    if (!shutdown.requested.aborted) shutdown.fail(error);
  }
}

async function startBench(
  self: Process,
  { agents, maxCalls }: MediaConfig & { readonly mode: 'bench' },
): Promise<number> {
  // The bridge connects callers of different calls.
  const rtp = await startRtp(self, agents === 'bridge' ? { threads: 1 } : {});
  const node = createNode(self, rtp, {
    bootId: randomUUID(),
    maxCalls,
    directory: createBenchDirectory(),
    capacity: UNLIMITED_CAPACITY,
    events: benchEvents,
    createAgent: agents === 'echo' ? createEchoAgent : createBridgeAgents(),
    sip: { nonceKey: randomBytes(32), authentication: 'none', anonymousIdentity: BENCH_IDENTITY },
  });
  await rehearse({
    ...REHEARSAL,
    directory: createBenchDirectory(),
    createAgent: createEchoAgent,
    logger: self.logger,
  });
  await node.open();
  self.shutdown.add('SIP sockets', () => node.close());
  return maxCalls;
}

/** The first of them with the agents that callers will have. */
async function rehearseNode({ logger }: Process, agents: AgentRuntime): Promise<void> {
  let made = 0;
  const speaker = { ...ECHO_AGENT, firstMessage: 'Hello. How can I help you?' };
  const calls = await rehearse({
    ...REHEARSAL,
    directory: createBenchDirectory(speaker),
    createAgent: (persona, session, delegate) => {
      const create = ++made <= REHEARSED_CONVERSATIONS ? agents.createSession.bind(agents) : createEchoAgent;
      return create(persona, session, delegate);
    },
    logger,
  });
  logger.info({ calls }, 'rehearsed');
}

async function startNode(self: Process, config: MediaConfig & { readonly mode: 'node' }): Promise<number> {
  const { logger, shutdown, checks } = self;
  const { env, nodeId } = config;
  const bootId = randomUUID();
  installRuntime(logger);
  // A speech thread that is started anew listens on ports of its own.
  let listen = (): void => undefined;
  const { languageModel } = config;
  const agents = new AgentRuntime({ languageModel, logger, onListenerReplaced: () => listen() });
  shutdown.add('agents', () => agents.close());
  // Models load while the servers are still on their way.
  const media = Promise.all([startRtp(self), agents.start().then(() => rehearseNode(self, agents))]);
  media.catch(() => undefined); // awaited below
  const temporal = createTemporalClient(temporalSettings(env));
  shutdown.add('Temporal client', () => temporal.close());
  const secrets = new SecretBox(env.SECRETS_KEY);
  const dataSource = createDataSource({
    url: env.DATABASE_URL,
    applicationName: `trunkline-media ${nodeId}`,
    onPoolError: (error) => logger.warn({ err: error }, 'a database connection broke'),
  });
  await retry(() => dataSource.initialize(), {
    pauseMs: RETRY_MS,
    signal: shutdown.requested,
    onFailure: (error, failures) => {
      if (failures === 1) logger.warn({ err: error }, 'waiting for PostgreSQL');
      checks.set('PostgreSQL', () => 'unreachable');
    },
  });
  checks.delete('PostgreSQL');
  shutdown.add('PostgreSQL', () => dataSource.destroy());

  const services = new NodeServices({
    nodeId,
    bootId,
    listening: config.sip,
    maxBehindMs: env.MEDIA_MAX_BEHIND_MS,
    dataDir: config.dataDir,
    dataSource,
    databaseUrl: env.DATABASE_URL,
    secrets,
    client: temporal.client,
    connectWorker: () => connectWorker(temporalSettings(env), { signal: shutdown.requested }),
    namespace: env.TEMPORAL_NAMESPACE,
    activities: (parts) => {
      const given = { ...parts, calls: new CallRepository(dataSource), secrets, logger };
      const attempts = new AttemptRepository(dataSource);
      return {
        ...createMediaActivities({ ...given, attempts, dialFacts: new DialFactsRepository(dataSource) }),
        ...createTrunkCheckActivities(given),
      };
    },
    firstRow: newCall,
    interceptors: { activity: [safeFailures] },
    onLost: () => shutdown.fail(new Error('this boot was declared lost; another one takes its place')),
    logger,
  });
  shutdown.add('services', () => services.stop(FLUSH_MS));
  const [[rtp]] = await Promise.all([media, services.start()]);
  listen = () => rtp.connectListener(() => agents.audioPort());
  listen();
  let limit = limitOf(self, config, agents);

  const node = createNode(self, rtp, {
    bootId,
    maxCalls: limit.calls,
    directory: services.directory,
    capacity: services.capacity,
    bindings: services.bindings,
    events: services.events,
    createAgent: (persona, session, delegate) => agents.createSession(persona, session, delegate),
    listen: agents.listener(),
    sip: { nonceKey: secrets.derive('nonce') },
  });
  const speech = { voices: agents.voices(), providers: agents.describe() };
  checks.set('Temporal', () => 'connecting');
  const sipAddress = advertisedSipAddress(config.sip);
  await services.attach(node.control, { sipAddress, maxCalls: () => node.calls.maxCalls, speech });
  checks.delete('Temporal');
  await node.open();
  shutdown.add('SIP sockets', () => node.close());
  shutdown.add('calls', async (hurry) => {
    checks.set('node', () => 'draining');
    services.accept(false);
    await Promise.all([services.leaveTrunks(), node.drain(hurry)]);
  });
  createCapacityGauge(self.registry, () => services.capacity.inUse());
  createUnfinishedGauge(self.registry, () => services.unfinished());
  services.watchTrunks((delegate) => {
    const observer = createTrunkObserver(self.registry, () => monitors.counts());
    const monitors: TrunkMonitors = node.trunkMonitors({ delegate, observer });
    return monitors;
  });
  node.calls.onLoadChange = () => services.accept(node.calls.hasRoom);
  services.accept(true);
  checks.set('calls', () => {
    const { available, reason } = services.directory.availability();
    return available ? 'ok' : (reason ?? 'unavailable');
  });
  for (const [name, provider] of Object.entries(agents.describe())) checks.set(name, () => provider);
  checks.set('load', () => loadOf(node.overload()));
  checks.set('max_calls', () => `${limit.calls} (${limit.because})`);
  if (config.maxCalls === null && agents.hearing !== null) {
    void measureAtRest({
      isIdle: () => node.calls.size === 0,
      measure: async () => {
        await agents.hearAgain();
        limit = limitOf(self, config, agents);
        node.calls.limitTo(limit.calls);
      },
      signal: shutdown.requested,
    });
  }
  return limit.calls;
}

function limitOf(
  { logger }: Process,
  config: MediaConfig & { readonly mode: 'node' },
  { hearing }: AgentRuntime,
): CallLimit {
  const limit = callLimit({ set: config.maxCalls, hearing });
  logger.info({ maxCalls: limit.calls, because: limit.because }, 'calls at once');
  return limit;
}

async function startRtp(
  { config, logger, shutdown }: Process,
  spread: { readonly threads?: number } = {},
): Promise<ThreadedRtpEngine> {
  const rtp = new ThreadedRtpEngine({
    ...config.rtp,
    ...spread,
    allowPrivateTargets: config.allowPrivateTargets,
    onFailure: (error) => {
      // Every call of this node is deaf and dumb now: the supervisor starts another.
      logger.fatal({ err: error }, 'RTP thread lost');
      process.exit(1);
    },
    onFault: (mediaId, fault) => logger.error({ mediaId, fault }, 'error in a media session'),
    onGraph: (graph) => logger.debug({ graph }, 'media graph'),
  });
  await rtp.start();
  shutdown.add('RTP thread', () => rtp.close());
  return rtp;
}

function createNode(
  { config, logger, registry, shutdown }: Process,
  rtp: ThreadedRtpEngine,
  given: Surroundings,
): MediaService {
  const { nodeId } = config;
  const { sip, maxCalls, ...surroundings } = given;
  const preference = new RealTimePreference({ logger });
  shutdown.add('thread priorities', () => Promise.resolve(preference.close()));
  const observer = createCallObserver({
    registry,
    maxCalls: () => node.calls.maxCalls,
    activeCalls: () => node.calls.size,
    settingUp: () => node.calls.settingUp,
    overload: () => node.overload(),
  });
  const node: MediaService = new MediaService({
    ...surroundings,
    nodeId,
    maxCalls,
    clock: systemClock,
    rtp,
    observer,
    logger,
    createEndpoint: (delegate) =>
      new SipServer({
        ...sip,
        delegate,
        listen: config.sip.hosts.map((host) => ({ host, port: config.sip.port })),
        ...(config.sip.publicHost === null ? {} : { publicHost: config.sip.publicHost }),
        allowPrivateTargets: config.allowPrivateTargets,
        nameServers: config.nameServers,
        maxInviteWaitMs: config.maxInviteWaitMs,
        onStrain: () => preference.strained(),
        counters: createSipCounters(registry),
        logger: logger.child({ component: 'sip' }),
      }),
  });
  return node;
}

/** A node that refuses some calls is ready for the others. */
function loadOf(overload: Overload | null): string {
  if (overload === null) return 'ok';
  return `${Math.round(100 * overload.share)} % of new calls are refused: ${overload.reason}`;
}

function readiness(checks: ReadonlyMap<string, () => string>): Readiness {
  const states = Object.fromEntries([...checks].map(([name, state]) => [name, state()]));
  return { ready: states.node === 'ok' && (states.calls ?? 'ok') === 'ok', checks: states };
}

void main();
