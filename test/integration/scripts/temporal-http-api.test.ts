import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { isInterruptedForGood } from '../../../scripts/temporal/http-api';

describe('whether the embedded Temporal server can read its database', () => {
  let server: Server;
  let answer: { status: number; message: string };

  beforeEach(async () => {
    server = createServer((_, response) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ code: 14, message: answer.message }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => server.close());

  const port = (): number => (server.address() as AddressInfo).port;

  test.each([
    ['its words for an interrupt that stays', 503, 'GetNamespace operation failed. Error interrupted (9)', true],
    ['another failure', 503, 'GetNamespace operation failed. Error context deadline exceeded', false],
    ['the namespace', 200, 'interrupted (9)', false],
  ])('%s', async (_, status, message, broken) => {
    answer = { status, message };
    expect(await isInterruptedForGood(port())).toBe(broken);
  });

  test('no answer says nothing', async () => {
    const gone = port();
    await new Promise((resolve) => server.close(resolve));
    expect(await isInterruptedForGood(gone)).toBe(false);
  });
});
