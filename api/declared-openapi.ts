import { createLogger } from '../ops/logger';
import { openApiDocument } from './app';
import type { OpenApiDocument } from './openapi';
import type { ApiStore } from './store';
import { packageVersion } from './version';

/** The document without a running server: routes are declared, no handler is ever called. */
export function declaredOpenApi(): OpenApiDocument {
  return openApiDocument({
    options: {
      sip: { hosts: [], port: 5060, publicHost: null },
      outboundAllowedCountries: [],
      allowPrivateTargets: false,
      verification: { inboundCallAllowed: false },
      version: packageVersion(),
    },
    store: {} as ApiStore,
    workflows: {
      accept: () => Promise.resolve('unavailable'),
      describe: () => Promise.resolve(null),
      control: () => Promise.resolve({ outcome: 'unavailable' }),
      reschedule: () => Promise.resolve({ outcome: 'unavailable' }),
      transfer: () => Promise.resolve({ outcome: 'unavailable' }),
    },
    trunks: { sync: () => Promise.resolve({ outcome: 'unavailable' }), tell: () => undefined },
    trunkChecks: { check: () => Promise.resolve('running') },
    verifications: { begin: () => Promise.resolve(), over: () => Promise.resolve() },
    campaigns: { settled: () => Promise.resolve(false), moved: () => undefined },
    secrets: { seal: () => '', open: () => '{}', derive: () => Buffer.alloc(0) },
    logger: createLogger({ name: 'openapi', level: 'silent' }),
  });
}
