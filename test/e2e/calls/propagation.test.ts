/** An answer without `propagating` is one that every media node acts on: the very next INVITE is judged by it. */
import { PhoneMedia } from '../../support/phone/media';
import { CallRefused } from '../../support/phone/dialling';
import { Phone } from '../../support/phone/phone';
import { SecondNode } from '../../support/second-node';
import { Stack } from '../../support/stack';

const PATH = '/phone/sip/inbound-trunk';
const ROUNDS = process.env['TEST_SOAK'] === '1' ? 200 : 40;

interface Trunk {
  readonly auth_username: string;
  readonly auth_password: string;
  readonly propagating?: true;
}

describe('a trunk that was just created', () => {
  let stack: Stack;
  let second: SecondNode;
  let media: PhoneMedia;

  beforeAll(async () => {
    stack = await Stack.start();
    second = await SecondNode.start(stack);
    media = new PhoneMedia();
  }, 120_000);

  afterAll(async () => {
    await media?.close();
    await second?.stop();
    await stack?.stop();
  }, 60_000);

  const create = async (): Promise<Trunk> => (await stack.api<Trunk>('POST', PATH, {})).body;

  /** There is no agent: who is let in hears 480, others 401 or 403. */
  async function invited(port: number, trunk: Trunk, address = '127.0.0.1'): Promise<number> {
    const phone = await Phone.open({
      media,
      address,
      server: { address: '127.0.0.1', port },
      credentials: { username: trunk.auth_username, password: trunk.auth_password },
    });
    try {
      await phone.call('+15551234567');
      return 200;
    } catch (error) {
      if (error instanceof CallRefused) return error.status;
      throw error;
    } finally {
      phone.close();
    }
  }

  it(`lets its very first INVITE in at every node, ${ROUNDS} times in a row, and none after its deletion`, async () => {
    let confirmed = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Old credentials of one address again and again would be taken for guesses.
      const address = `127.0.2.${1 + round}`;
      const trunk = await create();
      const first = await Promise.all([stack.sipPort, second.sipPort].map((port) => invited(port, trunk, address)));
      const gone = (await stack.api<{ propagating?: true }>('DELETE', PATH)).body;
      const after = await Promise.all([stack.sipPort, second.sipPort].map((port) => invited(port, trunk, address)));
      // Whoever is told to wait is promised nothing.
      if (trunk.propagating !== true) {
        confirmed++;
        expect([round, first]).toEqual([round, [480, 480]]);
      }
      if (gone.propagating !== true) expect([round, after]).toEqual([round, [403, 403]]);
    }
    process.stdout.write(`${confirmed} of ${ROUNDS} trunks were answered without propagating\n`);
    expect(confirmed).toBeGreaterThan(ROUNDS / 2);
  }, 300_000);

  it('lets callers in with the old password after a rotation, and after one without grace no longer', async () => {
    const before = await create();
    const rotate = async (grace_seconds: number): Promise<Trunk> =>
      (await stack.api<Trunk>('POST', `${PATH}/rotate-credentials`, { grace_seconds })).body;
    const rotated = await rotate(60);
    for (const port of [stack.sipPort, second.sipPort]) {
      expect([await invited(port, before), await invited(port, rotated)]).toEqual([480, 480]);
    }
    const again = await rotate(0);
    for (const port of [stack.sipPort, second.sipPort]) {
      expect([await invited(port, rotated), await invited(port, again)]).toEqual([403, 480]);
    }
    await stack.api('DELETE', PATH);
  }, 60_000);

  it('is said to propagate while a node stands still, and no longer when all have it', async () => {
    second.pause();
    try {
      const trunk = await create();
      expect(trunk.propagating).toBe(true);
      expect(await invited(stack.sipPort, trunk)).toBe(480);
    } finally {
      second.resume();
    }
    for (let tries = 0; ; tries++) {
      const { body } = await stack.api<Trunk>('GET', PATH);
      if (body.propagating === undefined) {
        expect(await invited(second.sipPort, body)).toBe(480);
        return;
      }
      expect(tries).toBeLessThan(50);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }, 60_000);
});
