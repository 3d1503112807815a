import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { EnvError } from '../../../../ops/env';
import { PROJECT_ROOT } from '../../../../scripts/project-root';
import { readSupervisorConfig } from '../../../../scripts/supervisor/config';

const CONFIGS = [
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
