import type { DialogDelegate, InboundDialog, OutboundDialog } from '../../../../media/sip/dialog';
import { SipRequest } from '../../../../media/sip/message/message';
import { answerTo, Caller, OFFER } from '../../../fakes/media/sip/caller';
import { seenCredentials } from '../../../fakes/media/sip/seen-credentials';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';
import { openUdpRelay } from '../../../support/udp-relay';

const HOLD = OFFER.replace('o=- 1 1', 'o=- 1 2');
const HELD = ANSWER.replace('o=- 7 7', 'o=- 7 8');

let endpoint: TestEndpoint;
let peer: SipPeer;
let events: string[];
let callNumber = 0;

beforeEach(async () => {
  endpoint = await TestEndpoint.start({ authentication: 'none' });
  events = [];
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
  expect(endpoint.server.dialogCount).toBe(0);
});

function delegate(): DialogDelegate {
  return { ...recordingDelegate(events), onExpired: (why) => events.push(why) };
}

/** A call of either direction whose other end is written by hand. */
interface Standing {
  readonly dialog: InboundDialog | OutboundDialog;
  readonly contact: string;
  /** A request of the peer in the dialog. */
  readonly request: (method: string, cseq: number, options?: { body?: string; branch?: string }) => string;
}

async function inbound(transport: 'udp' | 'tcp', acknowledged = true): Promise<Standing> {
  peer = await SipPeer[transport](endpoint.port);
  const caller = new Caller(peer, endpoint.port);
  endpoint.onCall = ({ dialog }) => {
    dialog.delegate = delegate();
    dialog.answer(ANSWER);
  };
  peer.send(caller.invite());
  caller.establish(await peer.response(200));
  if (acknowledged) peer.send(caller.request('ACK'));
  if (acknowledged) await until(() => events.includes('ack'));
  const contact = `<sip:caller@127.0.0.1:${peer.port}${transport === 'tcp' ? ';transport=tcp' : ''}>`;
  const request: Standing['request'] = (method, cseq, options = {}) => caller.request(method, { cseq, ...options });
  return { dialog: endpoint.calls[0]!.dialog, contact, request };
}

async function outbound(): Promise<Standing> {
  peer = await SipPeer.udp();
  callNumber += 1;
  const dialog = await endpoint.server.invite(
    {
      sipCallId: `reoffer-${callNumber}@trunkline`,
      target: { user: '+15557654321', host: '127.0.0.1', port: peer.port, transport: 'udp' },
      fromUser: '+15550001111',
      credentials: { username: 'bob', password: 'pw' },
      offer: () => OFFER,
    },
    delegate(),
  );
  const invite = await peer.request('INVITE');
  const contact = `<sip:callee@127.0.0.1:${peer.port}>`;
  peer.send(answerTo(invite, 200, { toTag: 'callee', headers: [`Contact: ${contact}`], body: ANSWER }));
  await peer.request('ACK');
  const target = /<([^>]+)>/.exec(invite.first('contact')!)![1]!;
  const request: Standing['request'] = (method, cseq, { body = '', branch } = {}) =>
    [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};rport;branch=${branch ?? `z9hG4bK${method}${cseq}`}`,
      `From: ${invite.first('to')};tag=callee`,
      `To: ${invite.first('from')}`,
      `Call-ID: ${invite.callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: ${contact}`,
      'Max-Forwards: 70',
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  return { dialog, contact, request };
}

async function hangUp({ dialog }: Standing): Promise<void> {
  dialog.bye();
  peer.send(answerTo(await peer.request('BYE'), 200));
  await until(() => events.includes('closed normal'));
}

/** What the peer has heard and nobody has asked for, but for the 100 of the call itself. */
const heard = (): string[] =>
  peer.received
    .map((message) => (message instanceof SipRequest ? message.method : String(message.status)))
    .filter((what) => what !== '100');

describe.each([
  ['a call that came in over udp', () => inbound('udp')],
  ['a call that came in over tcp', () => inbound('tcp')],
  ['a call that went out', () => outbound()],
] as const)('%s', (_name, establish) => {
  it('is offered anew by a re-INVITE, time after time', async () => {
    const call = await establish();
    for (const [status, body, outcome] of [
      [200, HELD, { ok: true, sdp: HELD }],
      [488, '', { ok: false, status: 488 }],
      [200, '', { ok: false, status: 200 }],
      [200, ANSWER, { ok: true, sdp: ANSWER }],
    ] as const) {
      const reoffered = call.dialog.reoffer(HOLD);
      const invite = await peer.request('INVITE');
      expect([invite.body.toString(), invite.first('content-type')]).toEqual([HOLD, 'application/sdp']);
      expect(invite.toTag).not.toBe('');
      expect(invite.first('contact')).toContain(`127.0.0.1:${endpoint.port}`);
      const ok = answerTo(invite, status, { headers: [`Contact: ${call.contact}`], body });
      peer.send(ok);
      expect(await reoffered).toEqual(outcome);
      const ack = await peer.request('ACK');
      expect([ack.cseq?.number, ack.body.length]).toEqual([invite.cseq!.number, 0]);
      if (status !== 200) continue;
      peer.send(ok);
      expect((await peer.request('ACK')).cseq?.number).toBe(invite.cseq!.number);
    }
    await hangUp(call);
    expect(heard()).toEqual([]);
  });

  it('a 2xx moves the remote target, a refusal does not', async () => {
    const call = await establish();
    const elsewhere = await SipPeer.udp(endpoint.port);
    for (const [status, port] of [
      [488, peer.port],
      [200, elsewhere.port],
    ] as const) {
      const reoffered = call.dialog.reoffer(HOLD);
      const invite = await peer.request('INVITE');
      const headers = [`Contact: <sip:moved@127.0.0.1:${elsewhere.port}>`];
      peer.send(answerTo(invite, status, { headers, body: status === 200 ? HELD : '' }));
      await reoffered;
      const ack = await (port === peer.port ? peer : elsewhere).request('ACK');
      expect(ack.requestUri.includes(`:${elsewhere.port}`)).toBe(status === 200);
    }
    call.dialog.bye();
    elsewhere.send(answerTo(await elsewhere.request('BYE'), 200));
    await until(() => events.includes('closed normal'));
  });

  it('a 491 is waited out, and meanwhile the peer’s offer is taken', async () => {
    const call = await establish();
    let version = 1;
    const reoffered = call.dialog.reoffer(() => `${OFFER}s=${++version}\r\n`);
    const refused = await peer.request('INVITE');
    // The peer's own has crossed it.
    const crossing = call.request('INVITE', 100, { body: OFFER, branch: 'z9hG4bKcrossing' });
    peer.send(crossing);
    expect((await peer.response(491, 'INVITE')).cseq?.number).toBe(100);
    peer.send(crossing);
    expect((await peer.response(491, 'INVITE')).cseq?.number).toBe(100);
    peer.send(call.request('ACK', 100, { branch: 'z9hG4bKcrossing' }));
    peer.send(answerTo(refused, 491));
    await peer.request('ACK');
    peer.send(call.request('INVITE', 101, { body: OFFER }));
    expect((await peer.response(200, 'INVITE', 1_000)).cseq?.number).toBe(101);
    peer.send(call.request('ACK', 101));
    const again = await peer.request('INVITE', 5_000);
    expect([again.body.toString(), again.cseq!.number]).toEqual([`${OFFER}s=3\r\n`, refused.cseq!.number + 1]);
    peer.send(answerTo(again, 200, { headers: [`Contact: ${call.contact}`], body: HELD }));
    expect(await reoffered).toEqual({ ok: true, sdp: HELD });
    await peer.request('ACK');
    expect(events.filter((event) => event.startsWith('reoffer'))).toHaveLength(1);
    await hangUp(call);
  }, 20_000);

  it('while it is open an UPDATE with an offer is refused, and one without is answered (RFC 3311 §5.2)', async () => {
    const call = await establish();
    const reoffered = call.dialog.reoffer(HOLD);
    const invite = await peer.request('INVITE');
    peer.send(call.request('UPDATE', 100, { body: OFFER }));
    await peer.response(491, 'UPDATE');
    peer.send(call.request('UPDATE', 101));
    await peer.response(200, 'UPDATE');
    peer.send(answerTo(invite, 200, { headers: [`Contact: ${call.contact}`], body: HELD }));
    expect((await reoffered).ok).toBe(true);
    await peer.request('ACK');
    peer.send(call.request('UPDATE', 102, { body: OFFER }));
    await peer.response(200, 'UPDATE');
    await hangUp(call);
  });

  it('a second offer of the peer before the ACK of its first is told when to come again (RFC 3261 §14.2)', async () => {
    const call = await establish();
    peer.send(call.request('INVITE', 100, { body: OFFER }));
    await peer.response(200, 'INVITE');
    // Ours waits for that ACK as well.
    const reoffered = call.dialog.reoffer(HOLD);
    peer.send(call.request('INVITE', 101, { body: OFFER, branch: 'z9hG4bKearly' }));
    const refusal = await peer.response(500, 'INVITE');
    expect(Number(refusal.first('retry-after'))).toBeLessThanOrEqual(10);
    expect(heard()).not.toContain('INVITE');
    peer.send(call.request('ACK', 101, { branch: 'z9hG4bKearly' }));
    peer.send(call.request('ACK', 100));
    const invite = await peer.request('INVITE');
    peer.send(answerTo(invite, 200, { headers: [`Contact: ${call.contact}`], body: HELD }));
    expect((await reoffered).ok).toBe(true);
    await hangUp(call);
  });

  it('a delayed offer of the peer is answered while ours holds, and its ACK heard', async () => {
    const call = await establish();
    const held = call.dialog.reoffer(HOLD);
    peer.send(answerTo(await peer.request('INVITE'), 200, { headers: [`Contact: ${call.contact}`], body: HELD }));
    await held;
    await peer.request('ACK');
    peer.send(call.request('INVITE', 100));
    const offered = await peer.response(200, 'INVITE');
    expect(offered.body.length).toBeGreaterThan(0);
    peer.send(call.request('ACK', 100, { body: ANSWER }));
    await until(() => events.includes('ack+sdp'));
    const resumed = call.dialog.reoffer(OFFER);
    peer.send(answerTo(await peer.request('INVITE'), 200, { headers: [`Contact: ${call.contact}`], body: ANSWER }));
    expect((await resumed).ok).toBe(true);
    await hangUp(call);
  });

  it.each([408, 481])('a peer that answers %d has ended the call (RFC 3261 §12.2.1.2)', async (status) => {
    const call = await establish();
    const [first, second] = [call.dialog.reoffer(HOLD), call.dialog.reoffer(OFFER)];
    peer.send(answerTo(await peer.request('INVITE'), status));
    await peer.request('ACK');
    peer.send(answerTo(await peer.request('BYE'), 481));
    expect([await first, await second]).toEqual([
      { ok: false, status },
      { ok: false, status: null },
    ]);
    await until(() => events.includes('closed normal'));
    expect(events).toContain('refresh_refused');
  });

  it('can be sent digits by INFO, also while a re-INVITE is open', async () => {
    const call = await establish();
    const reoffered = call.dialog.reoffer(HOLD);
    const invite = await peer.request('INVITE');
    for (const [digit, status] of [
      ['1', 200],
      ['#', 415],
    ] as const) {
      const taken = call.dialog.info('application/dtmf-relay', `Signal=${digit}\r\nDuration=160\r\n`);
      const info = await peer.request('INFO');
      expect([info.contentType, info.body.toString(), info.toTag === '']).toEqual([
        'application/dtmf-relay',
        `Signal=${digit}\r\nDuration=160\r\n`,
        false,
      ]);
      peer.send(answerTo(info, status));
      expect(await taken).toBe(status === 200);
    }
    peer.send(answerTo(invite, 200, { headers: [`Contact: ${call.contact}`], body: HELD }));
    expect((await reoffered).ok).toBe(true);
    await peer.request('ACK');
    const unanswered = call.dialog.info('application/dtmf-relay', 'Signal=2\r\n');
    peer.send(answerTo(await peer.request('INFO'), 100));
    await hangUp(call);
    expect([await unanswered, await call.dialog.info('application/dtmf-relay', 'Signal=3\r\n')]).toEqual([
      false,
      false,
    ]);
  });

  it('a hang-up of either side ends it, and what waits behind it', async () => {
    for (const by of ['us', 'peer'] as const) {
      events.length = 0;
      endpoint.calls.length = 0;
      const call = await establish();
      const both = Promise.all([call.dialog.reoffer(HOLD), call.dialog.reoffer(OFFER)]);
      const invite = await peer.request('INVITE');
      if (by === 'us') call.dialog.bye();
      else peer.send(call.request('BYE', 100));
      expect(await both).toEqual([
        { ok: false, status: null },
        { ok: false, status: null },
      ]);
      if (by === 'us') peer.send(answerTo(await peer.request('BYE'), 200));
      else await peer.response(200, 'BYE');
      // RFC 3261 §15.1.2: or it was accepted before the BYE came.
      const late = by === 'us' ? { status: 487, body: '' } : { status: 200, body: HELD };
      peer.send(answerTo(invite, late.status, { headers: [`Contact: ${call.contact}`], body: late.body }));
      await peer.request('ACK');
      await until(() => events.includes('closed normal'));
      expect(await call.dialog.reoffer(HOLD)).toEqual({ ok: false, status: null });
      expect(heard().filter((what) => what === 'INVITE')).toEqual([]);
    }
  });
});

describe('before the ACK of the first INVITE', () => {
  it('nothing is offered', async () => {
    const call = await inbound('udp', false);
    const reoffered = call.dialog.reoffer(HOLD);
    await peer.response(200, 'INVITE', 1_000);
    expect(heard()).toEqual([]);
    peer.send(call.request('ACK', 1));
    peer.send(answerTo(await peer.request('INVITE'), 200, { headers: [`Contact: ${call.contact}`], body: HELD }));
    expect((await reoffered).ok).toBe(true);
    await hangUp(call);
  });

  it('a hang-up that waits for it gives the offer up', async () => {
    const call = await inbound('udp', false);
    const reoffered = call.dialog.reoffer(HOLD);
    call.dialog.bye();
    expect(await reoffered).toEqual({ ok: false, status: null });
    expect(await call.dialog.reoffer(HOLD)).toEqual({ ok: false, status: null });
    peer.send(call.request('ACK', 1));
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => events.includes('closed normal'));
    expect(heard()).toEqual([]);
  });

  it('or of the call, an offer has nowhere to go', async () => {
    peer = await SipPeer.udp(endpoint.port);
    const caller = new Caller(peer, endpoint.port);
    peer.send(caller.invite());
    await until(() => endpoint.calls.length === 1);
    const { dialog } = endpoint.calls[0]!;
    expect(await dialog.reoffer(HOLD)).toEqual({ ok: false, status: null });
    dialog.reject(486);
    peer.send(caller.ackRefusal(await peer.response(486)));
  });
});

describe('a trunk that challenges the re-INVITE', () => {
  it('gets our credentials, and a caller does not', async () => {
    const challenge = 'WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"';
    const call = await outbound();
    const reoffered = call.dialog.reoffer(HOLD);
    const first = await peer.request('INVITE');
    peer.send(answerTo(first, 401, { headers: [challenge] }));
    await peer.request('ACK');
    const second = await peer.request('INVITE');
    expect(second.cseq!.number).toBe(first.cseq!.number + 1);
    expect(second.body.toString()).toBe(HOLD);
    expect(seenCredentials(second)).toMatchObject([{ realm: 'carrier', nonce: 'n1', right: true }]);
    peer.send(answerTo(second, 200, { headers: [`Contact: ${call.contact}`], body: HELD }));
    expect(await reoffered).toEqual({ ok: true, sdp: HELD });
    await hangUp(call);

    events.length = 0;
    const called = await inbound('udp');
    const refused = called.dialog.reoffer(HOLD);
    peer.send(answerTo(await peer.request('INVITE'), 401, { headers: [challenge] }));
    expect(await refused).toEqual({ ok: false, status: 401 });
    await hangUp(called);
  });
});

describe('two of ours', () => {
  it.each([0, 0.2])(
    'that offer at the same time both get their answer, with %d of the messages lost',
    async (loss) => {
      const callee = await TestEndpoint.start({ authentication: 'none' });
      const relay = await openUdpRelay({ target: { address: '127.0.0.1', port: callee.port }, loss, seed: 5 });
      callee.onCall = ({ dialog, events: seen }) => {
        dialog.delegate = recordingDelegate(seen);
        dialog.answer(ANSWER);
      };
      const dialog = await endpoint.server.invite(
        {
          sipCallId: `glare-${loss}@trunkline`,
          target: { user: '+15557654321', host: '127.0.0.1', port: relay.port, transport: 'udp' },
          fromUser: '+15550001111',
          credentials: { username: 'bob', password: 'pw' },
          offer: () => OFFER,
        },
        delegate(),
      );
      await until(() => events.includes('accept+sdp'), 20_000);
      const called = callee.calls[0]!;
      await until(() => called.events.includes('ack'), 20_000);
      const offered = [dialog, called.dialog, dialog, called.dialog].map((end) => end.reoffer(HOLD));
      expect(await Promise.all(offered)).toEqual(offered.map(() => ({ ok: true, sdp: ANSWER })));
      for (const seen of [events, called.events]) {
        await until(() => seen.filter((event) => event === 'reoffer+sdp').length === 2);
      }
      dialog.bye();
      await until(() => events.includes('closed normal') && called.events.includes('closed normal'), 20_000);
      relay.close();
      await callee.server.close();
    },
    90_000,
  );
});
