import { SipRequest } from '../../../../media/sip/message/message';
import { answerTo } from '../../../fakes/media/sip/caller';
import { OutboundBench } from '../../../fakes/media/sip/outbound-bench';
import { seenCredentials } from '../../../fakes/media/sip/seen-credentials';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, until } from '../../../fakes/media/sip/test-endpoint';

let bench: OutboundBench;
let carrier: SipPeer;
let events: string[];

beforeEach(async () => {
  bench = await OutboundBench.open();
  ({ carrier, events } = bench);
});

afterEach(() => bench.close());

const digest = (realm: string, nonce: string, more = ''): string =>
  `Digest realm="${realm}", nonce="${nonce}", algorithm=MD5, qop="auth"${more}`;
const server = (realm: string, nonce: string, more = ''): string => `WWW-Authenticate: ${digest(realm, nonce, more)}`;
const proxy = (realm: string, nonce: string, more = ''): string => `Proxy-Authenticate: ${digest(realm, nonce, more)}`;

async function challengeInvite(status: 401 | 407, headers: readonly string[]): Promise<void> {
  carrier.send(answerTo(await carrier.request('INVITE'), status, { toTag: 'x', headers }));
  await carrier.request('ACK');
}

function accept(invite: SipRequest, at = `127.0.0.1:${carrier.port}`): void {
  carrier.send(answerTo(invite, 200, { toTag: 'callee', headers: [`Contact: <sip:callee@${at}>`], body: ANSWER }));
}

/** Realms of the right credentials in a request. */
function realms(request: SipRequest): string[] {
  const seen = seenCredentials(request);
  expect(seen.filter(({ right }) => !right)).toEqual([]);
  return seen.map(({ proxy: byProxy, realm }) => `${byProxy ? 'proxy' : 'server'} ${realm}`).toSorted();
}

describe('credentials in a call that goes out', () => {
  it.each([
    ['a proxy, then the gateway behind it', [[407, [proxy('p', 'n1')]] as const, [401, [server('g', 'n2')]] as const]],
    ['a gateway, then a proxy', [[401, [server('g', 'n2')]] as const, [407, [proxy('p', 'n1')]] as const]],
    ['both in one 407', [[407, [proxy('p', 'n1'), server('g', 'n2')]] as const]],
    ['both in one 401', [[401, [proxy('p', 'n1'), server('g', 'n2')]] as const]],
  ])('answer %s, from then on in every request', async (_title, challenges) => {
    const dialog = await bench.dial();
    for (const [status, headers] of challenges) await challengeInvite(status, headers);
    const invite = await carrier.request('INVITE');
    expect(realms(invite)).toEqual(['proxy p', 'server g']);
    accept(invite);
    const ack = await carrier.request('ACK');
    expect(ack.cseq?.number).toBe(invite.cseq?.number);
    for (const name of ['authorization', 'proxy-authorization']) expect(ack.first(name)).toBe(invite.first(name));
    dialog.bye();
    const bye = await carrier.request('BYE');
    expect(realms(bye)).toEqual(['proxy p', 'server g']);
    expect(seenCredentials(bye).map(({ nc }) => Number(nc))).not.toContain(1);
    carrier.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
  });

  it('answer two realms of one role in one response', async () => {
    const dialog = await bench.dial();
    await challengeInvite(407, [`${proxy('p1', 'n1')}, ${digest('p2', 'n2')}`]);
    const invite = await carrier.request('INVITE');
    expect(realms(invite)).toEqual(['proxy p1', 'proxy p2']);
    dialog.dispose();
  });

  it.each([
    ['a fresh nonce', 401, server('carrier', 'n2')],
    ['the INVITE’s nonce', 401, server('carrier', 'n1')],
    ['a stale one', 401, server('carrier', 'n2', ', stale=true')],
    ['a realm of its own', 407, proxy('edge', 'n2')],
  ] as const)('answer the challenge of a BYE with %s', async (_title, status, challenge) => {
    const dialog = await bench.dial();
    await challengeInvite(401, [server('carrier', 'n1')]);
    accept(await carrier.request('INVITE'));
    await carrier.request('ACK');
    dialog.bye({ protocol: 'Q.850', cause: 16, text: 'done' });
    const first = await carrier.request('BYE');
    carrier.send(answerTo(first, status, { headers: [challenge] }));
    const second = await carrier.request('BYE');
    expect(second.cseq?.number).toBe((first.cseq?.number ?? 0) + 1);
    expect(second.first('reason')).toBe(first.first('reason'));
    const nonce = /nonce="(\w+)"/.exec(challenge)?.[1];
    expect(seenCredentials(second)).toContainEqual(expect.objectContaining({ nonce, right: true }));
    carrier.send(answerTo(second, 200));
    await until(() => events.includes('closed normal'));
  });

  it('stand in no CANCEL and in no ACK of a refusal', async () => {
    const dialog = await bench.dial();
    await challengeInvite(401, [server('carrier', 'n1')]);
    const invite = await carrier.request('INVITE');
    carrier.send(answerTo(invite, 180, { toTag: 'callee' }));
    await until(() => events.includes('progress 180'));
    dialog.cancel();
    const cancel = await carrier.request('CANCEL');
    carrier.send(answerTo(cancel, 200));
    carrier.send(answerTo(invite, 487, { toTag: 'callee' }));
    expect([...seenCredentials(cancel), ...seenCredentials(await carrier.request('ACK'))]).toEqual([]);
    await until(() => events.includes('closed normal'));
  });

  it.each([
    ['the nonce is always stale', (i: number) => server('carrier', `n${i}`, ', stale=true'), 3],
    ['the realm is always another', (i: number) => server(`r${i}`, `n${i}`), 6],
    ['the role changes too', (i: number) => (i % 2 === 0 ? server : proxy)(`r${i}`, 'n', ', stale=true'), 6],
    ['the password is wrong', (i: number) => server('carrier', `n${i}`), 2],
  ])('are given up when %s', async (_title, challenge, invites) => {
    await bench.dial();
    let seen = 0;
    for (;;) {
      const invite = await carrier.take<SipRequest>((m) => m instanceof SipRequest && m.method === 'INVITE', 150);
      if (invite === undefined) break;
      carrier.send(answerTo(invite, 401, { toTag: 'x', headers: [challenge(seen++)] }));
    }
    expect(seen).toBe(invites);
    await until(() => events.includes('closed normal'));
    expect(JSON.parse(events[0]!.slice(7))).toMatchObject({ status: 401 });
  });

  it('answer no challenge any more once the call is given up', async () => {
    const dialog = await bench.dial();
    const invite = await carrier.request('INVITE');
    dialog.cancel();
    carrier.send(answerTo(invite, 401, { toTag: 'x', headers: [server('carrier', 'n1')] }));
    await carrier.request('ACK');
    await until(() => events.includes('closed normal'));
    expect(await carrier.take(() => true, 50)).toBeUndefined();
    expect(JSON.parse(events[0]!.slice(7))).toMatchObject({ status: 401 });
  });

  it('go to nobody but the trunk’s addresses, wherever its Contact leads', async () => {
    const elsewhere = await SipPeer.udp(0, '127.0.0.2');
    const dialog = await bench.dial();
    await challengeInvite(401, [server('carrier', 'n1')]);
    const invite = await carrier.request('INVITE');
    expect(realms(invite)).toEqual(['server carrier']);
    accept(invite, `127.0.0.2:${elsewhere.port}`);
    expect(seenCredentials(await elsewhere.request('ACK'))).toEqual([]);
    dialog.bye();
    const bye = await elsewhere.request('BYE');
    expect(seenCredentials(bye)).toEqual([]);
    elsewhere.send(answerTo(bye, 401, { headers: [server('carrier', 'n2')] }));
    await until(() => events.includes('closed normal'));
    expect(await elsewhere.take(() => true, 50)).toBeUndefined();
  });
});
