import { createSocket } from 'node:dgram';

import { Caller, OFFER, answerTo } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { Socket } from 'node:dgram';

describe.each(['udp', 'tcp'] as const)('inbound call over %s', (transport) => {
  let endpoint: TestEndpoint;
  let peer: SipPeer;
  let caller: Caller;

  beforeEach(async () => {
    endpoint = await TestEndpoint.start();
    peer = await SipPeer[transport](endpoint.port);
    caller = new Caller(peer, endpoint.port);
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(0);
  });

  async function authenticated(headers: readonly string[] = [], body = OFFER): Promise<string> {
    peer.send(caller.invite({ body }));
    const challenge = await peer.response(401);
    peer.send(caller.ackRefusal(challenge));
    caller.cseq += 1;
    return caller.invite({ headers: [caller.authorization(challenge, 'alice', 'secret'), ...headers], body });
  }

  async function connected(): Promise<void> {
    endpoint.onCall = ({ dialog }) => {
      dialog.ring(() => ANSWER);
      dialog.answer(ANSWER);
    };
    peer.send(await authenticated());
    caller.establish(await peer.response(200));
    peer.send(caller.request('ACK'));
    await until(() => endpoint.calls[0]!.events.includes('ack'));
  }

  it('is challenged without state, then gets 100, 180 and 200, and ends by BYE of the caller', async () => {
    const invite = await authenticated();
    expect(endpoint.server.dialogCount).toBe(0);
    expect(endpoint.calls).toEqual([]);
    endpoint.onCall = ({ dialog }) => {
      dialog.ring(() => ANSWER);
      dialog.answer(ANSWER);
    };
    peer.send(invite);
    await peer.response(100);
    const ringing = await peer.response(180);
    const ok = await peer.response(200);
    expect(ok.toTag).toBe(ringing.toTag);
    expect(ok.body.toString()).toBe(ANSWER);
    expect(ok.first('contact')).toContain(`127.0.0.1:${endpoint.port}`);
    expect(ok.lines('allow')).toEqual(['INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK']);
    caller.establish(ok);
    peer.send(caller.request('ACK'));
    const call = endpoint.calls[0]!;
    await until(() => call.events.includes('ack'));
    caller.cseq += 1;
    peer.send(caller.request('BYE', { headers: ['Reason: Q.850;cause=16;text="Normal"'] }));
    await peer.response(200, 'BYE');
    expect(call.events).toEqual(['ack', 'bye Q.850 16', 'closed normal']);
    expect(call.dialog.invite).toMatchObject({
      requestUser: '+15551234567',
      caller: { user: 'caller', privacy: [] },
      offer: OFFER,
      identity: { trunkId: 'trunk', orgId: 'org', username: 'alice' },
      localAddress: '127.0.0.1',
    });
    expect([...call.dialog.invite.headers.keys()]).not.toContain('authorization');
    expect(call.ladder.map(({ direction, method, status }) => `${direction} ${method} ${status ?? ''}`.trim())).toEqual(
      ['in INVITE', 'out INVITE 100', 'out INVITE 180', 'out INVITE 200', 'in ACK', 'in BYE', 'out BYE 200'],
    );
    expect(JSON.stringify(call.ladder)).not.toMatch(/Digest|nonce|secret/);
  });

  // Without brackets a URI has no parameters, and so no other transport than UDP.
  if (transport === 'udp') {
    it('sends its requests to a Contact without brackets, whatever its parameters hold', async () => {
      endpoint.onCall = ({ dialog }) => dialog.answer(ANSWER);
      const at = `sip:caller@127.0.0.1:${peer.port}`;
      const contact = `Contact: ${at};+sip.instance="<urn:gsma:imei:35000000-000000-0>";audio`;
      peer.send((await authenticated()).replace(/Contact: .*/, contact));
      caller.establish(await peer.response(200));
      peer.send(caller.request('ACK'));
      await until(() => endpoint.calls[0]!.events.includes('ack'));
      endpoint.calls[0]!.dialog.bye();
      const bye = await peer.request('BYE');
      expect(bye.requestUri).toBe(at);
      peer.send(answerTo(bye, 200));
      await until(() => endpoint.calls[0]!.events.includes('closed normal'));
    });
  }

  it('refuses credentials that were made for another request', async () => {
    peer.send((await authenticated()).replace(/^INVITE sip:\+15551234567@/, 'INVITE sip:+19005550000@'));
    await peer.response(400);
    expect(endpoint.calls).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(0);
  });

  it('takes SHA-256 credentials too', async () => {
    peer.send(caller.invite());
    const challenge = await peer.response(401);
    caller.cseq += 1;
    peer.send(caller.invite({ headers: [caller.authorization(challenge, 'alice', 'secret', 'SHA-256')] }));
    await peer.response(100);
    endpoint.calls[0]!.dialog.reject(486);
    peer.send(caller.ackRefusal(await peer.response(486)));
  });

  it('answers a wrong password and an unknown user alike', async () => {
    for (const [username, password] of [
      ['alice', 'wrong'],
      ['mallory', 'secret'],
    ] as const) {
      peer.send(caller.invite());
      const challenge = await peer.response(401);
      caller.cseq += 1;
      peer.send(caller.invite({ headers: [caller.authorization(challenge, username, password)] }));
      const refusal = await peer.response(403);
      expect(refusal.reason).toBe('Forbidden');
      caller.cseq += 1;
    }
    expect(endpoint.calls).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(0);
    expect(endpoint.rejected.wrong_credentials).toBe(2);
  });

  it('takes each nonce count once', async () => {
    const invite = await authenticated();
    peer.send(invite);
    await peer.response(100);
    peer.send(invite.replace(caller.inviteBranch, caller.branch()).replace(caller.callId, `other-${caller.callId}`));
    const replayed = await peer.response(401);
    expect(replayed.first('www-authenticate')).toContain('stale=true');
    endpoint.calls[0]!.dialog.reject(480);
  });

  it('answers CANCEL while ringing with 200 and the INVITE with 487', async () => {
    endpoint.onCall = ({ dialog }) => dialog.ring(() => ANSWER);
    peer.send(await authenticated());
    await peer.response(180);
    peer.send(caller.request('CANCEL', { branch: caller.inviteBranch }));
    await peer.response(200, 'CANCEL');
    const terminated = await peer.response(487, 'INVITE');
    peer.send(caller.ackRefusal(terminated));
    expect(endpoint.calls[0]!.events).toEqual(['cancel', 'closed normal']);
    endpoint.calls[0]!.dialog.answer(ANSWER);
    expect(await peer.take((message) => 'status' in message && message.status === 200, 50)).toBeUndefined();
  });

  it('refuses with status, reason, Retry-After and Warning', async () => {
    endpoint.onCall = ({ dialog }) =>
      dialog.reject(503, { reason: 'Later', retryAfterSeconds: 7, warning: '399 trunkline "later"' });
    peer.send(await authenticated());
    const refusal = await peer.response(503);
    peer.send(caller.ackRefusal(refusal));
    expect(refusal.reason).toBe('Later');
    expect(refusal.first('retry-after')).toBe('7');
    expect(refusal.first('warning')).toBe('399 trunkline "later"');
    expect(endpoint.calls[0]!.events).toEqual(['closed normal']);
  });

  it('queues our BYE until the ACK', async () => {
    endpoint.onCall = ({ dialog }) => {
      dialog.answer(ANSWER);
      dialog.bye({ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' });
    };
    peer.send(await authenticated());
    caller.establish(await peer.response(200));
    expect(await peer.take((m) => 'method' in m && m.method === 'BYE', 60)).toBeUndefined();
    peer.send(caller.request('ACK'));
    const bye = await peer.request('BYE');
    expect(bye.first('reason')).toBe('Q.850;cause=16;text="Normal call clearing"');
    expect(bye.toTag).toBe(caller.fromTag);
    expect(bye.fromTag).toBe(caller.toTag);
    peer.send(answerTo(bye, 200));
    await until(() => endpoint.calls[0]!.events.includes('closed normal'));
  });

  it('makes the offer when the INVITE has none and hands on the answer of the ACK', async () => {
    endpoint.onCall = ({ dialog }) => {
      expect(dialog.invite.offer).toBeNull();
      dialog.answer(ANSWER);
    };
    peer.send(await authenticated([], ''));
    caller.establish(await peer.response(200));
    peer.send(caller.request('ACK', { body: OFFER }));
    await until(() => endpoint.calls[0]!.events.includes('ack+sdp'));
    endpoint.calls[0]!.dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
  });

  it('answers re-INVITE and UPDATE with the new SDP', async () => {
    await connected();
    caller.cseq += 1;
    peer.send(caller.request('INVITE', { body: OFFER }));
    const ok = await peer.response(200, 'INVITE');
    expect(ok.body.toString()).toBe(ANSWER);
    expect(ok.lines('contact')).toHaveLength(1);
    peer.send(caller.request('ACK'));
    caller.cseq += 1;
    peer.send(caller.request('UPDATE', { body: OFFER }));
    const updated = await peer.response(200, 'UPDATE');
    expect(updated.body.toString()).toBe(ANSWER);
    caller.cseq += 1;
    peer.send(caller.request('UPDATE'));
    const refreshed = await peer.response(200, 'UPDATE');
    expect(refreshed.body).toHaveLength(0);
    expect(endpoint.calls[0]!.events).toEqual(['ack', 'reoffer+sdp', 'ack', 'reoffer+sdp']);
    endpoint.calls[0]!.dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
  });

  it('refuses an offer that the call layer refuses, and goes on', async () => {
    await connected();
    const { dialog, events } = endpoint.calls[0]!;
    dialog.delegate = { ...dialog.delegate, onReoffer: () => ({ status: 488 }) };
    caller.cseq += 1;
    const branch = caller.branch();
    peer.send(caller.request('INVITE', { body: OFFER, branch }));
    await peer.response(488, 'INVITE');
    peer.send(caller.request('ACK', { branch }));
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
    expect(events).toContain('bye');
  });

  it('reads digits of INFO and refuses other bodies of INFO', async () => {
    await connected();
    for (const [type, body] of [
      ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'],
      ['application/dtmf', '#'],
    ] as const) {
      caller.cseq += 1;
      const info = caller.request('INFO', { body }).replace('application/sdp', type);
      peer.send(info);
      await peer.response(200, 'INFO');
    }
    caller.cseq += 1;
    peer.send(caller.request('INFO', { body: 'x' }).replace('application/sdp', 'text/plain'));
    await peer.response(415, 'INFO');
    expect(endpoint.calls[0]!.events).toEqual(['ack', 'dtmf 5', 'dtmf #']);
    endpoint.calls[0]!.dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
  });

  it('answers in-dialog requests of unknown dialogs with 481, an out-of-order CSeq with 500, PUBLISH with 405', async () => {
    caller.toTag = 'unknown';
    for (const method of ['BYE', 'INFO', 'UPDATE', 'INVITE', 'OPTIONS']) {
      peer.send(caller.request(method));
      await peer.response(481, method);
    }
    caller.toTag = '';
    await connected();
    peer.send(caller.request('INFO', { cseq: 1 }));
    await peer.response(500, 'INFO');
    caller.cseq += 1;
    peer.send(caller.request('PUBLISH'));
    const refused = await peer.response(405, 'PUBLISH');
    expect(refused.first('allow')).toContain('INVITE');
    caller.cseq += 1;
    peer.send(caller.request('OPTIONS'));
    await peer.response(200, 'OPTIONS');
    endpoint.calls[0]!.dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
  });

  it('answers the same INVITE on another branch with 482', async () => {
    peer.send(await authenticated());
    await peer.response(100);
    peer.send(caller.request('INVITE', { body: OFFER }));
    await peer.response(482);
    endpoint.calls[0]!.dialog.reject(480);
    peer.send(caller.ackRefusal(await peer.response(480)));
  });

  it('answers a BYE that crosses ours, and its repetitions', async () => {
    await connected();
    endpoint.calls[0]!.dialog.bye();
    const ours = await peer.request('BYE');
    caller.cseq += 1;
    const theirs = caller.request('BYE');
    peer.send(theirs);
    await peer.response(200, 'BYE');
    peer.send(theirs);
    await peer.response(200, 'BYE');
    peer.send(answerTo(ours, 200));
    expect(endpoint.calls[0]!.events.slice(-2)).toEqual(['bye', 'closed normal']);
  });

  describe.each([
    ['Contact', (invite: string, at: string) => invite.replace(/Contact: .*/, `Contact: <sip:caller@${at}>`)],
    [
      'Record-Route',
      (invite: string, at: string) => invite.replace('Contact:', `Record-Route: <sip:${at};lr>\r\nContact:`),
    ],
  ])('whose %s names another private address', (_, naming) => {
    let other: Socket;
    let heard: string[];

    beforeEach(async () => {
      heard = [];
      other = createSocket('udp4', (bytes) => heard.push(bytes.toString('latin1')));
      await new Promise<void>((resolve) => other.bind(0, '127.0.0.9', resolve));
    });

    afterEach(() => other.close());

    async function hungUp(): Promise<void> {
      endpoint.onCall = ({ dialog }) => {
        dialog.ring(() => ANSWER);
        dialog.answer(ANSWER);
      };
      peer.send(naming(await authenticated(), `127.0.0.9:${other.address().port}`));
      caller.establish(await peer.response(200));
      peer.send(caller.request('ACK'));
      await until(() => endpoint.calls[0]!.events.includes('ack'));
      endpoint.calls[0]!.dialog.bye();
    }

    it('has its requests sent there', async () => {
      await hungUp();
      await until(() => heard.some((message) => message.startsWith('BYE ')));
      endpoint.calls[0]!.dialog.dispose();
    });

    it('has them sent to where it was heard from where such addresses are not allowed', async () => {
      await endpoint.server.close();
      endpoint = await TestEndpoint.start({ allowPrivateTargets: false });
      peer = await SipPeer[transport](endpoint.port);
      caller = new Caller(peer, endpoint.port);
      await hungUp();
      peer.send(answerTo(await peer.request('BYE'), 200));
      await until(() => endpoint.calls[0]!.events.includes('closed normal'));
      expect(heard).toEqual([]);
    });
  });

  it('answers a CANCEL that comes after the 200 of a re-INVITE with 200, to no effect', async () => {
    await connected();
    caller.cseq += 1;
    const branch = caller.branch();
    peer.send(caller.request('INVITE', { branch, body: OFFER }));
    await peer.response(200, 'INVITE');
    peer.send(caller.request('CANCEL', { branch }));
    await peer.response(200, 'CANCEL');
    peer.send(caller.request('ACK'));
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
    expect(endpoint.calls[0]!.events).not.toContain('cancel');
  });

  it('refuses OPTIONS and INVITE with 503 while unavailable or draining, and goes on with its calls', async () => {
    peer.send(caller.request('OPTIONS'));
    await peer.response(200, 'OPTIONS');
    await connected();
    endpoint.server.drain();
    const other = new Caller(peer, endpoint.port);
    peer.send(other.request('OPTIONS'));
    const options = await peer.response(503, 'OPTIONS');
    expect(options.first('retry-after')).toBe('3');
    peer.send(other.invite());
    await peer.response(503, 'INVITE');
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
    expect(endpoint.rejected.unavailable).toBe(2);
  });

  it('a failing handler of one call ends neither the process nor another call', async () => {
    await connected();
    const { dialog } = endpoint.calls[0]!;
    dialog.delegate = {
      ...dialog.delegate,
      onDtmf: () => {
        throw new Error('handler');
      },
    };
    caller.cseq += 1;
    peer.send(caller.request('INFO', { body: '1' }).replace('application/sdp', 'application/dtmf'));
    await peer.response(200, 'INFO');
    expect(endpoint.errors.splice(0)).toHaveLength(1);
    endpoint.onCall = () => {
      throw new Error('handler');
    };
    const first = caller;
    caller = new Caller(peer, endpoint.port);
    peer.send(await authenticated());
    peer.send(caller.ackRefusal(await peer.response(500)));
    expect(endpoint.errors.splice(0)).toHaveLength(1);
    first.cseq += 1;
    peer.send(first.request('BYE'));
    await peer.response(200, 'BYE');
  });
});
