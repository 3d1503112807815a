/** OPTIONS outside a dialog on real sockets: what is repeated, who is believed, and who gets our credentials. */
import type { SipRequest } from '../../../../media/sip/message/message';
import { buildResponse } from '../../../../media/sip/message/serialiser';
import type { AuthenticatedResult } from '../../../../media/sip/authenticated-request';
import { askOptions } from '../../../../media/sip/options';
import type { OptionsRequest } from '../../../../media/sip/options';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { TestEndpoint } from '../../../fakes/media/sip/test-endpoint';

const CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"';

let endpoint: TestEndpoint;
let carrier: SipPeer;

beforeEach(async () => {
  endpoint = await TestEndpoint.start();
  carrier = await SipPeer.udp();
});

afterEach(async () => {
  SipPeer.closeAll();
  await endpoint.server.close();
  expect(endpoint.errors).toEqual([]);
  expect(endpoint.server.dialogCount).toBe(0);
});

function ask(changes: Partial<OptionsRequest> = {}): Promise<AuthenticatedResult> {
  return askOptions(endpoint.server.outOfDialog, {
    target: { address: '127.0.0.1', port: carrier.port, transport: 'udp' },
    server: { host: 'carrier.test', port: null, transport: null },
    fromUser: '+15550001111',
    credentials: { username: 'bob', password: 'pw' },
    timeoutMs: 3_000,
    ...changes,
  });
}

const answer = (request: SipRequest, status: number, ...headers: readonly string[]): Buffer =>
  buildResponse(request, status, { toTag: 'tag', headers }).bytes;

it('is repeated while nothing comes back, and not after a provisional answer has', async () => {
  const outcome = ask();
  const first = await carrier.request('OPTIONS');
  const second = await carrier.request('OPTIONS');
  expect(second.branch).toBe(first.branch);
  expect(first.requestUri).toBe('sip:carrier.test');
  expect(first.first('from')).toMatch(/^<sip:\+15550001111@carrier\.test>;tag=/);
  expect(first.headers.has('authorization')).toBe(false);
  carrier.send(answer(second, 100));
  carrier.send(answer(second, 200));
  expect(await outcome).toMatchObject({ kind: 'answered', response: { status: 200 }, challenge: null });
});

it('answers a challenge once, with a new branch and the next CSeq', async () => {
  const outcome = ask();
  const first = await carrier.request('OPTIONS');
  carrier.send(answer(first, 401, CHALLENGE));
  const second = await carrier.request('OPTIONS');
  expect(second.branch).not.toBe(first.branch);
  expect([second.callId, second.fromTag]).toEqual([first.callId, first.fromTag]);
  expect(second.cseq?.number).toBe((first.cseq?.number ?? 0) + 1);
  expect(second.first('authorization')).toMatch(/^Digest username="bob", realm="carrier"/);
  // An answer to the first, repeated, is none to the second.
  carrier.send(answer(first, 401, CHALLENGE));
  carrier.send(answer(second, 401, CHALLENGE));
  expect(await outcome).toMatchObject({ response: { status: 401 }, challenge: 401, authenticated: true });
});

it('gives no credentials to a challenge that comes from another host, nor where none are to be given', async () => {
  const stranger = await SipPeer.udp(endpoint.port, '127.0.0.2');
  const first = ask();
  stranger.send(answer(await carrier.request('OPTIONS'), 401, CHALLENGE));
  expect(await first).toMatchObject({ response: { status: 401 }, challenge: 401, authenticated: false });
  const second = ask({ credentials: null });
  carrier.send(answer(await carrier.request('OPTIONS'), 401, CHALLENGE));
  expect(await second).toMatchObject({ response: { status: 401 }, challenge: 401, authenticated: false });
  const everything = [...carrier.received, ...stranger.received];
  expect(everything.filter(({ headers }) => headers.has('authorization'))).toEqual([]);
});

it('drops answers of another branch and another method', async () => {
  const outcome = ask({ timeoutMs: 400 });
  const request = await carrier.request('OPTIONS');
  const text = answer(request, 200).toString('latin1');
  carrier.send(text.replace(request.branch, `${request.branch}0`));
  carrier.send(text.replace(/^CSeq: (\d+) OPTIONS/m, 'CSeq: $1 INVITE'));
  expect(await outcome).toMatchObject({ kind: 'silent', connectedMs: null, firstAnswerMs: null });
});

it('ends with its endpoint', async () => {
  const outcome = ask({ timeoutMs: 30_000 });
  await carrier.request('OPTIONS');
  await endpoint.server.close();
  expect((await outcome).kind).toBe('unreachable');
  expect((await ask()).kind).toBe('unreachable');
});
