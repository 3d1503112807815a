/** Where Temporal is and how it is reached, out of the environment: known before anything connects. */
import { readFileSync } from 'node:fs';

import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow';

export interface TemporalSettings {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string;
  readonly tls?: TLSConfig | true;
}

interface TemporalEnv {
  readonly TEMPORAL_ADDRESS: string;
  readonly TEMPORAL_NAMESPACE: string;
  readonly TEMPORAL_API_KEY?: string | undefined;
  readonly TEMPORAL_TLS?: boolean | undefined;
  readonly TEMPORAL_TLS_CA?: string | undefined;
  readonly TEMPORAL_TLS_CERT?: string | undefined;
  readonly TEMPORAL_TLS_KEY?: string | undefined;
  readonly TEMPORAL_TLS_SERVER_NAME?: string | undefined;
}

/** The settings in `processEnv` of `env.ts`; reads the certificate files it names. */
export function temporalSettings(env: TemporalEnv): TemporalSettings {
  const tls = tlsSettings(env);
  return {
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    ...(env.TEMPORAL_API_KEY === undefined ? {} : { apiKey: env.TEMPORAL_API_KEY }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function tlsSettings(env: TemporalEnv): TLSConfig | true | undefined {
  const { TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: certificate, TEMPORAL_TLS_KEY: key } = env;
  const serverName = env.TEMPORAL_TLS_SERVER_NAME;
  if (env.TEMPORAL_TLS === false) return undefined;
  const settings: TLSConfig = {
    ...(ca === undefined ? {} : { serverRootCACertificate: readFileSync(ca) }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { clientCertPair: { crt: readFileSync(certificate), key: readFileSync(key) } }),
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
  };
  if (Object.keys(settings).length > 0) return settings;
  return env.TEMPORAL_TLS === true || env.TEMPORAL_API_KEY !== undefined ? true : undefined;
}
