import {
  ClientTransaction,
  Dialog,
  Grammar,
  InviteClientTransaction,
  InviteServerTransaction,
  InviteUserAgentServer,
  LoggerFactory,
  NonInviteClientTransaction,
  NonInviteServerTransaction,
  OutgoingRequestMessage,
  ReInviteUserAgentClient,
  SessionDialog,
  Timers,
  UserAgentClient,
  UserAgentCore,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';

import { version } from 'sip.js/package.json';
import { WireUri } from '../../../../media/sip/sipjs-messages';
import { FakeLink } from '../../../fakes/media/sip/fake-link';

/** What the adapter reaches into. When an upgrade moves one of these, the test that names it fails. */
const uri = new WireUri('sip:a@b');

describe('internals of sip.js that the adapter relies on', () => {
  it('are those of the pinned version', () => expect(version).toBe('0.21.2'));

  it('durations of D, I, J and K are read from Timers when a timer is set', () => {
    expect(Timers).toMatchObject({ TIMER_D: 32_000, TIMER_I: 5_000, TIMER_J: 32_000, TIMER_K: 5_000, TIMER_B: 32_000 });
    const sources = [
      InviteClientTransaction,
      InviteServerTransaction,
      NonInviteServerTransaction,
      NonInviteClientTransaction,
    ];
    const names = ['TIMER_D', 'TIMER_I', 'TIMER_J', 'TIMER_K'];
    sources.forEach((source, i) => expect(source.toString()).toContain(`Timers.${names[i]}`));
  });

  it('timers A, E and G are still missing there, so that ours repeat nothing twice', () => {
    const own = (source: object, name: string): string =>
      ((source as Record<string, unknown>)[name] as ((...args: never[]) => unknown) | undefined)?.toString() ?? '';
    expect(own(InviteClientTransaction.prototype, 'timerA')).not.toContain('this.send(');
    expect(own(NonInviteClientTransaction.prototype, 'timerE')).not.toContain('this.send(');
    expect(own(InviteServerTransaction.prototype, 'timerG')).not.toContain('this.send(');
  });

  it('branches come from ClientTransaction.makeId, which keeps the CANCEL’s', () => {
    const { makeId } = ClientTransaction as unknown as { makeId: (request: object) => string };
    expect(makeId({ method: 'CANCEL', branch: 'kept' })).toBe('kept');
    const branches = new Set(Array.from({ length: 1_000 }, () => makeId({ method: 'INVITE', fromTag: 'ours' })));
    expect(branches.size).toBe(1_000);
    for (const branch of branches) expect(branch).toMatch(/^z9hG4bKours\.[0-9a-f]{24}$/);
  });

  it.each<[object, readonly string[]]>([
    [
      InviteClientTransaction.prototype,
      ['timerB', 'onTransportError', 'send', 'ack', 'ackResponse', 'receiveResponse'],
    ],
    [InviteServerTransaction.prototype, ['receiveResponse', 'send', 'retransmitAcceptedResponse']],
    [SessionDialog.prototype, ['sequenceGuard', 'receiveRequest', 'signalingStateTransition', 'reConfirm']],
    [Dialog.prototype, ['receiveRequest', 'createOutgoingRequestMessage', 'recomputeRouteSet']],
    [UserAgentServer.prototype, ['reply', 'init', 'accept', 'reject', 'trying', 'receiveCancel']],
    [UserAgentClient.prototype, ['init', 'authenticationGuard', 'cancel']],
    [Dialog.prototype, ['incrementLocalSequenceNumber']],
    [UserAgentCore.prototype, ['replyStateless', 'makeOutgoingRequestMessage', 'receiveIncomingRequestFromTransport']],
  ])('members %#', (prototype, names) => {
    for (const name of names) expect(typeof (prototype as Record<string, unknown>)[name]).toBe('function');
  });

  it('accessors and fields', () => {
    expect(UserAgentServer.toString()).toContain('get rejectable()');
    expect(UserAgentServer.toString()).toContain('this.toTag');
    expect(InviteUserAgentServer.toString()).toContain('this.earlyDialog');
    expect(InviteServerTransaction.toString()).toContain('this.lastFinalResponse');
    expect(InviteClientTransaction.toString()).toContain('this.user.receiveResponse(response)');
    expect(Dialog.toString()).toContain('this.dialogState.remoteTarget');
    expect(SessionDialog.toString()).toContain('this.reinviteUserAgentServer = undefined');
    expect(UserAgentServer.toString()).toContain('this.core.userAgentServers.set(');
    expect(UserAgentClient.toString()).toContain('this.core.userAgentClients.set(');
    expect(UserAgentClient.toString()).toContain('new this.transactionConstructor(this.message, this.core.transport,');
    expect(UserAgentClient.toString()).toContain('if (!this.authenticationGuard(message)) {');
    expect(ReInviteUserAgentClient.toString()).toContain('if (!this.authenticationGuard(message, this.dialog)) {');
    expect(SessionDialog.toString()).toContain('transaction.ackResponse(message)');
  });

  it('what is sent is what toString gives, and is carried unseen', async () => {
    const sources = [InviteClientTransaction, NonInviteClientTransaction].map(String);
    for (const source of sources) expect(source).toContain('this.send(request.toString())');
    expect(sources[0]!.match(/this\.send\(ack\.toString\(\)\)/g)).toHaveLength(2);
    expect(sources[0]!.match(/this\.ack\(response\)/g)).toHaveLength(3);
    expect(ClientTransaction.toString()).toContain('_request.setViaHeader(this.id, transport.protocol)');
    expect(new OutgoingRequestMessage('BYE', uri, uri, uri).headers).toMatchObject({ Route: [] });

    const opaque = Object.freeze(Object.create(null) as object);
    const carried: unknown[] = [];
    const transport = { protocol: 'UDP', send: (message: unknown) => Promise.resolve(void carried.push(message)) };
    const user = { loggerFactory: new LoggerFactory() };
    user.loggerFactory.builtinEnabled = false;
    const server = new InviteServerTransaction({ method: 'INVITE', viaBranch: 'b' } as never, transport, user);
    for (const status of [180, 200]) server.receiveResponse(status, opaque as unknown as string);
    server.retransmitAcceptedResponse();
    server.dispose();
    expect(carried).toHaveLength(3);
    for (const message of carried) expect(message).toBe(opaque);
  });

  it('a URI goes out as it came in', () => {
    const uri = new WireUri('sip:a%20b;x=%zz@H;Lr?y=1');
    expect([uri.toString(), uri.toRaw(), uri.clone().toString()]).toEqual(Array(3).fill('sip:a%20b;x=%zz@H;Lr?y=1'));
  });
});

describe('the adapter', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());
  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  async function established(headers: readonly string[] = []): Promise<FakeLink> {
    const link = new FakeLink();
    link.invite(headers);
    await pass(5);
    link.callee.core.ring();
    link.callee.core.accept('v=0\r\n');
    await pass(5);
    return link;
  }

  it('never calls the grammar of sip.js', async () => {
    const parse = jest.spyOn(Grammar, 'parse');
    const link = await established();
    link.caller.core.bye([], () => {});
    await pass(5);
    expect(link.callee.events).toContain('bye');
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it('writes its own Allow, Server and Contact, and the tag it was given, into each answer', async () => {
    const link = await established();
    const ok = link.callee.sent.find((text) => text.startsWith('SIP/2.0 200'))!;
    expect(ok.match(/\r\nAllow: /g)).toHaveLength(1);
    expect(ok).toContain('\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK\r\n');
    expect(ok).toContain('\r\nServer: Test\r\n');
    expect(ok.match(/\r\nContact: /g)).toHaveLength(1);
    for (const text of link.callee.sent.slice(1))
      expect(text).toMatch(/\r\nTo: <sip:callee@192\.0\.2\.2>;tag=tag-callee\r\n/);
    link.caller.core.dispose();
    link.callee.core.dispose();
  });

  it('repeats the very bytes that it sent, requests and answers alike', async () => {
    const link = new FakeLink((_index, text) => ({ arrivals: / (INVITE|BYE)\r/.test(text) ? [] : [1] }));
    link.invite();
    await pass(1_600);
    expect(link.caller.methods()).toEqual(['INVITE', 'INVITE', 'INVITE']);
    expect(new Set(link.caller.sentBytes).size).toBe(1);
    link.callee.receive(link.caller.sent[0]!);
    link.callee.core.accept('v=0\r\n');
    await pass(4_000);
    const accepted = link.callee.sentBytes.filter((_bytes, i) => link.callee.methods()[i] === '200 INVITE');
    expect(accepted.length).toBeGreaterThan(2);
    expect(new Set(accepted).size).toBe(1);
    for (const { core } of [link.caller, link.callee]) core.dispose();
  });

  it('acknowledges a refusal in the INVITE’s transaction, and each repetition with the same bytes', async () => {
    const link = new FakeLink();
    link.invite(['X-Only: in-the-invite']);
    await pass(5);
    link.callee.core.reject(486, undefined);
    await pass(5);
    const refusal = link.callee.sent.at(-1)!;
    link.caller.receive(refusal);
    link.caller.receive(refusal.replace(/;tag=tag-callee/, ';tag=other'));
    const [invite, ack, again, other] = link.caller.sent as [string, string, string, string];
    const header = (text: string, name: string): string => new RegExp(`\\r\\n${name}: ([^\\r]+)`).exec(text)?.[1] ?? '';
    expect(link.caller.methods()).toEqual(['INVITE', 'ACK', 'ACK', 'ACK']);
    expect(ack).toMatch(/^ACK sip:callee@192\.0\.2\.2 SIP\/2\.0\r\n/);
    for (const name of ['Via', 'From', 'Call-ID']) expect(header(ack, name)).toBe(header(invite, name));
    expect([header(ack, 'CSeq'), header(ack, 'To')]).toEqual(['1 ACK', header(refusal, 'To')]);
    expect(ack).not.toMatch(/X-Only|Content-Type|Contact/);
    expect(link.caller.sentBytes[2]).toBe(link.caller.sentBytes[1]);
    expect(again).toBe(ack);
    expect(header(other, 'To')).toMatch(/;tag=other$/);
    for (const { core } of [link.caller, link.callee]) core.dispose();
  });

  it('sends along with the INVITE its CANCEL and the ACK of its refusal, and all else to the next hop', async () => {
    const link = await established();
    link.caller.core.bye([], () => {});
    await pass(5);
    expect(link.caller.ways).toEqual(['INVITE along_invite', 'ACK next_hop', 'BYE next_hop']);
    const cancelled = new FakeLink();
    cancelled.invite();
    await pass(5);
    cancelled.caller.core.cancel(undefined);
    await pass(5);
    expect(cancelled.caller.ways).toEqual(['INVITE along_invite', 'CANCEL along_invite', 'ACK along_invite']);
    for (const { caller, callee } of [link, cancelled]) [caller.core, callee.core].forEach((core) => core.dispose());
  });

  it('sends a request of ours its own way even while one of the peer is being answered', async () => {
    const link = new FakeLink(undefined, { callee: { onAck: () => link.callee.core.bye([], () => {}) } });
    link.invite();
    await pass(5);
    link.callee.core.accept('v=0\r\n');
    await pass(5);
    expect(link.callee.methods()).toEqual(['100 INVITE', '200 INVITE', 'BYE']);
    expect(link.callee.ways).toEqual(['BYE next_hop']);
    expect(link.caller.events).toContain('bye');
    for (const { core } of [link.caller, link.callee]) core.dispose();
  });

  it('gives INVITE, ACK and BYE branches of their own, a CANCEL its INVITE’s', async () => {
    const branch = (text: string): string => /branch=([^;\r]+)/.exec(text)?.[1] ?? '';
    const link = await established();
    link.caller.core.bye([], () => {});
    expect(new Set(link.caller.sent.map(branch)).size).toBe(3);
    const ringing = new FakeLink();
    ringing.invite();
    await pass(5);
    ringing.caller.core.cancel('SIP;cause=487');
    await pass(5);
    const [invite, cancel] = ringing.caller.sent as [string, string];
    expect(cancel).toMatch(/^CANCEL /);
    expect(branch(cancel)).toBe(branch(invite));
    expect(cancel).toContain('\r\nReason: SIP;cause=487\r\n');
    for (const core of [link, ringing].flatMap(({ caller, callee }) => [caller.core, callee.core])) core.dispose();
  });

  it('follows Record-Route, and says what it supports but in ACK and CANCEL', async () => {
    const link = await established(['Record-Route: <sip:p1;lr>, <sip:p2;lr>']);
    link.callee.core.bye([], () => {});
    const bye = link.callee.sent.at(-1)!;
    expect(bye).toContain('\r\nRoute: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n');
    expect(bye).toMatch(/^BYE sip:caller@192\.0\.2\.1:5060 SIP\/2\.0\r\n/);
    const saying = [...link.caller.sent, ...link.callee.sent].filter((text) =>
      text.includes('\r\nSupported: 100rel, timer'),
    );
    expect(saying.map((text) => /CSeq: (.+)\r/.exec(text)?.[1])).toEqual(['1 INVITE', '1 INVITE', '1 BYE']);
    const cancelled = new FakeLink();
    cancelled.invite();
    await pass(5);
    cancelled.caller.core.cancel(undefined);
    expect(cancelled.caller.sent.at(-1)).not.toContain('Supported');
    for (const { core } of [cancelled.caller, cancelled.callee]) core.dispose();
    link.caller.core.dispose();
    link.callee.core.dispose();
  });

  it('hands an ACK to the dialog even when its branch is the INVITE’s', async () => {
    const link = new FakeLink((_index, text) => ({ arrivals: text.startsWith('ACK') ? [] : [1] }));
    link.invite();
    await pass(5);
    link.callee.core.accept('v=0\r\n');
    await pass(5);
    const branch = /branch=([^;\r]+)/.exec(link.caller.sent[0]!)![1]!;
    const ack = link.caller.sent.find((text) => text.startsWith('ACK'))!;
    link.callee.receive(ack.replace(/branch=[^;\r]+/, `branch=${branch}`));
    expect(link.callee.events).toEqual(['ack']);
    link.caller.core.dispose();
    link.callee.core.dispose();
  });

  it('ends the call, and takes no re-INVITE for ever refused, when the ACK of a re-INVITE never comes', async () => {
    const link = await established();
    const invite = link.caller.sent[0]!;
    const reinvite = invite
      .replace(/branch=[^;\r]+/, 'branch=z9hG4bKre')
      .replace(/\r\nTo: [^\r]+/, '$&;tag=tag-callee')
      .replace('CSeq: 1 ', 'CSeq: 2 ');
    link.carry = () => {};
    link.callee.receive(reinvite);
    expect(link.callee.methods().at(-1)).toBe('200 INVITE');
    await pass(32_100);
    expect(link.callee.events).toContain('ack timeout');
    link.caller.core.dispose();
    link.callee.core.dispose();
  });

  it('refuses an UPDATE while an offer is open, and one out of order', async () => {
    const link = new FakeLink();
    link.invite();
    await pass(5);
    link.callee.core.ring();
    await pass(5);
    const update = (cseq: number, body: string): string =>
      link.caller.sent[0]!.replaceAll('INVITE', 'UPDATE')
        .replace(/branch=[^;\r]+/, `branch=z9hG4bKup${cseq}`)
        .replace(/\r\nTo: [^\r]+/, '$&;tag=tag-callee')
        .replace('CSeq: 1 ', `CSeq: ${cseq} `)
        .replace(/Content-Type.*$/s, body === '' ? 'Content-Length: 0\r\n\r\n' : '$&');
    link.callee.receive(update(2, 'offer'));
    expect(link.callee.methods().at(-1)).toBe('500 UPDATE');
    link.callee.receive(update(3, ''));
    expect(link.callee.methods().at(-1)).toBe('200 UPDATE');
    link.callee.receive(update(1, ''));
    expect(link.callee.methods().at(-1)).toBe('500 UPDATE');
    const before = link.callee.sent.length;
    link.callee.receive(update(3, ''));
    expect(link.callee.sent.slice(before)).toEqual([link.callee.sent.find((text) => / 3 UPDATE/.test(text))]);
    link.caller.core.dispose();
    link.callee.core.dispose();
  });
});
