/** The environment of a media node, parsed once. */
import { isIPv4, isIPv6 } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { z } from 'zod';
import {
  allowPrivateTargets,
  commaList,
  dataEnv,
  headerText,
  listenHost,
  listenPort,
  logEnv,
  portNumber,
  positiveInteger,
  processEnv,
  readEnv,
  sipEnv,
  temporalProblems,
  type EnvCheck,
  type ReadEnvOptions,
} from '../ops/env';
import { sipListening, type SipListening } from '../ops/sip-address';
import type { BenchAgents } from './bench-mode';

/** Calls one core carries in bench mode: the engine alone, without speech. */
const ECHO_CALLS_PER_CORE = 2000;

const nodeEnv = {
  ...logEnv,
  ...dataEnv,
  ...sipEnv,
  ALLOW_PRIVATE_TARGETS: allowPrivateTargets,
  DNS_SERVERS: commaList
    .refine(
      (servers) => servers.length > 0 && servers.every(isNameServer),
      'must be addresses, each with or without :port',
    )
    .optional(),
  RTP_PORT_MIN: portNumber.default(20_000),
  RTP_PORT_MAX: portNumber.default(29_999),
  RTP_PORTS_AHEAD: positiveInteger.optional(),
  MEDIA_HTTP_HOST: listenHost.default('127.0.0.1'),
  MEDIA_HTTP_PORT: listenPort.default(8081),
  MEDIA_NODE_ID: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'may hold letters, digits, ".", "_" and "-", at most 100')
    .optional(),
  MEDIA_MAX_CALLS: positiveInteger.optional(),
  MEDIA_MAX_WAIT_MS: positiveInteger.default(20),
  MEDIA_MAX_BEHIND_MS: positiveInteger.default(2_000),
  LLM_BASE_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  LLM_API_KEY: headerText.optional(),
  LLM_MODEL: z.string().default('gpt-4o-mini'),
};

/** The engine alone, see `bench-mode.ts`. */
const benchEnv = { MEDIA_BENCH: z.enum(['echo', 'bridge']).optional() };

interface NodeSettings {
  readonly nodeId: string;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly dataDir: string;
  readonly sip: SipListening;
  readonly allowPrivateTargets: boolean;
  /** null: those of the system. */
  readonly nameServers: readonly string[] | null;
  /** MEDIA_MAX_WAIT_MS */
  readonly maxInviteWaitMs: number;
  readonly rtp: { readonly portMin: number; readonly portMax: number; readonly portsAhead: number };
  readonly http: { readonly host: string; readonly port: number };
  /** null: the built-in responder answers. */
  readonly languageModel: { readonly baseUrl: string; readonly apiKey: string | null; readonly model: string } | null;
}

type ProcessEnv = ReturnType<typeof readProcessEnv>;

export type MediaConfig =
  | (NodeSettings & { readonly mode: 'bench'; readonly agents: BenchAgents; readonly maxCalls: number })
  /** `maxCalls` null: what the node finds that it can carry, see `call-limit.ts`. */
  | (NodeSettings & { readonly mode: 'node'; readonly maxCalls: number | null; readonly env: ProcessEnv });

/** Throws `EnvError` naming every problem. */
export function readMediaConfig(options: ReadEnvOptions = {}): MediaConfig {
  const agents = readEnv(benchEnv, options).MEDIA_BENCH;
  if (agents !== undefined) {
    const env = readEnv(nodeEnv, options, portProblems);
    const maxCalls = env.MEDIA_MAX_CALLS ?? ECHO_CALLS_PER_CORE * availableParallelism();
    return { ...settings(env), mode: 'bench', agents, maxCalls };
  }
  const env = readProcessEnv(options);
  return { ...settings(env), mode: 'node', maxCalls: env.MEDIA_MAX_CALLS ?? null, env };
}

function readProcessEnv(options: ReadEnvOptions) {
  return readEnv({ ...processEnv, ...nodeEnv }, options, (env) => [...portProblems(env), ...temporalProblems(env)]);
}

const portProblems: EnvCheck<typeof nodeEnv> = ({ RTP_PORT_MIN: min, RTP_PORT_MAX: max }) => [
  min !== undefined && max !== undefined && max <= min && 'RTP_PORT_MAX: must be above RTP_PORT_MIN',
  // RTP has an even port, RTCP the odd one above it (RFC 3550 §11).
  min !== undefined &&
    max === min + 1 &&
    min % 2 === 1 &&
    'RTP_PORT_MIN, RTP_PORT_MAX: hold no even port together with the odd one above it',
];

/** `address` or `address:port`, IPv6 in brackets where a port follows. */
function isNameServer(text: string): boolean {
  if (isIPv6(text)) return true;
  const [, bracketed, plain = '', port] = /^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  if (port !== undefined && !portNumber.safeParse(port).success) return false;
  return bracketed === undefined ? isIPv4(plain) : isIPv6(bracketed);
}

function settings(env: Readonly<z.output<z.ZodObject<typeof nodeEnv>>>): NodeSettings {
  return {
    nodeId: env.MEDIA_NODE_ID ?? `${hostname().replace(/[^\w.-]/g, '-')}-1`,
    logLevel: env.LOG_LEVEL,
    dataDir: env.DATA_DIR,
    sip: sipListening(env),
    allowPrivateTargets: env.ALLOW_PRIVATE_TARGETS,
    nameServers: env.DNS_SERVERS ?? null,
    maxInviteWaitMs: env.MEDIA_MAX_WAIT_MS,
    rtp: { portMin: env.RTP_PORT_MIN, portMax: env.RTP_PORT_MAX, portsAhead: env.RTP_PORTS_AHEAD ?? 0 },
    http: { host: env.MEDIA_HTTP_HOST, port: env.MEDIA_HTTP_PORT },
    languageModel:
      env.LLM_BASE_URL === undefined
        ? null
        : { baseUrl: env.LLM_BASE_URL, apiKey: env.LLM_API_KEY ?? null, model: env.LLM_MODEL },
  };
}
