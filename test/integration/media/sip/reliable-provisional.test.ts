import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';
import { FakeClock } from '../../../fakes/fake-clock';
import { answerTo, Caller, OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

const DEMANDED = 'Require: 100rel';

let endpoint: TestEndpoint;
let peer: SipPeer;
/** Of all that repeats itself. */
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  endpoint = await TestEndpoint.start({ authentication: 'none', clock });
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
  expect(endpoint.server.dialogCount).toBe(0);
});

describe.each(['udp', 'tcp'] as const)('an inbound call over %s', (transport) => {
  let caller: Caller;

  beforeEach(async () => {
    peer = await SipPeer[transport](endpoint.port);
    caller = new Caller(peer, endpoint.port);
    endpoint.onCall = ({ dialog, events }) => {
      dialog.delegate = {
        ...dialog.delegate,
        onPrack: (sdp) => events.push(sdp === null ? 'prack' : 'prack+sdp'),
      };
      dialog.ring(() => ANSWER);
    };
  });

  /** PRACK of our 180, in the dialog that it made. */
  function prack(ringing: SipResponse, rseq = ringing.first('rseq'), body = ''): void {
    caller.establish(ringing);
    const invite = ringing.cseq!.number;
    caller.cseq += 1;
    peer.send(caller.request('PRACK', { headers: [`RAck: ${rseq} ${invite} INVITE`], body }));
  }

  async function hangUp(): Promise<void> {
    endpoint.calls[0]!.dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => endpoint.calls[0]!.events.includes('closed normal'));
  }

  it('rings reliably where that is demanded, and not where it is only supported', async () => {
    peer.send(caller.invite({ headers: ['Supported: 100rel'] }));
    const plain = await peer.response(180);
    expect([plain.headers.has('rseq'), plain.headers.has('require')]).toEqual([false, false]);
    endpoint.calls[0]!.dialog.reject(480);
    peer.send(caller.ackRefusal(await peer.response(480)));

    caller = new Caller(peer, endpoint.port);
    peer.send(caller.invite({ headers: [DEMANDED] }));
    const ringing = await peer.response(180);
    expect([ringing.first('require'), ringing.body.length]).toEqual(['100rel', 0]);
    expect(ringing.first('contact')).toContain(`127.0.0.1:${endpoint.port}`);
    // The same again, at T1, until the PRACK.
    await clock.advance(500);
    const repeated = await peer.response(180);
    expect(repeated.first('rseq')).toBe(ringing.first('rseq'));
    prack(ringing);
    await peer.response(200, 'PRACK');
    await clock.advance(40_000);
    expect(await peer.take((message) => 'status' in message && message.status === 180, 50)).toBeUndefined();
    endpoint.calls[1]!.dialog.answer(ANSWER);
    await peer.response(200, 'INVITE');
    peer.send(caller.request('ACK', { cseq: 1 }));
    await until(() => endpoint.calls[1]!.events.includes('ack'));
    expect(endpoint.calls[1]!.events).toEqual(['prack', 'ack']);
    endpoint.calls[1]!.dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => endpoint.calls[1]!.events.includes('closed normal'));
  });

  it('answers a PRACK of something else with 481, and ours also after the 200', async () => {
    peer.send(caller.invite({ headers: [DEMANDED] }));
    const ringing = await peer.response(180);
    endpoint.calls[0]!.dialog.answer(ANSWER);
    await peer.response(200, 'INVITE');
    prack(ringing, '1');
    await peer.response(481, 'PRACK');
    prack(ringing);
    await peer.response(200, 'PRACK');
    prack(ringing);
    await peer.response(481, 'PRACK');
    peer.send(caller.request('ACK', { cseq: 1 }));
    await until(() => endpoint.calls[0]!.events.includes('ack'));
    await hangUp();
  });

  it('offers in the 180 where the INVITE has no offer, and answers after the PRACK', async () => {
    peer.send(caller.invite({ headers: [DEMANDED], body: '' }).replace(/Content-Type[^\r]*\r\n/, ''));
    const ringing = await peer.response(180);
    expect(ringing.body.toString()).toBe(ANSWER);
    const { dialog, events } = endpoint.calls[0]!;
    expect(() => dialog.answer(null)).toThrow('has no answer yet');
    prack(ringing, undefined, OFFER);
    await peer.response(200, 'PRACK');
    expect(events).toEqual(['prack+sdp']);
    dialog.answer(null);
    const ok = await peer.response(200, 'INVITE');
    expect([ok.body.length, ok.headers.has('content-type')]).toEqual([0, false]);
    peer.send(caller.request('ACK', { cseq: 1 }));
    await until(() => events.includes('ack'));
    // Offer and answer are exchanged: the next offer is taken.
    caller.cseq += 1;
    peer.send(caller.request('UPDATE', { body: OFFER }));
    await peer.response(200, 'UPDATE');
    await hangUp();
  });

  it.each([
    ['CANCEL', 487],
    ['a hang-up of ours', 480],
  ])('repeats its 180 no more after %s', async (what, status) => {
    peer.send(caller.invite({ headers: [DEMANDED] }));
    await peer.response(180);
    if (what === 'CANCEL') peer.send(caller.request('CANCEL', { branch: caller.inviteBranch }));
    else endpoint.calls[0]!.dialog.bye();
    peer.send(caller.ackRefusal(await peer.response(status, 'INVITE')));
    await clock.advance(40_000);
    expect(await peer.take((message) => 'status' in message && message.status === 180, 50)).toBeUndefined();
  });

  it('gives up with 504 when no PRACK comes for 32 s', async () => {
    peer.send(caller.invite({ headers: [DEMANDED] }));
    await peer.response(180);
    await clock.advance(31_999);
    for (let i = 0; i < 6; i++) await peer.response(180);
    await clock.advance(1);
    peer.send(caller.ackRefusal(await peer.response(504, 'INVITE')));
    expect(endpoint.calls[0]!.events).toEqual(['closed prack_timeout']);
  });
});

describe('an outbound call', () => {
  it('acknowledges each reliable answer of each fork in its own dialog', async () => {
    peer = await SipPeer.udp();
    const events: string[] = [];
    const dialog = await endpoint.server.invite(
      {
        sipCallId: 'reliable@trunkline',
        target: { user: '+15557654321', host: '127.0.0.1', port: peer.port, transport: 'udp' },
        fromUser: '+15550001111',
        credentials: { username: 'bob', password: 'pw' },
        offer: () => OFFER,
      },
      recordingDelegate(events),
    );
    const invite = await peer.request('INVITE');
    const ring = (toTag: string, rseq: number, body = ''): void => {
      const contact = `Contact: <sip:${toTag}@127.0.0.1:${peer.port}>`;
      peer.send(answerTo(invite, 183, { toTag, headers: [contact, DEMANDED, `RSeq: ${rseq}`], body }));
    };
    const seen = (request: SipRequest): unknown => [
      request.requestUri.slice(0, 5),
      request.toTag,
      request.first('rack'),
      request.cseq?.number,
    ];
    ring('a', 17, ANSWER);
    const first = await peer.request('PRACK');
    expect(seen(first)).toEqual(['sip:a', 'a', '17 1 INVITE', 2]);
    ring('b', 4_000);
    const second = await peer.request('PRACK');
    expect(seen(second)).toEqual(['sip:b', 'b', '4000 1 INVITE', 2]);
    for (const request of [first, second]) peer.send(answerTo(request, 200));
    // Repeated, out of order, and the next one.
    ring('a', 17);
    ring('a', 19);
    ring('a', 18);
    const third = await peer.request('PRACK');
    expect(seen(third)).toEqual(['sip:a', 'a', '18 1 INVITE', 3]);
    peer.send(answerTo(third, 200));
    expect(await peer.take((message) => 'method' in message && message.method === 'PRACK', 100)).toBeUndefined();
    peer.send(answerTo(invite, 200, { toTag: 'a', headers: [`Contact: <sip:a@127.0.0.1:${peer.port}>`] }));
    await peer.request('ACK');
    expect(events).toEqual(['progress 183', 'progress 183', 'progress 183', 'accept+sdp']);
    dialog.bye();
    const bye = await peer.request('BYE');
    expect(bye.cseq?.number).toBe(4);
    peer.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
  });
});
