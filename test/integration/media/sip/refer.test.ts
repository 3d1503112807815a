import { answerTo, Caller, OFFER } from '../../../fakes/media/sip/caller';
import { Callee } from '../../../fakes/media/sip/callee';
import { OutboundBench } from '../../../fakes/media/sip/outbound-bench';
import { seenCredentials } from '../../../fakes/media/sip/seen-credentials';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { OutboundDialog } from '../../../../media/sip/dialog';
import type { IncomingRefer } from '../../../../media/sip/refer/received-refer';
import type { ReferOutcome, ReferRequest } from '../../../../media/sip/refer/sent-refer';

const CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"';

describe('a REFER of ours', () => {
  let bench: OutboundBench;
  let dialog: OutboundDialog;
  let callee: Callee;
  let progress: number[];

  beforeEach(async () => {
    bench = await OutboundBench.open();
    progress = [];
    dialog = await bench.dial();
    callee = new Callee(bench.carrier, await bench.carrier.request('INVITE'));
  });

  afterEach(() => bench.close());

  async function established(headers: readonly string[] = ['Allow: INVITE, ACK, BYE, REFER', 'k: Replaces, timer']) {
    callee.accept(headers);
    await bench.carrier.request('ACK');
  }

  function refer(request: Partial<ReferRequest> = {}): Promise<ReferOutcome> {
    const to = { referTo: 'sip:+15550002222@carrier.example;user=phone', referredBy: null, headers: [] };
    return dialog.refer({ ...to, ...request }, (status) => progress.push(status));
  }

  async function hangUp(): Promise<void> {
    dialog.bye();
    callee.answer(await bench.carrier.request('BYE'), 200);
    await until(() => bench.events.includes('closed normal'));
  }

  it('is sent in the dialog, and told to its end', async () => {
    await established();
    const { callId, fromTag } = callee.invite;
    expect(dialog.replacesAtPeer).toEqual({ sipCallId: callId, toTag: 'callee', fromTag, earlyOnly: false });
    const outcome = refer({
      referredBy: 'sip:agent@trunkline.example',
      headers: [['X-OPENCX-SESSION-ID', 's 1\r\nEvil: 1']],
    });
    const request = await bench.carrier.request('REFER');
    expect(request.lines('refer-to')).toEqual([
      '<sip:+15550002222@carrier.example;user=phone?X-OPENCX-SESSION-ID=s%201%20Evil%3A%201>',
    ]);
    expect(request.lines('referred-by')).toEqual(['<sip:agent@trunkline.example>']);
    expect(request.lines('x-opencx-session-id')).toEqual(['s 1 Evil: 1']);
    expect(request.headers.has('evil')).toBe(false);
    expect([request.callId, request.toTag, request.list('contact').length]).toEqual([
      callee.invite.callId,
      'callee',
      1,
    ]);
    callee.answer(request, 202);
    callee.notify('SIP/2.0 100 Trying');
    await bench.carrier.response(200, 'NOTIFY');
    callee.notify('SIP/2.0 180 Ringing\r\n', 'active', `refer;id=${request.cseq?.number}`);
    await bench.carrier.response(200, 'NOTIFY');
    callee.notify('SIP/2.0 200 OK\r\n', 'terminated;reason=noresource');
    await bench.carrier.response(200, 'NOTIFY');
    expect([await outcome, progress]).toEqual([{ kind: 'accepted', final: { status: 200, reason: 'OK' } }, [100, 180]]);
    callee.notify('SIP/2.0 200 OK');
    await bench.carrier.response(481, 'NOTIFY');
    callee.notify('Messages-Waiting: no', 'active', 'message-summary');
    expect((await bench.carrier.response(489, 'NOTIFY')).lines('allow-events')).toEqual(['refer']);
    await hangUp();
    expect(dialog.replacesAtPeer).toBeNull();
  });

  it('answers a challenge, and takes the NOTIFY that overtakes the 202', async () => {
    await established();
    const outcome = refer();
    const first = await bench.carrier.request('REFER');
    callee.answer(first, 401, [CHALLENGE]);
    const second = await bench.carrier.request('REFER');
    expect(seenCredentials(second)).toMatchObject([{ realm: 'carrier', right: true }]);
    expect(second.first('refer-to')).toBe(first.first('refer-to'));
    callee.notify('SIP/2.0 603 Decline', 'terminated', `refer;id=${second.cseq?.number}`);
    await bench.carrier.response(200, 'NOTIFY');
    callee.answer(second, 202);
    expect(await outcome).toEqual({ kind: 'accepted', final: { status: 603, reason: 'Decline' } });
    await hangUp();
  });

  it.each([403, 405, 501, 603])('is refused with %d', async (status) => {
    await established();
    const outcome = refer();
    callee.answer(await bench.carrier.request('REFER'), status);
    expect(await outcome).toEqual({ kind: 'refused', status, reason: 'Test' });
    await hangUp();
  });

  it('ends with the BYE of a peer that has accepted it', async () => {
    await established();
    const outcome = refer();
    callee.answer(await bench.carrier.request('REFER'), 202);
    callee.notify('SIP/2.0 100 Trying');
    await bench.carrier.response(200, 'NOTIFY');
    callee.send('BYE');
    await bench.carrier.response(200, 'BYE');
    expect(await outcome).toEqual({ kind: 'bye' });
  });

  it('is nothing while the call rings, and after it', async () => {
    expect([await refer(), dialog.replacesAtPeer]).toEqual([{ kind: 'dialog_over' }, null]);
    await established();
    const outcome = refer();
    await bench.carrier.request('REFER');
    await hangUp();
    expect([await outcome, await refer()]).toEqual([{ kind: 'dialog_over' }, { kind: 'dialog_over' }]);
  });

  it('is worth trying where the latest Allow has it', async () => {
    await established();
    expect([dialog.peerAllows('REFER'), dialog.peerSupports('replaces')]).toEqual([true, true]);
    callee.send('UPDATE', [
      `Contact: <sip:callee@127.0.0.1:${bench.carrier.port}>`,
      'Allow: INVITE, ACK',
      'Supported:',
    ]);
    await bench.carrier.response(200, 'UPDATE');
    expect([dialog.peerAllows('REFER'), dialog.peerAllows('ACK'), dialog.peerSupports('replaces')]).toEqual([
      false,
      true,
      false,
    ]);
    await hangUp();
  });
});

describe('a REFER of the peer', () => {
  let endpoint: TestEndpoint;
  let peer: SipPeer;
  let caller: Caller;
  let refers: IncomingRefer[];

  beforeEach(async () => {
    endpoint = await TestEndpoint.start({ authentication: 'none' });
    peer = await SipPeer.udp(endpoint.port);
    caller = new Caller(peer, endpoint.port);
    refers = [];
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect([endpoint.errors, endpoint.server.dialogCount]).toEqual([[], 0]);
  });

  /** @param takes whether whoever has the call takes a REFER, and gives the Allow of the 200 */
  async function established(takes = true): Promise<readonly string[]> {
    endpoint.onCall = ({ dialog, events, ladder }) => {
      const delegate = recordingDelegate(events, ladder);
      dialog.delegate = takes ? { ...delegate, onRefer: (refer) => refers.push(refer) } : delegate;
      dialog.answer(ANSWER);
    };
    peer.send(caller.invite({ headers: ['Allow: INVITE, REFER'] }));
    const ok = await peer.response(200);
    caller.establish(ok);
    peer.send(caller.request('ACK'));
    await until(() => endpoint.calls[0]!.events.includes('ack'));
    return ok.list('allow');
  }

  function refer(headers: readonly string[] = ['Refer-To: <sip:carol@127.0.0.1>']): number {
    caller.cseq += 1;
    peer.send(caller.request('REFER', { headers }));
    return caller.cseq;
  }

  async function notified(): Promise<(string | undefined)[]> {
    const notify = await peer.request('NOTIFY');
    peer.send(answerTo(notify, 200));
    return [
      notify.first('event'),
      notify.first('subscription-state'),
      notify.first('content-type'),
      notify.body.toString(),
    ];
  }

  it('is taken, and told to its end; then its peer hangs up', async () => {
    expect(await established()).toEqual(expect.arrayContaining(['REFER', 'NOTIFY']));
    expect(endpoint.calls[0]!.dialog.peerAllows('REFER')).toBe(true);
    const { callId: sipCallId, toTag, fromTag } = caller;
    // At the caller its own tag is the To-tag.
    const replaces = { sipCallId, toTag: fromTag, fromTag: toTag, earlyOnly: false };
    expect(endpoint.calls[0]!.dialog.replacesAtPeer).toEqual(replaces);
    const id = refer([
      'Refer-To: <sip:carol@127.0.0.1;method=INVITE?X-A=1&From=x>',
      'Referred-By: <sip:caller@127.0.0.1>',
    ]);
    await until(() => refers.length === 1);
    expect(refers[0]).toMatchObject({
      referTo: { uri: 'sip:carol@127.0.0.1', method: 'INVITE', replaces: null, headers: [['x-a', '1']] },
      referredBy: 'sip:caller@127.0.0.1',
    });
    refers[0]!.accept();
    const accepted = await peer.response(202, 'REFER');
    expect(accepted.list('contact')).toHaveLength(1);
    const type = 'message/sipfrag;version=2.0';
    expect(await notified()).toEqual([`refer;id=${id}`, 'active;expires=180', type, 'SIP/2.0 100 Trying\r\n']);
    const heard = refers[0]!.notify(200);
    expect(await notified()).toEqual([`refer;id=${id}`, 'terminated;reason=noresource', type, 'SIP/2.0 200 OK\r\n']);
    await heard;
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
  });

  it('is told to be over before we hang up', async () => {
    await established();
    refer();
    await until(() => refers.length === 1);
    refers[0]!.accept();
    await notified();
    endpoint.calls[0]!.dialog.bye();
    expect((await notified())[1]).toBe('terminated;reason=noresource');
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => endpoint.calls[0]!.events.includes('closed normal'));
  });

  it('is told to be over when its peer hangs up before its end, and one without answer is refused', async () => {
    await established();
    refer();
    await until(() => refers.length === 1);
    refers[0]!.accept();
    await notified();
    refer();
    await until(() => refers.length === 2);
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
    await peer.response(487, 'REFER');
    expect((await notified())[1]).toBe('terminated;reason=noresource');
  });

  it('is declined where nobody takes it, malformed or outside of a dialog refused', async () => {
    expect(await established(false)).not.toContain('REFER');
    refer();
    await peer.response(603, 'REFER');
    refer([]);
    expect((await peer.response(400, 'REFER')).reason).toBe('Missing Refer-To Header Field');
    refer(['Refer-To: <sip:a@h>', 'Require: norefersub, multiple-refer']);
    expect((await peer.response(420, 'REFER')).lines('unsupported')).toEqual(['multiple-refer']);
    const stranger = new Caller(peer, endpoint.port);
    for (const method of ['REFER', 'NOTIFY']) {
      peer.send(stranger.request(method, { headers: ['Refer-To: <sip:a@h>', 'Event: refer'] }));
      expect((await peer.response(405, method)).first('allow')).not.toContain('REFER');
      stranger.cseq += 1;
    }
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
  });

  it('gets one answer however often it is sent', async () => {
    await established();
    caller.cseq += 1;
    const request = caller.request('REFER', { headers: ['Refer-To: <sip:carol@127.0.0.1>'] });
    peer.send(request);
    peer.send(request);
    await until(() => refers.length === 1);
    refers[0]!.refuse(480);
    await peer.response(480, 'REFER');
    peer.send(request);
    await peer.response(480, 'REFER');
    expect(refers).toHaveLength(1);
    endpoint.calls[0]!.dialog.bye();
    peer.send(answerTo(await peer.request('BYE'), 200));
    await until(() => endpoint.calls[0]!.events.includes('closed normal'));
  });

  it('can be taken in a call that we made', async () => {
    const carrier = await SipPeer.udp();
    const events: string[] = [];
    await endpoint.server.invite(
      {
        sipCallId: 'refer-out@trunkline',
        target: { user: '+1555', host: '127.0.0.1', port: carrier.port, transport: 'udp' },
        fromUser: '+1666',
        credentials: { username: 'bob', password: 'pw' },
        offer: () => OFFER,
      },
      { ...recordingDelegate(events), onRefer: (refer) => refer.accept() },
    );
    const callee = new Callee(carrier, await carrier.request('INVITE'));
    expect(callee.invite.list('allow')).toEqual(expect.arrayContaining(['REFER', 'NOTIFY']));
    callee.accept();
    await carrier.request('ACK');
    callee.send('REFER', ['Refer-To: <sip:carol@127.0.0.1>']);
    await carrier.response(202, 'REFER');
    callee.answer(await carrier.request('NOTIFY'), 481);
    callee.send('BYE');
    await carrier.response(200, 'BYE');
  });
});
