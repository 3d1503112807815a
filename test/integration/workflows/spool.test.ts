import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

test('a restarted node empties its spool into calls that ended without it', async () => {
  const killed = await env.spawnNode('spooling');
  const input = await env.startInbound(killed);
  killed.order({ do: 'inbound', callId: input.callId, orgId: env.orgId, sipCallId: input.sipCallId });
  killed.order({ do: 'answer', callId: input.callId });
  await env.rowIs(input.callId, 'in_progress');
  await killed.kill();
  expect(await env.finished(input.callId)).toMatchObject({ endReason: 'media_node_lost', truncated: true });

  // What the killed boot had written while PostgreSQL was away; it died in its last line.
  const spool = join(env.dataDirOf('spooling'), 'spool', 'spooling');
  mkdirSync(spool, { recursive: true });
  const event = (seq: number): string =>
    JSON.stringify({ callId: input.callId, orgId: env.orgId, seq, atMs: Date.now(), type: 'note', note: 'spooled' });
  writeFileSync(
    join(spool, 'killed-000000.events.jsonl'),
    `${event(101)}\n${event(102)}\n{"callId":"${input.callId}","se`,
  );
  await env.startNode('spooling');
  const stored = await waitFor('the spooled events', 10_000, async () => {
    const { items } = await env.events.list(env.orgId, input.callId, { limit: 100 });
    const found = items.filter(({ seq }) => seq > 100);
    return found.length === 2 ? found : undefined;
  });
  expect(stored.map(({ source, seq }) => [source, seq])).toEqual([
    ['node', 101],
    ['node', 102],
  ]);
  await waitFor('the empty spool', 5_000, () => (readdirSync(spool).length === 0 ? true : undefined));
  expect(await env.row(input.callId)).toMatchObject({ status: 'completed', truncated: true });
}, 60_000);
