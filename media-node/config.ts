/** The environment of a media node, parsed once. */
import { availableParallelism, hostname } from 'node:os';
import { z } from 'zod';
import {
  allowPrivateTargets,
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

/** Calls one core carries with the embedded voices and recogniser, measured with room to spare. */
const CALLS_PER_CORE = 100;
/** The engine alone, without speech. */
const ECHO_CALLS_PER_CORE = 2000;

const nodeEnv = {
  ...logEnv,
  ...dataEnv,
  ...sipEnv,
  ALLOW_PRIVATE_TARGETS: allowPrivateTargets,
  RTP_PORT_MIN: portNumber.default(20_000),
  RTP_PORT_MAX: portNumber.default(29_999),
  MEDIA_HTTP_HOST: listenHost.default('127.0.0.1'),
  MEDIA_HTTP_PORT: listenPort.default(8081),
  MEDIA_NODE_ID: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'may hold letters, digits, ".", "_" and "-", at most 100')
    .optional(),
  MEDIA_MAX_CALLS: positiveInteger.optional(),
  LLM_BASE_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  LLM_API_KEY: headerText.optional(),
  LLM_MODEL: z.string().default('gpt-4o-mini'),
};

/** `MEDIA_BENCH=echo`: the engine alone, see `bench-mode.ts`. */
const benchEnv = { MEDIA_BENCH: z.enum(['echo']).optional() };

interface NodeSettings {
  readonly nodeId: string;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly dataDir: string;
  readonly sip: SipListening;
  readonly allowPrivateTargets: boolean;
  readonly rtp: { readonly portMin: number; readonly portMax: number };
  readonly http: { readonly host: string; readonly port: number };
  readonly maxCalls: number;
  /** null: the built-in responder answers. */
  readonly languageModel: { readonly baseUrl: string; readonly apiKey: string | null; readonly model: string } | null;
}

type ProcessEnv = ReturnType<typeof readProcessEnv>;

export type MediaConfig =
  (NodeSettings & { readonly mode: 'bench' }) | (NodeSettings & { readonly mode: 'node'; readonly env: ProcessEnv });

/** Throws `EnvError` naming every problem. */
export function readMediaConfig(options: ReadEnvOptions = {}): MediaConfig {
  const bench = readEnv(benchEnv, options).MEDIA_BENCH !== undefined;
  if (bench) return { ...settings(readEnv(nodeEnv, options, portProblems), ECHO_CALLS_PER_CORE), mode: 'bench' };
  const env = readProcessEnv(options);
  return { ...settings(env, CALLS_PER_CORE), mode: 'node', env };
}

function readProcessEnv(options: ReadEnvOptions) {
  return readEnv({ ...processEnv, ...nodeEnv }, options, (env) => [...portProblems(env), ...temporalProblems(env)]);
}

const portProblems: EnvCheck<typeof nodeEnv> = ({ SIP_PORT: sip, RTP_PORT_MIN: min, RTP_PORT_MAX: max }) => {
  if (min === undefined || max === undefined) return [];
  return [
    max <= min && 'RTP_PORT_MAX: must be above RTP_PORT_MIN',
    sip !== undefined && sip >= min && sip <= max && 'SIP_PORT: must not be one of RTP_PORT_MIN to RTP_PORT_MAX',
  ];
};

function settings(env: Readonly<z.output<z.ZodObject<typeof nodeEnv>>>, callsPerCore: number): NodeSettings {
  return {
    nodeId: env.MEDIA_NODE_ID ?? `${hostname().replace(/[^\w.-]/g, '-')}-1`,
    logLevel: env.LOG_LEVEL,
    dataDir: env.DATA_DIR,
    sip: sipListening(env),
    allowPrivateTargets: env.ALLOW_PRIVATE_TARGETS,
    rtp: { portMin: env.RTP_PORT_MIN, portMax: env.RTP_PORT_MAX },
    http: { host: env.MEDIA_HTTP_HOST, port: env.MEDIA_HTTP_PORT },
    maxCalls: env.MEDIA_MAX_CALLS ?? callsPerCore * availableParallelism(),
    languageModel:
      env.LLM_BASE_URL === undefined
        ? null
        : { baseUrl: env.LLM_BASE_URL, apiKey: env.LLM_API_KEY ?? null, model: env.LLM_MODEL },
  };
}
