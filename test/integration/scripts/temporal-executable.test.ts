import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { findTemporal, NoTemporalError } from '../../../scripts/temporal/executable';

const WORKING = '#!/bin/sh\necho "temporal version 9.9.9 (Server 1.29.1, UI 2.42.1)"\n';

/** Every way but the one under test is closed: an empty cache, a PATH of our own, a download service that refuses. */
describe('the search for a Temporal server', () => {
  let folder: string;
  let cache: string;
  let bin: string;
  let progress: string[];

  const script = (path: string, content: string): string => {
    writeFileSync(path, content);
    chmodSync(path, 0o755);
    return path;
  };
  const find = (options: { cliPath?: string; downloadService?: string } = {}): Promise<string> =>
    findTemporal({
      cache,
      downloadService: 'http://127.0.0.1:1',
      env: { PATH: [bin, '/usr/bin', '/bin'].join(delimiter) },
      progress: (message) => progress.push(message),
      ...options,
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-cli-'));
    cache = join(folder, 'cache');
    bin = join(folder, 'bin');
    mkdirSync(bin);
    progress = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('prefers TEMPORAL_CLI_PATH, then PATH, then the cache', async () => {
    mkdirSync(cache);
    const cached = script(join(cache, 'temporal-1.5.1'), WORKING);
    expect(await find()).toBe(cached);
    script(join(bin, 'temporal'), WORKING);
    expect(await find()).toBe('temporal');
    const named = script(join(folder, 'my-temporal'), WORKING);
    expect(await find({ cliPath: named })).toBe(named);
  });

  test('passes over what does not work', async () => {
    mkdirSync(cache);
    script(join(bin, 'temporal'), '#!/bin/sh\nexit 3\n');
    const cached = script(join(cache, 'temporal-1.5.1'), WORKING);
    expect(await find()).toBe(cached);
  });

  test('does not pass over TEMPORAL_CLI_PATH', async () => {
    script(join(bin, 'temporal'), WORKING);
    const dead = script(join(folder, 'dead'), '#!/bin/sh\nexit 3\n');
    for (const cliPath of [join(folder, 'missing'), folder, dead]) {
      await expect(find({ cliPath })).rejects.toThrow(new RegExp(`TEMPORAL_CLI_PATH: ${cliPath} `));
    }
  });

  test('builds with Go into the cache, once', async () => {
    script(
      join(bin, 'go'),
      `#!/bin/sh\n[ "$1" = version ] && exit 0\ncat > "$GOBIN/temporal" <<'END'\n${WORKING}END\nchmod +x "$GOBIN/temporal"\necho built >> ${folder}/builds\n`,
    );
    const [first, second] = await Promise.all([find(), find()]);
    expect(first).toBe(join(cache, 'temporal-1.5.1'));
    expect(second).toBe(first);
    expect(readFileSync(join(folder, 'builds'), 'utf8')).toBe('built\n');
    expect(readdirSync(cache)).toEqual(['temporal-1.5.1']);
    expect(progress.join('\n')).toContain('about three minutes');
  });

  test('when nothing works, one error names every way and what helps', async () => {
    const error: unknown = await find().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NoTemporalError);
    for (const part of [
      'TEMPORAL_CLI_PATH',
      'on PATH',
      'cached copy',
      'download',
      'go install',
      'Go is not installed',
      'TEMPORAL_ADDRESS',
    ]) {
      expect((error as Error).message).toContain(part);
    }
    expect(existsSync(join(cache, 'temporal-1.5.1'))).toBe(false);
  });

  describe('with a download service', () => {
    let server: Server;
    let service: string;
    let answer: (path: string) => { status: number; body: Buffer | string };

    beforeEach(async () => {
      server = createServer((request, response) => {
        const { status, body } = answer(request.url ?? '');
        response.writeHead(status).end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      service = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterEach(() => void server.close());

    test('unpacks what the service names', async () => {
      script(join(folder, 'temporal'), WORKING);
      execFileSync('tar', ['-czf', join(folder, 'a.tar.gz'), '-C', folder, 'temporal']);
      const asked: string[] = [];
      answer = (path) => {
        asked.push(path);
        if (path === '/archive') return { status: 200, body: readFileSync(join(folder, 'a.tar.gz')) };
        return { status: 200, body: JSON.stringify({ archiveUrl: `${service}/archive`, fileToExtract: 'temporal' }) };
      };
      expect(await find({ downloadService: service })).toBe(join(cache, 'temporal-1.5.1'));
      expect(asked[0]).toMatch(/^\/cli\/v1\.5\.1\?platform=\w+&arch=\w+/);
    });

    test('an error of the service is one more way that failed', async () => {
      answer = () => ({ status: 503, body: '' });
      await expect(find({ downloadService: service })).rejects.toThrow(/answered 503/);
    });
  });
});
