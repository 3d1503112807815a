import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { SipLadderEntry } from '../../../../contract/events';
import type { OutboundDialog } from '../../../../media/sip/dialog';
import { InviteNotSentError } from '../../../../media/sip/invite';
import type { OutboundInvite } from '../../../../media/sip/invite';
import type { SipRequest } from '../../../../media/sip/message/message';
import { answerTo, OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

let endpoint: TestEndpoint;
let carrier: SipPeer;
let events: string[];
let ladder: SipLadderEntry[];
let callNumber = 0;

beforeEach(async () => {
  endpoint = await TestEndpoint.start();
  carrier = await SipPeer.udp();
  events = [];
  ladder = [];
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
  expect(endpoint.server.dialogCount).toBe(0);
});

function options(changes: Partial<OutboundInvite> = {}): OutboundInvite {
  callNumber += 1;
  return {
    sipCallId: `out-${callNumber}@trunkline`,
    target: { user: '+15557654321', host: '127.0.0.1', port: carrier.port, transport: 'udp' },
    fromUser: '+15550001111',
    fromDisplayName: 'Acme "Sales"',
    credentials: { username: 'bob', password: 'pw' },
    headers: [['X-OPENCX-SESSION-ID', 'session-1']],
    offer: (localAddress) => OFFER.replaceAll('127.0.0.1', localAddress),
    ...changes,
  };
}

function dial(changes: Partial<OutboundInvite> = {}): Promise<OutboundDialog> {
  return endpoint.server.invite(options(changes), recordingDelegate(events, ladder));
}

function contact(): string {
  return `Contact: <sip:callee@127.0.0.1:${carrier.port}>`;
}

const challenge = 'WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"';

function accept(invite: SipRequest, toTag = 'callee'): void {
  carrier.send(answerTo(invite, 200, { toTag, headers: [contact()], body: ANSWER }));
}

describe('outbound call', () => {
  it('sends an INVITE with offer and headers, hears early media and the answer, and hangs up', async () => {
    const dialog = await dial();
    const invite = await carrier.request('INVITE');
    expect(invite.requestUri).toBe(`sip:+15557654321@127.0.0.1:${carrier.port}`);
    expect(invite.first('from')).toContain('"Acme \\"Sales\\"" <sip:+15550001111@127.0.0.1>');
    expect(invite.first('x-opencx-session-id')).toBe('session-1');
    expect(invite.first('contact')).toBe(`<sip:+15550001111@127.0.0.1:${endpoint.port}>`);
    expect(invite.first('max-forwards')).toBe('70');
    expect(invite.body.toString()).toBe(OFFER);
    expect(invite.optionTags('supported')).toEqual(['100rel', 'timer']);
    expect([invite.first('session-expires'), invite.first('min-se')]).toEqual(['1800', '90']);
    expect(invite.topVia).toMatchObject({ transport: 'UDP', host: '127.0.0.1', port: endpoint.port });
    carrier.send(answerTo(invite, 100));
    // Without Contact, as many gateways send it.
    carrier.send(answerTo(invite, 180, { toTag: 'callee' }));
    carrier.send(answerTo(invite, 183, { toTag: 'callee', headers: [contact()], body: ANSWER }));
    accept(invite);
    const ack = await carrier.request('ACK');
    expect(ack.requestUri).toBe(`sip:callee@127.0.0.1:${carrier.port}`);
    expect(ack.headers.has('supported')).toBe(false);
    expect(ack.topVia?.params.get('branch')).not.toBe(invite.topVia?.params.get('branch'));
    expect(events).toEqual(['progress 180', 'progress 183', 'accept+sdp']);
    dialog.bye({ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' });
    dialog.bye();
    const bye = await carrier.request('BYE');
    expect(bye.cseq?.number).toBe(2);
    carrier.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(ladder.filter(({ direction }) => direction === 'out').map(({ method }) => method)).toEqual([
      'INVITE',
      'ACK',
      'BYE',
    ]);
  });

  it('answers a challenge once and says so in no ladder', async () => {
    await dial();
    const first = await carrier.request('INVITE');
    carrier.send(answerTo(first, 401, { toTag: 'x', headers: [challenge] }));
    await carrier.request('ACK');
    const second = await carrier.request('INVITE');
    expect(second.callId).toBe(first.callId);
    expect(second.fromTag).toBe(first.fromTag);
    expect(second.toTag).toBe('');
    expect(second.cseq?.number).toBe(2);
    expect(second.topVia?.params.get('branch')).not.toBe(first.topVia?.params.get('branch'));
    expect(second.first('authorization')).toContain('username="bob"');
    carrier.send(answerTo(second, 401, { toTag: 'x', headers: [challenge.replace('n1', 'n2')] }));
    await until(() => events.length === 2);
    expect(events[0]).toContain('"status":401');
    expect(events[1]).toBe('closed normal');
    expect(JSON.stringify(ladder)).not.toMatch(/Digest|nonce|bob/);
  });

  it('answers a challenged BYE with the next CSeq', async () => {
    const dialog = await dial();
    accept(await carrier.request('INVITE'));
    await carrier.request('ACK');
    dialog.bye();
    const first = await carrier.request('BYE');
    carrier.send(answerTo(first, 407, { headers: [challenge.replace('WWW-Authenticate', 'Proxy-Authenticate')] }));
    const second = await carrier.request('BYE');
    expect(second.cseq?.number).toBe((first.cseq?.number ?? 0) + 1);
    expect(second.first('proxy-authorization')).toContain('uri="sip:callee@127.0.0.1');
    carrier.send(answerTo(second, 200));
    await until(() => events.includes('closed normal'));
  });

  it.each([
    [486, ['Reason: Q.850;cause=17;text="User busy"'], { status: 486, q850: 17, provisional: 180 }],
    [603, [], { status: 603, q850: null, provisional: 180 }],
    [503, ['Retry-After: 30 (busy)'], { status: 503, retryAfterSeconds: 30 }],
    [302, ['Contact: <sip:elsewhere@192.0.2.1>'], { status: 302 }],
  ] as const)('tells of a %d with its cause', async (status, headers, expected) => {
    await dial();
    const invite = await carrier.request('INVITE');
    carrier.send(answerTo(invite, 180, { toTag: 'callee' }));
    carrier.send(answerTo(invite, status, { toTag: 'callee', headers, reason: 'Why' }));
    await carrier.request('ACK');
    await until(() => events.includes('closed normal'));
    const outcome: unknown = JSON.parse(events.find((event) => event.startsWith('reject'))!.slice(7));
    expect(outcome).toMatchObject({ kind: 'status', reason: 'Why', ...expected });
  });

  it('sends CANCEL after the first provisional only, on the branch of the INVITE, with its Reason', async () => {
    const dialog = await dial();
    const invite = await carrier.request('INVITE');
    dialog.cancel({ protocol: 'SIP', cause: 487, text: 'Ring timeout' });
    expect(await carrier.take((m) => 'method' in m && m.method === 'CANCEL', 60)).toBeUndefined();
    carrier.send(answerTo(invite, 180, { toTag: 'callee' }));
    const cancel = await carrier.request('CANCEL');
    expect(cancel.topVia?.params.get('branch')).toBe(invite.topVia?.params.get('branch'));
    expect(cancel.first('reason')).toBe('SIP;cause=487;text="Ring timeout"');
    expect(cancel.first('from')).toBe(invite.first('from'));
    carrier.send(answerTo(cancel, 200));
    carrier.send(answerTo(invite, 487, { toTag: 'callee' }));
    await carrier.request('ACK');
    await until(() => events.includes('closed normal'));
    expect(events.at(-2)).toContain('"status":487');
  });

  it('acknowledges and hangs up a 200 that crosses the CANCEL', async () => {
    const dialog = await dial();
    const invite = await carrier.request('INVITE');
    carrier.send(answerTo(invite, 180, { toTag: 'callee' }));
    await until(() => events.includes('progress 180'));
    dialog.cancel();
    accept(invite);
    await carrier.request('ACK');
    const bye = await carrier.request('BYE');
    carrier.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(events.filter((event) => event.startsWith('accept'))).toEqual([]);
    const [told] = events.filter((event) => event.startsWith('reject'));
    // What the carrier said is a 200, whatever became of it.
    expect(JSON.parse(told!.slice(7))).toMatchObject({ kind: 'status', status: 200, reason: 'Test' });
  });

  it.each([
    [487, true, 'udp'],
    [486, false, 'udp'],
    [487, true, 'tcp'],
    [486, false, 'tcp'],
  ] as const)(
    'acknowledges and hangs up a 200 that comes after a %d (cancelled: %s) over %s',
    async (status, cancelled, transport) => {
      if (transport === 'tcp') carrier = await SipPeer.tcpServer();
      const contacts = { headers: [`Contact: <sip:callee@127.0.0.1:${carrier.port};transport=${transport}>`] };
      const target = { user: '+15557654321', host: '127.0.0.1', port: carrier.port, transport };
      const dialog = await dial({ target });
      const invite = await carrier.request('INVITE');
      carrier.send(answerTo(invite, 180, { toTag: 'callee', ...contacts }));
      await until(() => events.includes('progress 180'));
      if (cancelled) {
        dialog.cancel();
        carrier.send(answerTo(await carrier.request('CANCEL'), 200));
      }
      carrier.send(answerTo(invite, status, { toTag: 'callee' }));
      await carrier.request('ACK');
      await until(() => events.includes('closed normal'));
      const late = answerTo(invite, 200, { toTag: 'other', ...contacts, body: ANSWER });
      carrier.send(late);
      const ack = await carrier.request('ACK');
      expect(ack.toTag).toBe('other');
      const bye = await carrier.request('BYE');
      expect(bye.toTag).toBe('other');
      carrier.send(answerTo(bye, 200));
      // Its repetition finds the same ACK, and nothing of it reaches the call.
      carrier.send(late);
      expect((await carrier.request('ACK')).toTag).toBe('other');
      expect(events.filter((event) => event.startsWith('accept') || event.startsWith('reject'))).toHaveLength(1);
    },
  );

  it('a handler that fails at the crossed 200 does not keep the BYE', async () => {
    const dialog = await endpoint.server.invite(options(), {
      ...recordingDelegate(events),
      onReject: () => {
        throw new Error('handler');
      },
    });
    const invite = await carrier.request('INVITE');
    carrier.send(answerTo(invite, 180, { toTag: 'callee' }));
    await until(() => events.includes('progress 180'));
    dialog.cancel();
    accept(invite);
    carrier.send(answerTo(await carrier.request('BYE'), 200));
    expect(endpoint.errors.splice(0)).toHaveLength(1);
    expect(endpoint.rejected.internal_error).toBeUndefined();
  });

  it('acknowledges a repeated challenge where its INVITE went, whatever the name means by now', async () => {
    await endpoint.server.close();
    const other = await SipPeer.udp();
    const ports = [carrier.port, other.port];
    endpoint = await TestEndpoint.start({
      resolve: () => Promise.resolve([{ address: '127.0.0.1', port: ports.shift() ?? other.port, transport: 'udp' }]),
    });
    const target = { user: 'x', host: 'carrier.test', port: null, transport: 'udp' } as const;
    await dial({ target });
    const first = await carrier.request('INVITE');
    carrier.send(answerTo(first, 401, { toTag: 'a', headers: [challenge] }));
    await carrier.request('ACK');
    const second = await carrier.request('INVITE');
    carrier.send(answerTo(first, 401, { toTag: 'a', headers: [challenge] }));
    await carrier.request('ACK');
    carrier.send(answerTo(second, 486, { toTag: 'b' }));
    await carrier.request('ACK');
    expect(other.received).toEqual([]);
  });

  it('acknowledges each fork and hangs up the losers', async () => {
    const dialog = await dial();
    const invite = await carrier.request('INVITE');
    accept(invite, 'winner');
    expect((await carrier.request('ACK')).toTag).toBe('winner');
    accept(invite, 'loser');
    expect((await carrier.request('ACK')).toTag).toBe('loser');
    const bye = await carrier.request('BYE');
    expect(bye.toTag).toBe('loser');
    carrier.send(answerTo(bye, 200));
    // A repeated 200 is acknowledged again, without a second event.
    accept(invite, 'winner');
    await carrier.request('ACK');
    expect(events).toEqual(['accept+sdp']);
    dialog.bye();
    carrier.send(answerTo(await carrier.request('BYE'), 200));
  });

  it('takes the callee’s re-INVITE, INFO and BYE', async () => {
    await dial();
    const invite = await carrier.request('INVITE');
    accept(invite);
    const ack = await carrier.request('ACK');
    const inDialog = (method: string, cseq: number, body = ''): string =>
      [
        `${method} sip:x@127.0.0.1:${endpoint.port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${carrier.port};rport;branch=z9hG4bKc${method}${cseq}`,
        `From: ${ack.first('to')}`,
        `To: ${ack.first('from')}`,
        `Call-ID: ${ack.callId}`,
        `CSeq: ${cseq} ${method}`,
        contact(),
        ...(body === '' ? [] : ['Content-Type: application/sdp']),
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n');
    carrier.send(inDialog('INVITE', 1, OFFER));
    const ok = await carrier.response(200, 'INVITE');
    expect(ok.body.toString()).toBe(ANSWER);
    carrier.send(inDialog('ACK', 1));
    carrier.send(inDialog('BYE', 2));
    await carrier.response(200, 'BYE');
    expect(events).toEqual(['accept+sdp', 'reoffer+sdp', 'ack', 'bye', 'closed normal']);
    // A repeated BYE is answered again from the transaction.
    carrier.send(inDialog('BYE', 2));
    await carrier.response(200, 'BYE');
  });

  it('learns from ICMP that nobody listens', async () => {
    const { port } = carrier;
    carrier.close();
    const started = Date.now();
    await dial();
    await until(() => events.length === 3);
    expect(events[0]).toBe(`unreachable 127.0.0.1:${port}/udp connection refused`);
    expect(JSON.parse(events[1]!.slice(7))).toEqual({ kind: 'unreachable', detail: 'connection refused' });
    expect(events[2]).toBe('closed transport_error');
    expect(Date.now() - started).toBeLessThan(2_000);
    carrier = await SipPeer.udp();
  });

  it('gives up after timer B when nothing is heard, and repeats the INVITE until then', async () => {
    await dial({ timerBMs: 1_700 });
    await until(() => events.length === 2, 3_000);
    expect(JSON.parse(events[0]!.slice(7))).toEqual({ kind: 'timeout', provisional: null });
    // At 0, 500 and 1500 ms.
    expect(carrier.received.filter((message) => 'method' in message && message.method === 'INVITE')).toHaveLength(3);
    expect(new Set(carrier.received.map((message) => message.topVia?.params.get('branch'))).size).toBe(1);
  });

  it('has heard somebody when a carrier challenges and says no more', async () => {
    await dial({ timerBMs: 700 });
    carrier.send(answerTo(await carrier.request('INVITE'), 401, { toTag: 'callee', headers: [challenge] }));
    await until(() => events.length === 2, 3_000);
    expect(JSON.parse(events[0]!.slice(7))).toEqual({ kind: 'timeout', provisional: 100 });
  });

  it('rejects with nothing sent when the name or the TCP port does not answer', async () => {
    const { port } = carrier;
    const failures = await Promise.allSettled([
      dial({ target: { user: '1', host: 'no-such-host.invalid', port, transport: 'udp' } }),
      dial({ target: { user: '1', host: '127.0.0.1', port: 1, transport: 'tcp' } }),
    ]);
    for (const failure of failures) {
      expect(failure).toMatchObject({ status: 'rejected', reason: expect.any(InviteNotSentError) as unknown });
    }
    expect(endpoint.server.dialogCount).toBe(0);
    expect(events).toEqual([
      'unreachable no-such-host.invalid no-such-host.invalid: no such host name',
      'unreachable 127.0.0.1:1/tcp connection refused',
    ]);
  });

  it('dials no private address where those are not allowed, whatever the name or spelling', async () => {
    const hosts = ['127.0.0.1', 'localhost'];
    const target = (host: string) => ({ user: '1', host, port: carrier.port, transport: 'udp' }) as const;
    for (const host of hosts) {
      (await dial({ target: target(host) })).dispose();
      await carrier.request('INVITE');
    }
    await endpoint.server.close();
    endpoint = await TestEndpoint.start({ allowPrivateTargets: false });
    const offer = jest.fn(() => OFFER);
    for (const host of hosts) {
      await expect(dial({ target: target(host), offer })).rejects.toMatchObject({
        name: 'InviteNotSentError',
        message: `${host} is at a private address only, which ALLOW_PRIVATE_TARGETS forbids`,
      });
    }
    // What other resolvers take for addresses are names here, and name servers know none of them.
    for (const host of ['127.1', '2130706433', '0x7f.1']) {
      await expect(dial({ target: target(host), offer })).rejects.toBeInstanceOf(InviteNotSentError);
    }
    expect(offer).not.toHaveBeenCalled();
    expect(await carrier.take(() => true, 50)).toBeUndefined();
  });

  it('sends nothing when the offer is refused, and says why', async () => {
    const stopped = new Error('stopped');
    let asked = 0;
    const offer = (): never => {
      asked += 1;
      throw stopped;
    };
    const target = { user: 'x', host: 'localhost', port: carrier.port, transport: 'udp' } as const;
    await expect(dial({ offer, target })).rejects.toBe(stopped);
    expect(asked).toBe(1);
    expect(carrier.received).toEqual([]);
    expect(endpoint.server.dialogCount).toBe(0);
  });

  it('asks for no offer while no address is reached', async () => {
    const offer = jest.fn(() => OFFER);
    const target = { user: 'x', host: '127.0.0.1', port: 1, transport: 'tcp' } as const;
    await expect(dial({ offer, target })).rejects.toBeInstanceOf(InviteNotSentError);
    expect(offer).not.toHaveBeenCalled();
  });

  it('tries the next address of the target when one is unreachable, with the same Call-ID', async () => {
    await endpoint.server.close();
    const dead = await SipPeer.udp();
    dead.close();
    endpoint = await TestEndpoint.start({
      resolve: () =>
        Promise.resolve([
          { address: '127.0.0.1', port: dead.port, transport: 'udp' },
          { address: '127.0.0.1', port: carrier.port, transport: 'udp' },
        ]),
    });
    const dialog = await dial();
    await until(() => events.includes(`unreachable 127.0.0.1:${dead.port}/udp connection refused`));
    accept(await carrier.request('INVITE'));
    expect((await carrier.request('ACK')).callId).toBe(dialog.sipCallId);
    dialog.bye();
    carrier.send(answerTo(await carrier.request('BYE'), 200));
    await until(() => events.includes('closed normal'));
  });

  it('sends a long INVITE by TCP, and by UDP when TCP is refused', async () => {
    const long = { headers: [['X-Long', 'x'.repeat(1_300)]] as const };
    const inviteByUdp = dial(long);
    const invite = await carrier.request('INVITE');
    expect(invite.topVia?.transport).toBe('UDP');
    (await inviteByUdp).dispose();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const heard = new Promise<string>((resolve) => {
      server.on('connection', (socket) => {
        socket.on('error', () => {});
        socket.once('data', (bytes) => resolve(bytes.toString()));
      });
    });
    const target = { user: '1', host: '127.0.0.1', port, transport: 'udp' } as const;
    const dialog = await dial({ ...long, target });
    expect(await heard).toMatch(/^INVITE .*\r\n(?:.*\r\n)*?Via: SIP\/2\.0\/TCP /);
    dialog.dispose();
    await endpoint.server.close();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  });
});
