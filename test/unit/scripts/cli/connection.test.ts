import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readConnection } from '../../../../scripts/cli/connection';

describe('which API the command line asks, and with which key', () => {
  let dataDir: string;
  const read = (env: NodeJS.ProcessEnv) => readConnection({ env, file: null });

  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'trunkline-cli-'));
    writeFileSync(join(dataDir, 'api-key'), 'tl_of_the_file\n');
  });

  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test.each<[NodeJS.ProcessEnv, string]>([
    [{}, 'http://127.0.0.1:8080'],
    [{ API_PORT: '9000' }, 'http://127.0.0.1:9000'],
    [{ API_HOST: '0.0.0.0' }, 'http://127.0.0.1:8080'],
    [{ API_HOST: '::1' }, 'http://[::1]:8080'],
    [{ API_PORT: '9000', TRUNKLINE_URL: 'https://calls.example.com/api/' }, 'https://calls.example.com/api'],
  ])('%j is %s', (env, url) => {
    expect(read({ TRUNKLINE_API_KEY: 'k', ...env }).baseUrl).toBe(url);
  });

  test('the key is the one that is nearest', () => {
    const all = { TRUNKLINE_API_KEY: 'tl_own', BOOTSTRAP_API_KEY: 'tl_boot', DATA_DIR: dataDir };
    expect(read(all).apiKey).toBe('tl_own');
    expect(read({ ...all, TRUNKLINE_API_KEY: '' }).apiKey).toBe('tl_boot');
    expect(read({ DATA_DIR: dataDir }).apiKey).toBe('tl_of_the_file');
  });

  test('a key file that is missing or holds something else is told by its path, never by what it holds', () => {
    expect(() => read({ DATA_DIR: join(dataDir, 'nowhere') })).toThrow(/nowhere.*is not there.*TRUNKLINE_API_KEY/);
    const folder = mkdtempSync(join(dataDir, 'broken-'));
    writeFileSync(join(folder, 'api-key'), 'two words\nand-a-line');
    const failed = (): unknown => read({ DATA_DIR: folder });
    expect(failed).toThrow(/holds no key/);
    expect(failed).not.toThrow(/two words|and-a-line/);
  });

  test.each(['ftp://host', 'no url', 'http://user:sesame@host'])('%s is no address', (url) => {
    const failed = (): unknown => read({ TRUNKLINE_API_KEY: 'k', TRUNKLINE_URL: url });
    expect(failed).toThrow(/TRUNKLINE_URL/);
    expect(failed).not.toThrow(/sesame/);
  });
});
