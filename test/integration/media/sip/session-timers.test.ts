import type { SipLadderEntry } from '../../../../contract/events';
import type { DialogDelegate, OutboundDialog } from '../../../../media/sip/dialog';
import { SipRequest } from '../../../../media/sip/message/message';
import { answerTo, Caller, OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';
import { openUdpRelay } from '../../../support/udp-relay';

/** Seconds that a test can wait for; the product's own are 1,800 and 90. */
const SHORT = { intervalSeconds: 4, minimumSeconds: 2 };
const TIMER = 'Supported: timer';

let endpoint: TestEndpoint;
let peer: SipPeer;
let events: string[];
let callNumber = 0;

beforeEach(async () => {
  endpoint = await TestEndpoint.start({ authentication: 'none', sessionTimers: SHORT });
  events = [];
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
  expect(endpoint.server.dialogCount).toBe(0);
});

function refreshing(more: string[], ladder: SipLadderEntry[] = []): DialogDelegate {
  return {
    ...recordingDelegate(more, ladder),
    onRefreshOffer: () => OFFER,
    onRefreshAnswer: (sdp) => more.push(`answer ${sdp === ANSWER ? 'ours' : sdp}`),
    onExpired: (why) => more.push(why),
  };
}

describe.each(['udp', 'tcp'] as const)('an inbound call over %s', (transport) => {
  let caller: Caller;

  async function connected(headers: readonly string[]): Promise<string[]> {
    peer = await SipPeer[transport](endpoint.port);
    caller = new Caller(peer, endpoint.port);
    endpoint.onCall = ({ dialog }) => {
      dialog.delegate = refreshing(events);
      dialog.answer(ANSWER);
    };
    peer.send(caller.invite({ headers }));
    const ok = await peer.response(200);
    caller.establish(ok);
    peer.send(caller.request('ACK'));
    return [ok.first('session-expires') ?? '', ok.first('require') ?? ''];
  }

  it('refuses an interval that is too short and takes the next one, in and before the call', async () => {
    peer = await SipPeer[transport](endpoint.port);
    caller = new Caller(peer, endpoint.port);
    peer.send(caller.invite({ headers: [TIMER, 'Session-Expires: 1'] }));
    const refusal = await peer.response(422);
    expect([refusal.first('min-se'), refusal.reason]).toEqual(['2', 'Session Interval Too Small']);
    peer.send(caller.ackRefusal(refusal));
    expect(endpoint.calls).toEqual([]);
    caller.cseq += 1;
    expect(await connected([TIMER, 'Session-Expires: 3;refresher=uac', 'Require: timer'])).toEqual([
      '3;refresher=uac',
      'timer',
    ]);
    caller.cseq += 1;
    peer.send(caller.request('UPDATE', { headers: [TIMER, 'x: 1;refresher=uac'] }));
    expect((await peer.response(422, 'UPDATE')).first('min-se')).toBe('2');
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
  });

  it('lives as long as the caller refreshes it, by UPDATE and re-INVITE, and then ends by our BYE', async () => {
    await connected([TIMER, 'Session-Expires: 2;refresher=uac']);
    for (const method of ['UPDATE', 'INVITE', 'UPDATE']) {
      await new Promise((resolve) => setTimeout(resolve, 900));
      caller.cseq += 1;
      const body = method === 'INVITE' ? OFFER : '';
      peer.send(caller.request(method, { headers: [TIMER, 'Session-Expires: 2;refresher=uac'], body }));
      const ok = await peer.response(200, method);
      expect([ok.first('session-expires'), ok.first('require')]).toEqual(['2;refresher=uac', 'timer']);
      if (method === 'INVITE') peer.send(caller.request('ACK'));
    }
    expect(events).not.toContain('refresh_missing');
    const since = Date.now();
    const bye = await peer.request('BYE', 3_000);
    // 2 s less a third.
    expect(Date.now() - since).toBeGreaterThan(1_200);
    expect(bye.first('reason')).toBe('SIP;cause=408;text="session expired"');
    peer.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(events).toContain('refresh_missing');
  });

  it('is refreshed by us where the caller leaves it to us', async () => {
    expect(await connected([TIMER, 'Session-Expires: 2;refresher=uas', 'Allow: INVITE, UPDATE'])).toEqual([
      '2;refresher=uas',
      'timer',
    ]);
    const update = await peer.request('UPDATE');
    expect([update.first('session-expires'), update.first('min-se')]).toEqual(['2;refresher=uac', '2']);
    expect([update.body.length, update.fromTag, update.toTag]).toEqual([0, caller.toTag, caller.fromTag]);
    peer.send(answerTo(update, 405, { headers: ['Allow: INVITE'] }));
    const invite = await peer.request('INVITE');
    expect(invite.body.toString()).toBe(OFFER);
    const target = `sip:caller@127.0.0.1:${peer.port}${transport === 'tcp' ? ';transport=tcp' : ''}`;
    const headers = ['Session-Expires: 2;refresher=uac', `Contact: <${target}>`];
    peer.send(answerTo(invite, 200, { headers, body: ANSWER }));
    await peer.request('ACK');
    const again = await peer.request('INVITE', 1_500);
    expect(again.cseq?.number).toBe(invite.cseq!.number + 1);
    peer.send(answerTo(again, 481));
    await peer.request('ACK');
    const bye = await peer.request('BYE');
    expect(bye.first('reason')).toBe('SIP;cause=408;text="session expired"');
    peer.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(events.filter((event) => /^(answer|refresh)/.test(event))).toEqual(['answer ours', 'refresh_refused']);
  });
});

describe('an outbound call', () => {
  async function dial(): Promise<{ dialog: OutboundDialog; invite: SipRequest }> {
    peer = await SipPeer.udp();
    callNumber += 1;
    const dialog = await endpoint.server.invite(
      {
        sipCallId: `timer-${callNumber}@trunkline`,
        target: { user: '+15557654321', host: '127.0.0.1', port: peer.port, transport: 'udp' },
        fromUser: '+15550001111',
        credentials: { username: 'bob', password: 'pw' },
        offer: () => OFFER,
      },
      refreshing(events),
    );
    return { dialog, invite: await peer.request('INVITE') };
  }

  function accept(invite: SipRequest, headers: readonly string[]): void {
    const contact = `Contact: <sip:callee@127.0.0.1:${peer.port}>`;
    peer.send(answerTo(invite, 200, { toTag: 'callee', headers: [contact, ...headers], body: ANSWER }));
  }

  it('asks again for as long as a 422 says, and not without end', async () => {
    const { dialog, invite } = await dial();
    expect([invite.first('session-expires'), invite.first('min-se')]).toEqual(['4', '2']);
    peer.send(answerTo(invite, 422, { toTag: 'proxy', headers: ['Min-SE: 6'] }));
    await peer.request('ACK');
    const second = await peer.request('INVITE');
    expect([second.first('session-expires'), second.first('min-se')]).toEqual(['6', '6']);
    expect([second.callId, second.fromTag, second.toTag]).toEqual([invite.callId, invite.fromTag, '']);
    expect(second.cseq?.number).toBe(2);
    accept(second, ['Session-Expires: 6;refresher=uas']);
    await until(() => events.includes('accept+sdp'));
    dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => events.includes('closed normal'));

    events.length = 0;
    const { invite: first } = await dial();
    let last = first;
    for (const seconds of [10, 20, 30]) {
      peer.send(answerTo(last, 422, { toTag: 'proxy', headers: [`Min-SE: ${seconds}`] }));
      await peer.request('ACK');
      last = await peer.request('INVITE');
    }
    peer.send(answerTo(last, 422, { toTag: 'proxy', headers: ['Min-SE: 40'] }));
    await until(() => events.includes('closed normal'));
    expect(events[0]).toContain('"status":422');
  });

  it('is refreshed by us, and ends when nobody answers that any more', async () => {
    const { invite } = await dial();
    accept(invite, ['Session-Expires: 2;refresher=uac', 'Require: timer', 'Allow: INVITE, ACK, BYE, UPDATE']);
    for (let i = 0; i < 2; i++) {
      const update = await peer.request('UPDATE', 1_500);
      peer.send(answerTo(update, 200, { headers: ['Session-Expires: 2;refresher=uac'] }));
    }
    await peer.request('UPDATE', 1_500);
    const bye = await peer.request('BYE', 2_000);
    expect(bye.first('reason')).toContain('session expired');
    peer.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(events).toContain('refresh_failed');
  });

  it('ends when the callee that promised to refresh it does not', async () => {
    const { invite } = await dial();
    accept(invite, ['x: 3;refresher=uas']);
    const bye = await peer.request('BYE', 3_000);
    peer.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(events).toContain('refresh_missing');
  });

  it('never ends by a timer where the callee knows none', async () => {
    const { dialog, invite } = await dial();
    accept(invite, []);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(peer.received.filter((message) => message instanceof SipRequest && message.method !== 'ACK')).toEqual([]);
    dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => events.includes('closed normal'));
  });

  it('finds out whether its peer is alive, once for all who ask', async () => {
    const { dialog, invite } = await dial();
    expect(await dialog.probe()).toBe('alive');
    accept(invite, []);
    await until(() => events.includes('accept+sdp'));
    for (const [status, life] of [
      [200, 'alive'],
      [405, 'alive'],
      [481, 'gone'],
    ] as const) {
      const asked = Promise.all([dialog.probe(), dialog.probe()]);
      const options = await peer.request('OPTIONS');
      expect([options.toTag, options.requestUri]).toEqual(['callee', `sip:callee@127.0.0.1:${peer.port}`]);
      peer.send(answerTo(options, status));
      expect(await asked).toEqual([life, life]);
    }
    const unanswered = dialog.probe();
    await peer.request('OPTIONS');
    dialog.bye();
    expect(await unanswered).toBe('gone');
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => events.includes('closed normal'));
    expect(await dialog.probe()).toBe('gone');
    expect(peer.received.filter((message) => message instanceof SipRequest && message.method === 'OPTIONS')).toEqual(
      [],
    );
    dialog.dispose();
  });
});

describe('two of ours', () => {
  it.each([0, 0.2])(
    'refresh their session for as long as it lasts, with %d of the messages lost',
    async (loss) => {
      const callee = await TestEndpoint.start({ authentication: 'none', sessionTimers: SHORT });
      const relay = await openUdpRelay({ target: { address: '127.0.0.1', port: callee.port }, loss, seed: 8 });
      callee.onCall = ({ dialog, events: seen, ladder }) => {
        dialog.delegate = refreshing(seen, ladder);
        dialog.answer(ANSWER);
      };
      const dialog = await endpoint.server.invite(
        {
          sipCallId: `ours-${loss}@trunkline`,
          target: { user: '+15557654321', host: '127.0.0.1', port: relay.port, transport: 'udp' },
          fromUser: '+15550001111',
          credentials: { username: 'bob', password: 'pw' },
          offer: () => OFFER,
        },
        refreshing(events),
      );
      await until(() => events.includes('accept+sdp'), 20_000);
      await new Promise((resolve) => setTimeout(resolve, 7_000));
      expect([events, callee.calls[0]!.events]).toEqual([['accept+sdp'], ['ack']]);
      expect(
        callee.calls[0]!.ladder.filter(({ method, status }) => method === 'UPDATE' && status === 200).length,
      ).toBeGreaterThan(2);
      expect(await Promise.all([dialog.probe(), callee.calls[0]!.dialog.probe()])).toEqual(['alive', 'alive']);
      dialog.bye();
      await until(() => events.includes('closed normal') && callee.calls[0]!.events.includes('closed normal'), 10_000);
      relay.close();
      await callee.server.close();
    },
    60_000,
  );
});
