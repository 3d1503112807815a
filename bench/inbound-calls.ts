/** What the benchmarks of inbound calls need of a running product: an agent, a trunk, and when the records are complete. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from 'pg';

import type { Stack } from '../test/support/stack';

const DIALED = '+15551234567';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export async function prepareInbound(stack: Stack): Promise<Credentials> {
  await stack.api('POST', '/phone', { name: 'Bench', first_message: 'Hello there!' });
  const { body } = await stack.api<{ auth_username: string; auth_password: string }>(
    'POST',
    '/phone/sip/inbound-trunk',
    { phone_numbers: [DIALED] },
  );
  await sleep(1_000);
  return { username: body.auth_username, password: body.auth_password };
}

/** Until every call that there is has a complete record. @returns ms, null: not within the limit */
export async function recordsComplete(database: Client, calls: number, limitMs: number): Promise<number | null> {
  const began = performance.now();
  for (;;) {
    const { rows } = await database.query<{ ended: number; open: number }>(
      `SELECT count(*) FILTER (WHERE ended_at IS NOT NULL)::int AS ended,
              count(*) FILTER (WHERE ended_at IS NULL)::int AS open FROM calls`,
    );
    const { ended = 0, open = 1 } = rows[0] ?? {};
    const afterMs = Math.round(performance.now() - began);
    if (ended >= calls && open === 0) return afterMs;
    if (afterMs > limitMs) return null;
    await sleep(50);
  }
}
