import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import {
  allowPrivateTargets,
  EnvError,
  headerText,
  hostPort,
  listenHost,
  portNumber,
  processEnv,
  readEnv,
  sipEnv,
  temporalProblems,
} from '../../../ops/env';

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

  test.each([
    ['sip.example.com', 'sip.example.com'],
    ['sip-1.example.com.', 'sip-1.example.com.'],
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['trunkline_media', 'trunkline_media'],
  ])('SIP_PUBLIC_HOST reads %s as %s', (text, expected) => {
    expect(readEnv(sipEnv, { file: null, env: { SIP_PUBLIC_HOST: text } }).SIP_PUBLIC_HOST).toBe(expected);
  });

  test.each([
    'sip.example.com:5060',
    '203.0.113.7:5060',
    '[2001:db8::1]:5060',
    'sip:example.com',
    'sip example.com',
    'a\r\nContact: <sip:evil>',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '256.1.1.1',
    '1.2.3',
    'fe80::1%eth0',
    '-a.example',
    'münchen.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
  ])('SIP_PUBLIC_HOST refuses %j by name', (text) => {
    const read = () => readEnv(sipEnv, { file: null, env: { SIP_PUBLIC_HOST: text } });
    expect(read).toThrow(/^The environment is not usable:\n {2}SIP_PUBLIC_HOST: must be [^\n]+$/);
  });

  test.each([
    [listenHost, ['127.0.0.1', '0.0.0.0', '::', 'localhost'], ['127.0.0.1:80', '[::]', 'a b', '']],
    [hostPort, ['127.0.0.1:7233', 'temporal:7233', '[::1]:7233'], ['temporal', 'temporal:0', 'a:65536', 'a b:1', ':1']],
    [headerText, ['sk-1234', 'a"b'], ['a b', 'a\nb', 'ключ', '']],
  ])('a value that is none is refused', (schema, good, bad) => {
    expect(good.filter((value) => !schema.safeParse(value).success)).toEqual([]);
    expect(bad.filter((value) => schema.safeParse(value).success)).toEqual([]);
  });

  test('what is wrong between two values is told with the rest', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-env-'));
    const certificate = join(folder, 'certificate.pem');
    writeFileSync(certificate, '-----BEGIN CERTIFICATE-----\n');
    const env = { DATABASE_URL: 'postgres://u:p@h:5432/d', SECRETS_KEY: KEY, TEMPORAL_TLS_CERT: certificate };
    const read = () => readEnv(processEnv, { file: null, env }, temporalProblems);
    try {
      expect(read).toThrow(/TEMPORAL_ADDRESS: is required\n {2}TEMPORAL_TLS_CERT, TEMPORAL_TLS_KEY: one is of no use/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a file that cannot be read is told by its variable', () => {
    const env = { TEMPORAL_TLS_CA: join(__dirname, 'nowhere.pem') };
    expect(() => readEnv(processEnv, { file: null, env })).toThrow('TEMPORAL_TLS_CA: must be a PEM file');
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
