import { availableParallelism } from 'node:os';
import { readMediaConfig } from '../../../media-node/config';
import { EnvError } from '../../../ops/env';

const NODE_ENV = {
  DATABASE_URL: 'postgres://user@127.0.0.1:5432/trunkline',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  SECRETS_KEY: Buffer.alloc(32, 1).toString('base64'),
};

const read = (env: NodeJS.ProcessEnv) => readMediaConfig({ env, file: null });

describe('readMediaConfig', () => {
  it('has the documented defaults', () => {
    const config = read(NODE_ENV);
    expect(config).toMatchObject({
      mode: 'node',
      sip: { hosts: ['0.0.0.0', '::'], port: 5060, publicHost: null },
      rtp: { portMin: 20_000, portMax: 29_999, portsAhead: 0 },
      http: { host: '127.0.0.1', port: 8081 },
      allowPrivateTargets: true,
      nameServers: null,
      languageModel: null,
      maxCalls: null,
    });
    expect(config.nodeId).toMatch(/^[\w.-]+-1$/);
  });

  it('takes what is set', () => {
    const config = read({
      ...NODE_ENV,
      SIP_HOST: '192.0.2.1, ::1',
      SIP_PORT: '15060',
      SIP_PUBLIC_HOST: 'sip.example.com',
      MEDIA_NODE_ID: 'node-7',
      MEDIA_MAX_CALLS: '3',
      ALLOW_PRIVATE_TARGETS: 'false',
      LLM_BASE_URL: 'http://127.0.0.1:11434/v1',
      LLM_MODEL: 'small',
    });
    expect(config).toMatchObject({
      nodeId: 'node-7',
      maxCalls: 3,
      allowPrivateTargets: false,
      sip: { hosts: ['192.0.2.1', '::1'], port: 15_060, publicHost: 'sip.example.com' },
      languageModel: { baseUrl: 'http://127.0.0.1:11434/v1', apiKey: null, model: 'small' },
    });
  });

  it('names every problem together', () => {
    const problem = (): unknown => read({ SIP_PORT: 'x', MEDIA_NODE_ID: 'a/b', RTP_PORT_MIN: '0' });
    expect(problem).toThrow(EnvError);
    expect(problem).toThrow(/SIP_PORT[^]*DATABASE_URL|DATABASE_URL[^]*SIP_PORT/);
    expect(problem).toThrow(/MEDIA_NODE_ID/);
    expect(problem).toThrow(/RTP_PORT_MIN/);
    expect(problem).toThrow(/SECRETS_KEY/);
  });

  it.each([
    ['192.0.2.53', ['192.0.2.53']],
    ['127.0.0.1:5353, [::1]:53, 2001:db8::53', ['127.0.0.1:5353', '[::1]:53', '2001:db8::53']],
  ])('takes %s as name servers', (value, nameServers) => {
    expect(read({ ...NODE_ENV, DNS_SERVERS: value })).toMatchObject({ nameServers });
  });

  it.each(['dns.example.com', '192.0.2.53:70000', ',', '192.0.2', '192.0.2.53 192.0.2.54', '[::1', '[::1]:0'])(
    'refuses %s as name servers',
    (value) => {
      expect(() => read({ ...NODE_ENV, DNS_SERVERS: value })).toThrow(/DNS_SERVERS: must be addresses/);
    },
  );

  it('refuses a port range that is empty', () => {
    expect(() => read({ ...NODE_ENV, RTP_PORT_MIN: '30000', RTP_PORT_MAX: '20000' })).toThrow(/RTP_PORT_MAX/);
  });

  it('needs neither database nor Temporal in bench mode', () => {
    expect(read({ MEDIA_BENCH: 'echo' })).toMatchObject({ mode: 'bench', maxCalls: 2000 * availableParallelism() });
    expect(read({ MEDIA_BENCH: 'bridge' })).toMatchObject({ mode: 'bench', agents: 'bridge' });
  });
});
