/** Process managers and containers know npm's pid alone: what they send it has to reach the product. */
import { PhoneMedia } from '../../support/phone/media';
import { CallRefused } from '../../support/phone/dialling';
import { Phone } from '../../support/phone/phone';
import { processIdentity } from '../../../scripts/process/identity';
import { Stack } from '../../support/stack';
import type { StackProcess } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const ALL: readonly StackProcess[] = ['supervisor', 'api', 'worker', 'media', 'postgres', 'temporal'];
const DIALED = '+15551234567';

async function afterwards(pids: readonly number[]): Promise<void> {
  // npm may be gone a moment before what it started.
  await waitFor('the end of everything', 5_000, () =>
    pids.every((pid) => processIdentity(pid) === undefined) ? true : undefined,
  );
}

it('SIGINT ends all that `npm start` has started', async () => {
  const stack = await Stack.start({ npm: true });
  const pids = ALL.map((name) => stack.pid(name));
  try {
    expect(await stack.stop({ signal: 'SIGINT' })).toBe(0);
    await afterwards(pids);
  } finally {
    await stack.stop();
  }
}, 120_000);

it('SIGTERM drains under a live call, a second one hangs it up', async () => {
  const stack = await Stack.start({ npm: true });
  const pids = ALL.map((name) => stack.pid(name));
  const media = new PhoneMedia();
  let phone: Phone | undefined;
  try {
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: 'Hello!', silence_timeout_seconds: 60 });
    const { body: trunk } = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    phone = await Phone.open({
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.auth_username, password: trunk.auth_password },
    });
    const answered = await waitFor('a first call', 10_000, () => phone?.call(DIALED).catch(() => undefined));
    const ended = stack.stop({ signal: 'SIGTERM', hurryAfterMs: 4_000 });
    await waitFor('the drain', 3_000, async () => {
      const refused: unknown = await (await phone!.dial(DIALED)).answered.catch((error: unknown) => error);
      return refused instanceof CallRefused && refused.status === 503 ? true : undefined;
    });
    expect(answered.over).toBe(false);
    expect(await ended).toBe(0);
    expect(answered.over).toBe(true);
    await afterwards(pids);
  } finally {
    phone?.close();
    await media.close();
    await stack.stop();
  }
}, 120_000);
