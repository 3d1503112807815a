import { FakeClock } from '../../../fakes/fake-clock';
import { Caller, OFFER, answerTo } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';
import { collectGarbage, heapPerRepetition } from '../../../support/collect-garbage';

import type { InboundDialog, OutboundDialog } from '../../../../media/sip/dialog';
import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';

let endpoint: TestEndpoint;
let peer: SipPeer;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  endpoint = await TestEndpoint.start({ clock, authentication: 'none' });
  peer = await SipPeer.udp(endpoint.port);
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
  expect(endpoint.server.dialogCount).toBe(0);
  expect(clock.armed).toBe(0);
});

/** A call that the caller set up; `invite`: its INVITE as it was sent. */
async function answered(): Promise<{ readonly caller: Caller; readonly invite: string }> {
  endpoint.onCall = ({ dialog }) => {
    dialog.ring(() => ANSWER);
    dialog.answer(ANSWER);
  };
  const caller = new Caller(peer, endpoint.port);
  const invite = caller.invite();
  peer.send(invite);
  caller.establish(await peer.response(200));
  peer.send(caller.request('ACK'));
  await until(() => endpoint.calls.at(-1)!.events.includes('ack'));
  return { caller, invite };
}

async function hungUp(): Promise<{ readonly caller: Caller; readonly invite: string; readonly bye: string }> {
  const call = await answered();
  call.caller.cseq += 1;
  const bye = call.caller.request('BYE');
  peer.send(bye);
  await peer.response(200, 'BYE');
  await until(() => endpoint.calls.at(-1)!.events.includes('closed normal'));
  peer.received.length = 0;
  return { ...call, bye };
}

/** What comes within two round trips of an OPTIONS that follow the message: an INVITE waits for what has come with it. */
async function answersTo(message: string): Promise<string[]> {
  peer.received.length = 0;
  peer.send(message);
  for (let n = 0; n < 2; n++) {
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    await peer.take((received) => received.cseq?.method === 'OPTIONS');
  }
  return (peer.received as SipResponse[]).map(({ status, cseq }) => `${status} ${cseq?.method}`);
}

describe('a call that is over', () => {
  it('answers a repeated BYE with the same response, byte for byte, and swallows its INVITE and ACK', async () => {
    const call = await answered();
    call.caller.cseq += 1;
    const bye = call.caller.request('BYE');
    peer.send(bye);
    const first = await peer.response(200, 'BYE');
    peer.send(bye);
    const again = await peer.response(200, 'BYE');
    expect([...again.headers]).toEqual([...first.headers]);
    expect(await answersTo(call.invite)).toEqual([]);
    expect(await answersTo(call.caller.request('ACK'))).toEqual([]);
    expect(endpoint.calls).toHaveLength(1);
  });

  it('knows no further request, but that its INVITE cannot be cancelled any more', async () => {
    const { caller } = await hungUp();
    caller.cseq += 1;
    for (const method of ['INFO', 'UPDATE', 'BYE', 'INVITE']) {
      expect(await answersTo(caller.request(method, method === 'INVITE' ? { body: OFFER } : {}))).toEqual([
        `481 ${method}`,
      ]);
    }
    const cancel = caller.request('CANCEL', { branch: caller.inviteBranch, cseq: 1, uri: caller.target });
    expect(await answersTo(cancel)).toEqual(['200 CANCEL']);
    expect(endpoint.calls).toHaveLength(1);
  });

  it('is no new call when its INVITE comes by another path', async () => {
    const { caller, invite } = await hungUp();
    expect(await answersTo(invite.replace(caller.inviteBranch, 'z9hG4bKother'))).toEqual(['482 INVITE']);
  });

  it('keeps nothing of the call', async () => {
    const { caller } = await answered();
    const held = servedByAnother(endpoint.calls.pop()!.dialog);
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
    peer.received.length = 0;
    expect(endpoint.server.dialogCount).toBe(1);
    expect(await stillHeld(held)).toEqual([]);
  });

  it('holds less than 6 KB of the heap, ended by either side', async () => {
    const perCall = await heapPerRepetition(150, async () => {
      await hungUp();
      endpoint.calls.length = 0;
      await answered();
      endpoint.calls.at(-1)!.dialog.bye();
      peer.send(answerTo(await peer.request('BYE'), 200));
      await until(() => endpoint.calls.at(-1)!.events.includes('closed normal'));
      endpoint.calls.length = 0;
      peer.received.length = 0;
    });
    expect(endpoint.server.dialogCount).toBe(600);
    expect(perCall / 2).toBeLessThan(6 * 1024);
  });

  it('is forgotten after timer J, a refused one after timer I', async () => {
    const { bye } = await hungUp();
    endpoint.onCall = ({ dialog }) => dialog.reject(486);
    const refused = new Caller(peer, endpoint.port);
    const invite = refused.invite();
    peer.send(invite);
    peer.send(refused.ackRefusal(await peer.response(486)));
    expect(await answersTo(invite)).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(2);
    await clock.advance(6_500);
    expect(endpoint.server.dialogCount).toBe(1);
    await clock.advance(25_000);
    expect(await answersTo(bye)).toEqual(['200 BYE']);
    await clock.advance(2_000);
    expect(endpoint.server.dialogCount).toBe(0);
    expect(await answersTo(bye)).toEqual(['481 BYE']);
  });
});

describe('a call of ours that is over', () => {
  it('acknowledges a repeated 200, and keeps nothing of who asked for it', async () => {
    const { held, bye } = await called();
    const invite: SipRequest = await peer.request('INVITE');
    const contact = `Contact: <sip:callee@127.0.0.1:${peer.port}>`;
    const ok = answerTo(invite, 200, { toTag: 'theirs', headers: [contact], body: ANSWER });
    peer.send(ok);
    await peer.request('ACK');
    bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
    peer.send(ok);
    await peer.request('ACK');
    expect(await stillHeld(held)).toEqual([]);
  });
});

type Held = Readonly<Record<string, WeakRef<object>>>;

/** In functions of their own, so that no variable of the test holds what it asks for. */
function servedByAnother(dialog: InboundDialog): Held {
  const owner = { heard: 0 };
  dialog.delegate = { onDtmf: () => owner.heard++ };
  return { owner: new WeakRef(owner), dialog: new WeakRef(dialog) };
}

async function called(): Promise<{ readonly held: Held; readonly bye: () => void }> {
  const owner = { offers: 0, accepted: 0 };
  const dialog = await endpoint.server.invite(
    {
      sipCallId: 'ours@trunkline',
      target: { user: '1', host: '127.0.0.1', port: peer.port, transport: 'udp' },
      fromUser: '2',
      credentials: null,
      offer: () => {
        owner.offers++;
        return OFFER;
      },
    },
    { onAccept: () => owner.accepted++ },
  );
  const held = { owner: new WeakRef(owner) };
  return { held, bye: byeOf(dialog) };
}

function byeOf(dialog: OutboundDialog): () => void {
  return () => dialog.bye();
}

async function stillHeld(held: Held): Promise<string[]> {
  await collectGarbage();
  return Object.keys(held).filter((name) => held[name]!.deref() !== undefined);
}
