import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { allowPrivateTargets, EnvError, portNumber, processEnv, readEnv } from '../../../ops/env';

const KEY = Buffer.alloc(32, 7).toString('base64');

describe('readEnv', () => {
  test('reports every problem together, by name', () => {
    let error: unknown;
    try {
      readEnv(processEnv, {
        file: null,
        env: { LOG_LEVEL: 'loud', DATABASE_URL: 'http://db', SECRETS_KEY: 'c2hvcnQ=' },
      });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EnvError);
    const names = (error as EnvError).problems.map((problem) => problem.split(':')[0]);
    expect(new Set(names)).toEqual(new Set(['DATABASE_URL', 'LOG_LEVEL', 'SECRETS_KEY', 'TEMPORAL_ADDRESS']));
    expect((error as EnvError).message).toContain('TEMPORAL_ADDRESS: is required');
  });

  test('names no value of a secret', () => {
    expect(() => readEnv(processEnv, { file: null, env: { SECRETS_KEY: 'hunter2' } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') as string }),
    );
  });

  test('an empty value counts as unset', () => {
    expect(readEnv({ PORT: portNumber.default(5060) }, { file: null, env: { PORT: ' ' } })).toEqual({ PORT: 5060 });
  });

  test('the result is frozen', () => {
    const env = readEnv({ PORT: portNumber }, { file: null, env: { PORT: '5060' } });
    expect(Object.isFrozen(env)).toBe(true);
  });

  test('accepts a complete environment', () => {
    const env = readEnv(processEnv, {
      file: null,
      env: { DATABASE_URL: 'postgres://u:p@h:5432/d', TEMPORAL_ADDRESS: '[::1]:7233', SECRETS_KEY: KEY },
    });
    expect(env).toMatchObject({
      LOG_LEVEL: 'info',
      DATA_DIR: '.data',
      TEMPORAL_NAMESPACE: 'default',
      SECRETS_KEY: KEY,
    });
  });

  test.each([
    ['true', true],
    ['1', true],
    ['no', false],
    ['false', false],
  ])('a flag reads %s as %s', (text, expected) => {
    expect(readEnv({ FLAG: allowPrivateTargets }, { file: null, env: { FLAG: text } }).FLAG).toBe(expected);
  });

  describe('with a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-env-'));
    const file = join(folder, '.env');
    const shape = { FIRST: z.string(), SECOND: z.string() };
    afterAll(() => rmSync(folder, { recursive: true }));

    test('takes what the environment does not have', () => {
      writeFileSync(file, '# a comment\nFIRST="from the file"\nSECOND=file\n');
      expect(readEnv(shape, { file, env: { SECOND: 'environment' } })).toEqual({
        FIRST: 'from the file',
        SECOND: 'environment',
      });
    });

    test('an empty variable of the environment does not hide the file', () => {
      writeFileSync(file, 'FIRST=file\nSECOND=file\n');
      expect(readEnv(shape, { file, env: { FIRST: '', SECOND: 'x' } }).FIRST).toBe('file');
    });
  });
});
