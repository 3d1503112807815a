import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readWorkerConfig } from '../../../../activities/config';
import { readApiConfig } from '../../../../api/config';
import { readMediaConfig } from '../../../../media-node/config';
import { EnvError } from '../../../../ops/env';
import { PROJECT_ROOT } from '../../../../scripts/project-root';
import { readSupervisorConfig } from '../../../../scripts/supervisor/config';
import { readWithProcesses } from '../../../../scripts/supervisor/environment-check';

const CONFIGS = [
  'scripts/cli/connection.ts',
  'api/config.ts',
  'activities/config.ts',
  'media-node/config.ts',
  'ops/env.ts',
  'scripts/supervisor/config.ts',
];
/** For benchmarks, which set it themselves. */
const NOT_FOR_USERS = new Set(['MEDIA_BENCH']);

describe('the configuration of the supervisor', () => {
  test('has a default for everything', () => {
    expect(readSupervisorConfig({ env: {}, file: null })).toMatchObject({
      api: { host: '127.0.0.1', port: 8080 },
      sip: { hosts: ['0.0.0.0', '::'], port: 5060, publicHost: null },
      mediaHttp: { port: 8081 },
      databaseUrl: undefined,
      temporalAddress: undefined,
    });
  });

  test('needs the secrets key with a database of the user', () => {
    expect(() => readSupervisorConfig({ env: { DATABASE_URL: 'postgres://u:p@h/d' }, file: null })).toThrow(
      expect.objectContaining({ name: EnvError.name, message: expect.stringContaining('SECRETS_KEY') as string }),
    );
  });
});

describe('the configurations of all processes', () => {
  const PROCESSES = [readApiConfig, readWorkerConfig, readMediaConfig];
  const read = (env: NodeJS.ProcessEnv) => readWithProcesses(readSupervisorConfig, PROCESSES, { env, file: null });

  test('are all readable with nothing set', () => {
    expect(read({})).toEqual(readSupervisorConfig({ env: {}, file: null }));
  });

  test('tell their problems together, each once, by name', () => {
    const env = {
      LOG_LEVEL: 'loud',
      SIP_PUBLIC_HOST: 'sip.example.com:5060',
      OUTBOUND_ALLOWED_COUNTRIES: 'XX',
      MEDIA_MAX_CALLS: 'many',
      WORKER_MAX_ACTIVITIES: '0',
      DATABASE_URL: 'postgres://u:p@h/d',
      API_PORT: '-1',
      RTP_PORT_MAX: '100',
    };
    let problems: readonly string[] = [];
    try {
      read(env);
    } catch (error) {
      problems = (error as EnvError).problems;
    }
    expect(problems.map((problem) => problem.split(':')[0]).toSorted((a, b) => (a! < b! ? -1 : 1))).toEqual([
      'API_PORT',
      'LOG_LEVEL',
      'MEDIA_MAX_CALLS',
      'OUTBOUND_ALLOWED_COUNTRIES',
      'RTP_PORT_MAX',
      'SECRETS_KEY',
      'SIP_PUBLIC_HOST',
      'WORKER_MAX_ACTIVITIES',
    ]);
  });

  test.each([
    [{ API_PORT: '5060' }, 'API_PORT, SIP_PORT: are the same port'],
    [{ API_PORT: '8081' }, 'API_PORT, MEDIA_HTTP_PORT: are the same port'],
    [{ WORKER_HTTP_PORT: '8080' }, 'API_PORT, WORKER_HTTP_PORT: are the same port'],
  ])('know of ports that cannot be taken twice', (env, problem) => {
    expect(() => read(env)).toThrow(problem);
  });

  test.each([
    [{ DATABASE_URL: 'postgres://u:50%off@h/d', SECRETS_KEY: Buffer.alloc(32).toString('base64') }, 'DATABASE_URL'],
    [{ TEMPORAL_TLS_CA: '/' }, 'TEMPORAL_TLS_CA'],
    [{ TEMPORAL_TLS_CA: join(PROJECT_ROOT, 'package.json') }, 'TEMPORAL_TLS_CA'],
    [{ RTP_PORT_MIN: '30001', RTP_PORT_MAX: '30002' }, 'RTP_PORT_MIN, RTP_PORT_MAX'],
    [{ SIP_PORT: '0x1388' }, 'SIP_PORT'],
    [{ SIP_PORT: '5060.5' }, 'SIP_PORT'],
    [{ MEDIA_MAX_CALLS: '1e3' }, 'MEDIA_MAX_CALLS'],
    [{ WORKER_MAX_CACHED_WORKFLOWS: '99999999999999' }, 'WORKER_MAX_CACHED_WORKFLOWS'],
  ])('know what only one process would find out later: %j', (env, name) => {
    expect(() => read(env)).toThrow(
      expect.objectContaining({ name: EnvError.name, problems: [expect.stringContaining(`${name}: `) as string] }),
    );
  });

  test('tell of an .env that cannot be read', () => {
    expect(() => readWithProcesses(readSupervisorConfig, PROCESSES, { env: {}, file: PROJECT_ROOT })).toThrow(EnvError);
  });

  test('name an address of SIP once', () => {
    expect(read({ SIP_HOST: '127.0.0.1,127.0.0.1' }).sip.hosts).toEqual(['127.0.0.1']);
  });

  test('let one port be taken at two addresses', () => {
    expect(() => read({ API_PORT: '5060', SIP_HOST: '127.0.0.2' })).not.toThrow();
  });
});

describe('.env.example', () => {
  const text = readFileSync(join(PROJECT_ROOT, '.env.example'), 'utf8');
  const listed = Object.keys(parseEnv(text.replace(/^#(?=[A-Z0-9_]+=)/gm, '')));
  const read = CONFIGS.flatMap((file) =>
    [...readFileSync(join(PROJECT_ROOT, file), 'utf8').matchAll(/(?:^\s+|\{ )([A-Z][A-Z0-9]*_[A-Z0-9_]+): /gm)].map(
      ([, name]) => name,
    ),
  );

  test('lists every variable that a process reads, and no other', () => {
    expect(new Set(listed)).toEqual(new Set(read.filter((name) => !NOT_FOR_USERS.has(name ?? ''))));
  });
});
