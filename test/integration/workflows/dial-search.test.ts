import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

/** As PostgreSQL shows every node in the second after it has come back: not seen for long. */
async function nodesLookSilent(): Promise<() => Promise<void>> {
  await env.dataSource.query(
    `CREATE FUNCTION look_silent() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN NEW.last_seen := now() - interval '1 minute'; RETURN NEW; END $$`,
  );
  await env.dataSource.query(
    'CREATE TRIGGER look_silent BEFORE INSERT OR UPDATE ON media_nodes FOR EACH ROW EXECUTE FUNCTION look_silent()',
  );
  return async () => {
    await env.dataSource.query('DROP FUNCTION look_silent CASCADE');
  };
}

test('a dial that did not return is looked for until a node shows itself, and then goes on there', async () => {
  const node = await env.startNode();
  node.control.plan = () => ({ kind: 'hang_after_invite' });
  const seen = await nodesLookSilent();
  const input = env.outboundInput();
  await env.placeCall(input);
  await waitFor('the INVITE', 5_000, () => (node.control.calls.has(input.callId) ? true : undefined));
  // The dial is given up after 5 s, and 3 s later the call too, if no node has shown itself: on a busy machine that takes one
  // a second or two.
  await new Promise((resolve) => setTimeout(resolve, 5_700));
  await seen();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  node.control.answer(input.callId);
  await env.rowIs(input.callId, 'in_progress');
  node.control.end(input.callId, PEER_HANGUP);
  expect(await env.finished(input.callId)).toMatchObject({ disposition: 'answered', truncated: false });
}, 60_000);
