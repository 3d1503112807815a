import { EnvError } from '../../../ops/env';
import { readApiConfig, sipEndpoint } from '../../../api/config';

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
      sipEndpoint: 'sip.example.com',
      outboundAllowedCountries: [],
      allowPrivateTargets: true,
      rateLimitPerMinute: 100,
    });
  });

  it('reports every problem together, by name', () => {
    const broken = { ...env, API_PORT: 'x', SIP_PORT: '0', OUTBOUND_ALLOWED_COUNTRIES: 'us, XX', DATABASE_URL: '' };
    const read = (): unknown => readApiConfig({ env: broken, file: null });
    expect(read).toThrow(EnvError);
    expect(read).toThrow(/DATABASE_URL[^]*API_PORT[^]*SIP_PORT[^]*OUTBOUND_ALLOWED_COUNTRIES: not ISO[^]*XX/);
  });
});

describe('sipEndpoint', () => {
  it.each([
    ['the public host', { publicHost: 'sip.example.com', hosts: ['0.0.0.0'], port: 5060 }, 'sip.example.com'],
    ['the port when it is not 5060', { publicHost: 'sip.example.com', hosts: [], port: 5070 }, 'sip.example.com:5070'],
    ['the address listened on', { publicHost: undefined, hosts: ['192.0.2.7'], port: 5060 }, '192.0.2.7'],
    ['the first address outside', { publicHost: undefined, hosts: ['0.0.0.0', '::'], port: 5062 }, '198.51.100.1:5062'],
    ['an IPv6 address in brackets', { publicHost: '2001:db8::1', hosts: [], port: 5062 }, '[2001:db8::1]:5062'],
  ])('is %s', (_, input, expected) => {
    expect(sipEndpoint({ ...input, addresses: ['198.51.100.1', '2001:db8::5'] })).toBe(expected);
  });
});
