import { answerTo, Caller, OFFER } from '../../../fakes/media/sip/caller';
import { Callee } from '../../../fakes/media/sip/callee';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { OutboundDialog } from '../../../../media/sip/dialog';
import type { SipResponse } from '../../../../media/sip/message/message';

let endpoint: TestEndpoint;
let peer: SipPeer;
let first: Caller;

beforeEach(async () => {
  endpoint = await TestEndpoint.start({ replaces: true });
  peer = await SipPeer.udp(endpoint.port);
  first = new Caller(peer, endpoint.port);
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
});

/** Sends an INVITE with credentials, and gives its final answer. */
async function call(caller: Caller, headers: readonly string[] = [], username = 'alice'): Promise<SipResponse> {
  peer.send(caller.invite());
  const challenge = await peer.response(401);
  peer.send(caller.ackRefusal(challenge));
  caller.cseq += 1;
  peer.send(caller.invite({ headers: [caller.authorization(challenge, username, 'secret'), ...headers] }));
  const answer = (await peer.take<SipResponse>(
    (message) => 'status' in message && message.status !== 100 && message.status !== 401,
  ))!;
  if (answer.status >= 300) peer.send(caller.ackRefusal(answer));
  return answer;
}

async function established(): Promise<void> {
  endpoint.onCall = ({ dialog }) => dialog.answer(ANSWER);
  first.establish(await call(first));
  peer.send(first.request('ACK'));
  await until(() => endpoint.calls[0]!.events.includes('ack'));
}

const named = (more = ''): string => `Replaces: ${first.callId};to-tag=${first.toTag};from-tag=${first.fromTag}${more}`;

describe('an INVITE with Replaces', () => {
  it('comes as the call that is to take the place of another', async () => {
    await established();
    const second = new Caller(peer, endpoint.port);
    const ok = await call(second, [named(), 'Require: replaces']);
    expect([ok.status, ok.optionTags('supported')]).toEqual([200, ['100rel', 'timer', 'replaces']]);
    const [replaced, taking] = endpoint.calls;
    expect(taking!.dialog.invite.replaces).toMatchObject({ state: 'confirmed', orgId: 'org' });
    expect(taking!.dialog.invite.replaces?.dialog).toBe(replaced!.dialog);
    second.establish(ok);
    peer.send(second.request('ACK'));
    replaced!.dialog.bye();
    const bye = await peer.request('BYE');
    expect(bye.callId).toBe(first.callId);
    peer.send(answerTo(bye, 200));
    await until(() => replaced!.events.includes('closed normal'));
    expect(replaced!.dialog.invite.replaces).toBeNull();
  });

  it.each([
    ['a call that there is not', () => named().replace(first.callId, 'x@y'), 481],
    ['another tag of ours', () => named().replace(first.toTag, 'x'), 481],
    ['another tag of the peer’s', () => named().replace(first.fromTag, 'x'), 481],
    ['its tags the wrong way round', () => named().replace('to-tag', 'x').replace('from-tag', 'to-tag').replace('x=', 'from-tag='), 481], // prettier-ignore
    ['an answered call, early only', () => named(';early-only'), 486],
    ['no tag', () => `Replaces: ${first.callId}`, 400],
    ['two calls', () => `${named()}\r\n${named()}`, 400],
    ['two calls in one line', () => `${named()}, ${named().slice(10)}`, 400],
    ['one, and joining one', () => `${named()}\r\nJoin: ${named().slice(10)}`, 400],
  ])('that names %s is refused, %#', async (_title, header, status) => {
    await established();
    expect((await call(new Caller(peer, endpoint.port), [header()])).status).toBe(status);
    expect(endpoint.calls).toHaveLength(1);
    expect(endpoint.calls[0]!.events).toEqual(['ack']);
    endpoint.calls[0]!.dialog.dispose();
  });

  it('of another organisation hears what it hears of a call that there is not', async () => {
    await established();
    const stranger = await call(new Caller(peer, endpoint.port), [named()], 'dave');
    const nothing = await call(new Caller(peer, endpoint.port), [named().replace(first.callId, 'x@y')], 'dave');
    expect([stranger.status, stranger.reason]).toEqual([481, nothing.reason]);
    expect([...stranger.headers.keys()]).toEqual([...nothing.headers.keys()]);
    endpoint.calls[0]!.dialog.dispose();
  });

  it('needs credentials like every other', async () => {
    await established();
    peer.send(new Caller(peer, endpoint.port).invite({ headers: [named()] }));
    await peer.response(401);
    expect(endpoint.calls).toHaveLength(1);
    endpoint.calls[0]!.dialog.dispose();
  });

  it('does not take a call from the peer that still rings, nor one that is over', async () => {
    endpoint.onCall = ({ dialog }) => dialog.ring(() => ANSWER);
    first.toTag = (await call(first)).toTag;
    expect((await call(new Caller(peer, endpoint.port), [named()])).status).toBe(481);
    endpoint.calls[0]!.dialog.answer(ANSWER);
    first.establish(await peer.response(200));
    peer.send(first.request('ACK'));
    await until(() => endpoint.calls[0]!.events.includes('ack'));
    first.cseq += 1;
    peer.send(first.request('BYE'));
    await peer.response(200, 'BYE');
    expect((await call(new Caller(peer, endpoint.port), [named()])).status).toBe(603);
  });

  it('in another request than INVITE is refused', async () => {
    await established();
    first.cseq += 1;
    peer.send(first.request('INFO', { headers: [named()] }));
    await peer.response(400, 'INFO');
    endpoint.calls[0]!.dialog.dispose();
  });

  it('is told of in the answer to OPTIONS', async () => {
    peer.send(first.request('OPTIONS'));
    expect((await peer.response(200, 'OPTIONS')).optionTags('supported')).toContain('replaces');
  });
});

describe('a call that we made', () => {
  let carrier: SipPeer;
  let callee: Callee;
  let dialog: OutboundDialog;

  async function dial(orgId?: string): Promise<void> {
    carrier = await SipPeer.udp();
    dialog = await endpoint.server.invite(
      {
        sipCallId: 'replaced@trunkline',
        ...(orgId === undefined ? {} : { orgId }),
        target: { user: '+1555', host: '127.0.0.1', port: carrier.port, transport: 'udp' },
        fromUser: '+1666',
        credentials: { username: 'bob', password: 'pw' },
        offer: () => OFFER,
      },
      recordingDelegate([]),
    );
    callee = new Callee(carrier, await carrier.request('INVITE'));
    expect(callee.invite.optionTags('supported')).toContain('replaces');
  }

  const named = (more = ''): string =>
    `Replaces: ${callee.invite.callId};to-tag=${callee.invite.fromTag};from-tag=${callee.tag}${more}`;

  it('can be taken over while it rings, and when it stands', async () => {
    endpoint.onCall = ({ dialog: taking }) => taking.reject(486);
    await dial('org');
    expect((await call(new Caller(peer, endpoint.port), [named()])).status).toBe(481);
    callee.answer(callee.invite, 180);
    await carrier.take(() => false, 50);
    expect((await call(new Caller(peer, endpoint.port), [named(';early-only')])).status).toBe(486);
    expect(endpoint.calls[0]!.dialog.invite.replaces).toMatchObject({ state: 'called' });
    expect(endpoint.calls[0]!.dialog.invite.replaces?.dialog).toBe(dialog);
    callee.accept();
    await carrier.request('ACK');
    expect((await call(new Caller(peer, endpoint.port), [named()])).status).toBe(486);
    expect(endpoint.calls[1]!.dialog.invite.replaces).toMatchObject({ state: 'confirmed' });
    dialog.dispose();
  });

  it('cannot where nobody says whose it is', async () => {
    await dial();
    callee.accept();
    await carrier.request('ACK');
    expect((await call(new Caller(peer, endpoint.port), [named()])).status).toBe(481);
    dialog.dispose();
  });
});

describe('where nothing acts on Replaces', () => {
  beforeEach(async () => {
    await endpoint.server.close();
    endpoint = await TestEndpoint.start();
    peer = await SipPeer.udp(endpoint.port);
    first = new Caller(peer, endpoint.port);
  });

  it('it is an extension that we do not know', async () => {
    await established();
    const second = new Caller(peer, endpoint.port);
    const required = await call(second, [named(), 'Require: replaces']);
    expect([required.status, required.lines('unsupported')]).toEqual([420, ['replaces']]);
    const third = new Caller(peer, endpoint.port);
    const ok = await call(third, [named()]);
    expect([ok.status, ok.optionTags('supported')]).toEqual([200, ['100rel', 'timer']]);
    expect(endpoint.calls[1]!.dialog.invite.replaces).toBeNull();
    for (const { dialog } of endpoint.calls) dialog.dispose();
  });
});
