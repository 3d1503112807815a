/** One call over several hosts of a carrier: which is tried when, and what is left of those that were. */
import type { OutboundDialog } from '../../../../media/sip/dialog';
import type { OutboundInvite, SipHost } from '../../../../media/sip/invite';
import type { SipRequest } from '../../../../media/sip/message/message';
import { answerTo, OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

let endpoint: TestEndpoint;
let first: SipPeer;
let second: SipPeer;
let events: string[];
/** Of each host: what it has said that counts for its next calls. */
let answers: string[];
let callNumber = 0;

beforeEach(async () => {
  endpoint = await TestEndpoint.start();
  first = await SipPeer.udp();
  second = await SipPeer.udp();
  events = [];
  answers = [];
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
});

const at = (port: number, more: Partial<SipHost> = {}): SipHost => ({
  host: '127.0.0.1',
  port,
  transport: 'udp',
  ...more,
});

function dial(changes: Partial<OutboundInvite> = {}): Promise<OutboundDialog> {
  callNumber += 1;
  return endpoint.server.invite(
    {
      sipCallId: `gateways-${callNumber}@trunkline`,
      target: { user: '+15557654321', host: 'carrier.example', port: null, transport: null },
      gateways: [at(first.port), at(second.port)],
      fromUser: '+15550001111',
      credentials: { username: 'bob', password: 'pw' },
      offer: () => OFFER,
      ...changes,
    },
    {
      ...recordingDelegate(events),
      onHostAnswer: ({ port }, { status, retryAfterSeconds }) =>
        void answers.push(`${port === first.port ? 'first' : 'second'} ${status} ${retryAfterSeconds}`),
    },
  );
}

const contact = (peer: SipPeer): string => `Contact: <sip:callee@127.0.0.1:${peer.port}>`;

function accept(peer: SipPeer, invite: SipRequest): void {
  peer.send(answerTo(invite, 200, { toTag: `callee-${peer.port}`, headers: [contact(peer)], body: ANSWER }));
}

describe('a first hop', () => {
  it('gets the INVITE for whatever host it names, and no other does', async () => {
    await dial({
      gateways: [],
      target: { user: '200', host: 'pbx.example', port: null, transport: null },
      nextHop: at(first.port),
    });
    const invite = await first.request('INVITE');
    expect(invite.requestUri).toBe('sip:200@pbx.example');
    first.send(answerTo(invite, 486));
    await until(() => events.length > 0);
  });
});

describe('the hosts of a carrier', () => {
  it.each([500, 502, 503])('are tried one after the other when one answers %d', async (status) => {
    const dialog = await dial();
    const refused = await first.request('INVITE');
    expect(refused.requestUri).toBe(`sip:+15557654321@127.0.0.1:${first.port}`);
    first.send(answerTo(refused, 100));
    first.send(answerTo(refused, status, { toTag: 'no', headers: ['Retry-After: 30'] }));
    expect((await first.request('ACK')).topVia?.params.get('branch')).toBe(refused.topVia?.params.get('branch'));
    const invite = await second.request('INVITE');
    expect(invite.requestUri).toBe(`sip:+15557654321@127.0.0.1:${second.port}`);
    expect([invite.callId, invite.fromTag, invite.first('from')]).toEqual([
      refused.callId,
      refused.fromTag,
      refused.first('from'),
    ]);
    expect(invite.first('from')).toContain('@carrier.example>');
    expect([refused, invite].map(({ cseq }) => cseq?.number)).toEqual([1, 2]);
    // Its ACK was lost: it gets another, and the call goes on where it is.
    first.send(answerTo(refused, status, { toTag: 'no' }));
    await first.request('ACK');
    accept(second, invite);
    await second.request('ACK');
    expect(events).toEqual([`unreachable 127.0.0.1:${first.port}/udp answered ${status}`, 'accept+sdp']);
    expect(dialog.peer?.port).toBe(second.port);
    dialog.bye();
    const bye = await second.request('BYE');
    second.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(first.received).toEqual([]);
  });

  it('are tried when it is the turn of a further INVITE, which one with credentials does not wait for', async () => {
    let turn: (mayLeave: boolean) => void = () => undefined;
    let asked = 0;
    const beforeFailover = (): Promise<boolean> => {
      asked++;
      return new Promise((resolve) => (turn = resolve));
    };
    await dial({ beforeFailover });
    const challenged = await first.request('INVITE');
    const challenge = ['Proxy-Authenticate: Digest realm="carrier", nonce="n1"'];
    first.send(answerTo(challenged, 407, { toTag: 'who', headers: challenge }));
    await first.request('ACK');
    const refused = await first.request('INVITE');
    expect(asked).toBe(0);
    first.send(answerTo(refused, 503, { toTag: 'no' }));
    await until(() => asked === 1);
    expect(second.received).toEqual([]);
    turn(true);
    accept(second, await second.request('INVITE'));
    await until(() => events.includes('accept+sdp'));
    expect(asked).toBe(1);
  });

  it('are each known by their own answer, the last of which is that of the call', async () => {
    await dial();
    first.send(answerTo(await first.request('INVITE'), 503, { toTag: 'no', headers: ['Retry-After: 30'] }));
    const invite = await second.request('INVITE');
    second.send(answerTo(invite, 503, { toTag: 'no' }));
    await until(() => events.some((event) => event.startsWith('reject')));
    expect(answers).toEqual(['first 503 30', 'second 503 null']);
    await dial();
    const rings = await first.request('INVITE');
    first.send(answerTo(rings, 180, { toTag: 'yes', headers: [contact(first)] }));
    accept(first, rings);
    await until(() => answers.length === 4);
    expect(answers.slice(2)).toEqual(['first 180 null', 'first 200 null']);
  });

  it('are not tried where there is no turn: the refusal is the answer', async () => {
    await dial({ beforeFailover: () => Promise.resolve(false) });
    first.send(answerTo(await first.request('INVITE'), 503, { toTag: 'no' }));
    await until(() => events.some((event) => event.startsWith('reject')));
    expect(events.find((event) => event.startsWith('reject'))).toContain('503');
    expect(second.received).toEqual([]);
  });

  it.each([
    [408, 'a time-out'],
    [480, 'nobody'],
    [486, 'a busy callee'],
    [403, 'a refusal'],
    [600, 'busy everywhere'],
  ])('are no other callee: a %d of the first is the answer (%s)', async (status) => {
    await dial();
    first.send(answerTo(await first.request('INVITE'), status, { toTag: 'no' }));
    await until(() => events.includes('closed normal'));
    expect(events[0]).toContain(`"status":${status}`);
    expect(second.received).toEqual([]);
  });

  it('are not tried once a phone has rung', async () => {
    await dial();
    const invite = await first.request('INVITE');
    first.send(answerTo(invite, 180, { toTag: 'no', headers: [contact(first)] }));
    first.send(answerTo(invite, 503, { toTag: 'no' }));
    await until(() => events.includes('closed normal'));
    expect(events[1]).toContain('"status":503');
    expect(second.received).toEqual([]);
  });

  it('are tried when one is not there: no name, no connection, nobody at the port', async () => {
    const gone = await SipPeer.udp();
    const { port } = gone;
    gone.close();
    const nobody = [at(5060, { host: 'no-such-host.invalid' }), at(1, { transport: 'tcp' }), at(port)];
    await dial({ gateways: [...nobody, at(second.port)] });
    const invite = await second.request('INVITE');
    expect(invite.topVia?.transport).toBe('UDP');
    accept(second, invite);
    await second.request('ACK');
    expect(events.map((event) => event.replace(/^unreachable (\S+) .*/, '$1'))).toEqual([
      'no-such-host.invalid',
      '127.0.0.1:1/tcp',
      `127.0.0.1:${port}/udp`,
      'accept+sdp',
    ]);
  });

  it('get credentials each on its own challenge', async () => {
    const challenge = (nonce: string): string =>
      `WWW-Authenticate: Digest realm="carrier", nonce="${nonce}", qop="auth"`;
    await dial();
    first.send(answerTo(await first.request('INVITE'), 401, { toTag: 'no', headers: [challenge('n1')] }));
    await first.request('ACK');
    const known = await first.request('INVITE');
    expect(known.first('authorization')).toContain('nonce="n1"');
    first.send(answerTo(known, 503, { toTag: 'no' }));
    const fresh = await second.request('INVITE');
    second.send(answerTo(fresh, 401, { toTag: 'no', headers: [challenge('n2')] }));
    await second.request('ACK');
    const again = await second.request('INVITE');
    expect(again.first('authorization')).toContain('nonce="n2"');
    expect([fresh, again].map(({ cseq }) => cseq?.number)).toEqual([3, 4]);
    accept(second, again);
    await second.request('ACK');
    expect(events.at(-1)).toBe('accept+sdp');
  });

  it('end the call with what the last one that answered has said', async () => {
    const gone = await SipPeer.udp();
    gone.close();
    await dial({ gateways: [at(first.port), at(gone.port)] });
    first.send(answerTo(await first.request('INVITE'), 503, { toTag: 'no', reason: 'Full' }));
    await until(() => events.some((event) => event.startsWith('reject')));
    expect(JSON.parse(events.at(-2)!.slice(7))).toMatchObject({ kind: 'status', status: 503, reason: 'Full' });
  });

  it('are tried when one says nothing, and who answers late rings nobody', async () => {
    await dial({ timerBMs: 400 });
    const unheard = await first.request('INVITE');
    const invite = await second.request('INVITE');
    expect(events).toEqual([`unreachable 127.0.0.1:${first.port}/udp no answer within 0.4 s`]);
    first.send(answerTo(unheard, 180, { toTag: 'late', headers: [contact(first)] }));
    const cancel = await first.request('CANCEL');
    expect(cancel.topVia?.params.get('branch')).toBe(unheard.topVia?.params.get('branch'));
    first.send(answerTo(cancel, 200));
    first.send(answerTo(unheard, 487, { toTag: 'late' }));
    await first.request('ACK');
    accept(second, invite);
    await second.request('ACK');
    expect(events.at(-1)).toBe('accept+sdp');
    expect(events.filter((event) => event.startsWith('progress'))).toEqual([]);
  });

  it('who takes the call up late is thanked and hung up on', async () => {
    await dial({ timerBMs: 400 });
    const unheard = await first.request('INVITE');
    accept(second, await second.request('INVITE'));
    await second.request('ACK');
    accept(first, unheard);
    await first.request('ACK');
    await first.request('BYE');
    expect(events.filter((event) => event.startsWith('accept'))).toHaveLength(1);
  });

  it('get no call any more that was given up on the way to the next', async () => {
    const dialog = await dial();
    const refused = await first.request('INVITE');
    dialog.cancel();
    first.send(answerTo(refused, 503, { toTag: 'no' }));
    await until(() => events.includes('closed normal'));
    expect(events[0]).toContain('"status":503');
    expect(second.received).toEqual([]);
  });
});

describe('an INVITE as its trunk wants it', () => {
  it('names another host in From, and goes by UDP however long it is where it must', async () => {
    const headers = [['X-Account', 'x'.repeat(900)]] as const;
    await dial({ fromHost: 'acme.example', headers, transportStrict: true });
    const invite = await first.request('INVITE');
    expect(invite.first('from')).toContain('<sip:+15550001111@acme.example>');
    expect(invite.first('x-account')).toHaveLength(900);
    expect(invite.topVia?.transport).toBe('UDP');
    first.send(answerTo(invite, 486, { toTag: 'no' }));
    await until(() => events.includes('closed normal'));
  });
});
