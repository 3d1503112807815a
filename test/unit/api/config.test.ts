import { EnvError } from '../../../ops/env';
import { readApiConfig } from '../../../api/config';

const env = {
  DATABASE_URL: 'postgres://user:pass@127.0.0.1:5432/trunkline',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  SECRETS_KEY: Buffer.alloc(32, 1).toString('base64'),
  SIP_PUBLIC_HOST: 'sip.example.com',
};

describe('readApiConfig', () => {
  it('fills in the documented defaults', () => {
    expect(readApiConfig({ env, file: null })).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      logLevel: 'info',
      sip: { hosts: ['0.0.0.0', '::'], port: 5060, publicHost: 'sip.example.com' },
      outboundAllowedCountries: [],
      allowPrivateTargets: true,
      rateLimitPerMinute: 100,
      rateLimitStreamingPerMinute: 1000,
    });
  });

  it('reports every problem together, by name', () => {
    const broken = { ...env, API_PORT: 'x', SIP_PORT: '0', OUTBOUND_ALLOWED_COUNTRIES: 'us, XX', DATABASE_URL: '' };
    const read = (): unknown => readApiConfig({ env: broken, file: null });
    expect(read).toThrow(EnvError);
    expect(read).toThrow(/DATABASE_URL[^]*API_PORT[^]*SIP_PORT[^]*OUTBOUND_ALLOWED_COUNTRIES: not ISO[^]*XX/);
  });
});
