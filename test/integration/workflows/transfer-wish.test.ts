/** What a call wishes of a transfer by itself: decided by its workflow, carried out as one of the API, or refused. */
import { uuidV7 } from '../../../store/ids';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { TransferDestinationRepository } from '../../../store/repositories/transfer-destination-repository';
import type { Call } from '../../../store/entities/call';
import type { TransferWish } from '../../../contract/transfers';
import { callStartOptions } from '../../../workflows/call/start-options';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';

const URI = 'sip:very-secret-desk@pbx.example.com';
const SENTENCE = 'I am putting you through to the most secret department.';

let env: WorkflowEnvironment;
let node: FakeNode;
let desk: string;
let unassigned: string;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  const { dataSource, secrets, orgId, agentId } = env;
  await dataSource.query(`INSERT INTO organisations (id, name) VALUES ($1, 'Ours') ON CONFLICT DO NOTHING`, [orgId]);
  const destinations = new TransferDestinationRepository(dataSource, secrets);
  await new ConfigRepository(dataSource).transaction(async (tx) => {
    const failover = await destinations.create(tx, orgId, { name: 'Failover', type: 'sip', value: URI, mode: 'refer' });
    await new AgentRepository(dataSource).create(tx, orgId, {
      id: agentId,
      name: 'Agent',
      failoverTransferDestinationId: failover.id,
    });
    const sip = { type: 'sip', value: URI, mode: 'bridge' } as const;
    desk = (await destinations.create(tx, orgId, { name: 'Desk', ...sip, announce: SENTENCE })).id;
    unassigned = (await destinations.create(tx, orgId, { name: 'Vault', ...sip })).id;
    await destinations.assign(tx, orgId, agentId, desk, '1');
  });
}, 180_000);

afterAll(() => env.close(), 60_000);

beforeEach(() => {
  node.control.controls.length = 0;
  node.control.controlEffect = () => ({ outcome: 'done' });
});

async function answered(): Promise<string> {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  return callId;
}

const sent = (): string[] => node.control.controls.map(({ control }) => control.type);

const outcomeOf = (callId: string): Promise<NonNullable<Call['transfer']>> =>
  waitFor('the outcome', 20_000, async () => {
    const transfer = (await env.row(callId))?.transfer;
    return transfer?.outcome === undefined ? undefined : transfer;
  });

async function ofWorkflow(callId: string): Promise<readonly { type: string; data: Record<string, unknown> }[]> {
  const { items } = await env.events.list(env.orgId, callId);
  return items.filter(({ source, type }) => source === 'workflow' && type.startsWith('transfer'));
}

async function refusalOf(callId: string, wish: TransferWish): Promise<unknown> {
  const transferId = node.control.want(callId, wish);
  const refused = await waitFor('the refusal', 20_000, async () =>
    (await ofWorkflow(callId)).find(
      ({ type, data }) => type === 'transfer.refused' && data['transfer_id'] === transferId,
    ),
  );
  expect(node.control.controls.at(-1)).toMatchObject({
    commandId: `${transferId}:refuse`,
    control: { type: 'refuseTransfer', transferId, code: refused.data['code'] },
  });
  return refused.data['code'];
}

test('of a call whose row its node has not come to store, is carried out and recorded as of others', async () => {
  const input = env.inboundInput(node);
  const { callId } = input;
  await env.client.workflow.start('callWorkflow', callStartOptions(input));
  node.control.inbound(callId, env.orgId, input.sipCallId);
  node.control.answer(callId);
  const transferId = node.control.want(callId, { by: 'keypad', destinationId: desk });
  expect(await outcomeOf(callId)).toMatchObject({ id: transferId, outcome: 'transferred' });
  node.control.end(callId, PEER_HANGUP);
  expect(await env.finished(callId)).toMatchObject({ disposition: 'answered', truncated: false });
}, 30_000);

test('is planned and carried out as one of the API; no URI and no word is in a history', async () => {
  const callId = await answered();
  const before = (await env.handle(callId).fetchHistory()).events?.length ?? 0;
  const transferId = node.control.want(callId, { by: 'keypad', destinationId: desk });
  expect(await outcomeOf(callId)).toMatchObject({
    id: transferId,
    by: 'keypad',
    mode: 'bridge',
    outcome: 'transferred',
  });
  expect(sent()).toEqual(['announce', 'dialLeg']);
  expect(node.control.controls[0]?.control).toEqual({ type: 'announce', text: SENTENCE });
  expect(node.control.controls[1]?.control).toMatchObject({
    leg: { legId: transferId, target: { type: 'sip', uri: URI }, name: 'Desk' },
  });
  const [requested, completed] = await ofWorkflow(callId);
  expect(requested).toMatchObject({ type: 'transfer.requested', data: { by: 'keypad', transfer_id: transferId } });
  expect(completed).toMatchObject({ type: 'transfer.completed', data: { transfer_id: transferId } });
  // The call's workflow may still have to hear of the end of its own.
  expect(await refusalOf(callId, { by: 'keypad', destinationId: desk })).toMatch(/^transferr(?:ing|ed)$/);
  const whole = await env.handle(callId).fetchHistory();
  const written = JSON.stringify(whole, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
  );
  expect(written).not.toContain('secret');
  expect((whole.events?.length ?? 0) - before).toBeLessThanOrEqual(75);
  node.control.end(callId, { ...PEER_HANGUP, endReason: 'transferred' });
  await env.finished(callId);
}, 60_000);

test('to the failover of the agent needs no assignment', async () => {
  const callId = await answered();
  node.control.want(callId, { by: 'failover', destinationId: null });
  expect(await outcomeOf(callId)).toMatchObject({ by: 'failover', mode: 'refer', outcome: 'transferred' });
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 60_000);

test('that may not be is refused, told to the node and recorded; the call goes on', async () => {
  const callId = await answered();
  expect(await refusalOf(callId, { by: 'agent', destinationId: unassigned })).toBe('destination_not_assigned');
  expect(await refusalOf(callId, { by: 'agent', destinationId: uuidV7() })).toBe('transfer_destination_not_found');
  expect(await refusalOf(callId, { by: 'agent', destinationId: '+15551234567' })).toBe(
    'transfer_destination_not_found',
  );
  expect(await refusalOf(callId, { by: 'handoff', destinationId: null })).toBe('no_handoff_number');
  expect((await env.row(callId))?.transfer).toBeNull();
  expect(sent()).toEqual(Array(4).fill('refuseTransfer'));
  await env.rowIs(callId, 'in_progress');
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 60_000);

test('of a call that ends meanwhile comes to nothing', async () => {
  const callId = await answered();
  node.control.want(callId, { by: 'keypad', destinationId: desk });
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
  expect(sent().filter((type) => type === 'dialLeg')).toEqual([]);
}, 60_000);
