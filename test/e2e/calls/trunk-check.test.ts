/** The trunk doctor over the whole product: API, workflow, media node, a real phone, the command line. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../../../scripts/project-root';
import { freePort } from '../../support/free-ports';
import { newNumber, OutboundCalls, TRUNK_PASSWORD, TRUNK_USERNAME } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const MAIN = join(PROJECT_ROOT, 'dist', 'scripts', 'cli', 'main.js');

interface Check {
  readonly ok: boolean | null;
  readonly node: string;
  readonly steps: readonly { readonly step: string; readonly ok: boolean | null; readonly detail: string }[];
  readonly call_id: string | null;
}

describe('the trunk doctor', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  let media: PhoneMedia;
  let carrier: Phone;

  beforeAll(async () => {
    stack = await Stack.start();
    calls = await OutboundCalls.create(stack);
    media = new PhoneMedia();
    carrier = await Phone.open({
      media,
      challenge: { username: TRUNK_USERNAME, password: TRUNK_PASSWORD },
      answer: () => ({ status: 200, ringMs: 50 }),
    });
  }, 120_000);

  afterAll(async () => {
    carrier?.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  /** The stack's own requests end before a check may. */
  async function check(path: string, body: object = {}): Promise<{ readonly status: number; readonly body: Check }> {
    const response = await fetch(`${stack.apiUrl}/phone/sip/${path}/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(31_000),
    });
    return { status: response.status, body: (await response.json()) as Check };
  }

  it('finds that a trunk works, by a call that is heard both ways and recorded', async () => {
    const trunkId = await calls.trunkTo(carrier.port);
    const number = newNumber();
    const { status, body } = await check(`outbound-trunks/${trunkId}`, { test_number: number });
    expect(status).toBe(200);
    expect(body.steps.map(({ step, ok }) => [step, ok])).toEqual(
      ['dns', 'transport', 'options', 'authentication', 'codecs', 'sdp_address', 'test_call'].map((step) => [
        step,
        true,
      ]),
    );
    expect(body.ok).toBe(true);
    expect(JSON.stringify(body)).not.toContain(TRUNK_PASSWORD);
    expect(await calls.find(body.call_id!)).toMatchObject({
      to: number,
      status: 'completed',
      disposition: 'answered',
      duration_seconds: expect.any(Number),
    });
    expect(carrier.invites.filter(({ user }) => user === number)).toHaveLength(2);
    expect(stack.log).not.toContain(TRUNK_PASSWORD);
  }, 60_000);

  it('tells on the command line why one does not, with an exit code for scripts', async () => {
    await calls.trunkTo(await freePort(), { name: 'closed' });
    const env = { ...process.env, DATA_DIR: stack.dataDir, API_PORT: new URL(stack.apiUrl).port };
    const { status, stdout } = spawnSync(process.execPath, [MAIN, 'trunks', 'check', 'closed'], {
      cwd: stack.dataDir,
      env,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^✗ {3}transport .*connection refused/m);
    expect(stdout).toMatch(/remedy: Correct port and transport/);
  }, 60_000);

  it('looks at the inbound trunk, and who has tried it with a wrong password', async () => {
    const { body: made } = await stack.api<{ auth_username: string }>('POST', '/phone/sip/inbound-trunk', {});
    const credentials = { username: made.auth_username, password: 'not the password' };
    const server = { address: stack.sipHost, port: stack.sipPort };
    const pbx = await Phone.open({ media, server, credentials });
    try {
      await expect(pbx.call('+15551234567')).rejects.toThrow();
      const { body } = await check('inbound-trunk');
      expect(body.ok).toBe(false);
      const found = Object.fromEntries(body.steps.map(({ step, ok }) => [step, ok]));
      expect(found).toMatchObject({ credentials: true, endpoint: null, recent_attempts: false, media_port: true });
    } finally {
      pbx.close();
    }
  }, 60_000);

  it('leaves nothing behind when its node is killed in the middle: it is answered, and the next check works', async () => {
    const trunkId = await calls.trunkTo(carrier.port);
    const checking = check(`outbound-trunks/${trunkId}`, { test_number: newNumber() });
    await carrier.nextCall(); // of the first test
    await carrier.nextCall();
    const pid = stack.kill('media');
    const { status } = await checking;
    expect(status).toBe(503);
    await stack.waitForNewPid('media', pid);
    await stack.waitReady();
    const next = await waitFor('a check that is taken', 30_000, async () => {
      const answer = await check(`outbound-trunks/${trunkId}`);
      return answer.status === 200 ? answer.body : undefined;
    });
    expect(next.ok).toBe(true);
  }, 120_000);
});
