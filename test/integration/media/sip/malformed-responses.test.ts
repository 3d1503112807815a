import { answerTo, OFFER } from '../../../fakes/media/sip/caller';
import { LOST_RESPONSES, MALFORMED_RESPONSES } from '../../../fakes/media/sip/malformed-responses';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { OutboundDialog } from '../../../../media/sip/dialog';
import type { SipRequest } from '../../../../media/sip/message/message';

let endpoint: TestEndpoint;
let carrier: SipPeer;
let events: string[];
let calls = 0;

beforeAll(async () => {
  endpoint = await TestEndpoint.start();
});

afterAll(() => endpoint.server.close());

beforeEach(async () => {
  carrier = await SipPeer.udp();
  events = [];
});

afterEach(() => {
  SipPeer.closeAll();
  expect(endpoint.errors).toEqual([]);
});

function dial(): Promise<OutboundDialog> {
  calls += 1;
  return endpoint.server.invite(
    {
      sipCallId: `malformed-${calls}@trunkline`,
      target: { user: '+15557654321', host: '127.0.0.1', port: carrier.port, transport: 'udp' },
      fromUser: '+15550001111',
      fromDisplayName: 'Acme',
      credentials: { username: 'bob', password: 'pw' },
      offer: () => OFFER,
    },
    recordingDelegate(events),
  );
}

const toTag = 'theirs';
const contact = (): string => `Contact: <sip:callee@127.0.0.1:${carrier.port}>`;
const ringing = (invite: SipRequest): string => answerTo(invite, 180, { toTag, headers: [contact()] });
const ok = (invite: SipRequest): string => answerTo(invite, 200, { toTag, headers: [contact()], body: ANSWER });

describe('a call whose carrier writes its responses with', () => {
  it.each(MALFORMED_RESPONSES)('$name rings, is answered and ends', async ({ change }) => {
    const dialog = await dial();
    const invite = await carrier.request('INVITE');
    carrier.send(change(ringing(invite)));
    carrier.send(change(ok(invite)));
    const ack = await carrier.request('ACK');
    expect([ack.toTag, ack.requestUri]).toEqual([toTag, `sip:callee@127.0.0.1:${carrier.port}`]);
    expect(events).toEqual(['progress 180', 'accept+sdp']);
    dialog.bye();
    carrier.send(change(answerTo(await carrier.request('BYE'), 200)));
    await until(() => events.includes('closed normal'));
  });

  it.each(MALFORMED_RESPONSES)('$name is refused for the reason that it gives', async ({ change }) => {
    await dial();
    const invite = await carrier.request('INVITE');
    const headers = ['Reason: Q.850;cause=17;text="User busy"'];
    carrier.send(change(answerTo(invite, 486, { toTag, headers })));
    await carrier.request('ACK');
    await until(() => events.includes('closed normal'));
    expect(JSON.parse(events[0]!.slice('reject '.length))).toMatchObject({ kind: 'status', status: 486, q850: 17 });
  });
});

describe('of a response with', () => {
  it.each(LOST_RESPONSES)('$name nothing is heard, and the next one counts', async ({ change }) => {
    const dialog = await dial();
    const invite = await carrier.request('INVITE');
    carrier.send(change(ok(invite)));
    carrier.send(ok(invite));
    await carrier.request('ACK');
    expect(events).toEqual(['accept+sdp']);
    dialog.bye();
    carrier.send(answerTo(await carrier.request('BYE'), 200));
    await until(() => events.includes('closed normal'));
  });
});

it('the ACK of a 200 takes the way that is readable of its Record-Routes', async () => {
  const dialog = await dial();
  const invite = await carrier.request('INVITE');
  const ours = `<sip:127.0.0.1:${carrier.port};lr>;x="a,b"`;
  const headers = [contact(), `Record-Route: garbage, ${ours}`, 'Record-Route: <sip:127.0.0.1:0;lr>, <sip:open'];
  carrier.send(answerTo(invite, 200, { toTag, headers, body: ANSWER }));
  const ack = await carrier.request('ACK');
  expect(ack.lines('route')).toEqual([ours]);
  dialog.bye();
  carrier.send(answerTo(await carrier.request('BYE'), 200));
  await until(() => events.includes('closed normal'));
});

describe('the ACK of a 200 whose Contact is', () => {
  it.each([
    ['without brackets', (at: string) => `sip:callee@${at};+sip.instance="<urn:gsma:imei:35-0>";audio`, 'callee'],
    ['unquoted, with a comma', (at: string) => `Callee, Inc <sip:callee@${at}>`, 'callee'],
    ['one of two', (at: string) => `<sip:callee@${at}>, <sip:other@${at}>`, 'callee'],
    ['at port 0', () => '<sip:callee@127.0.0.1:0>', '+15557654321'],
    ['garbage', () => '<<>>', '+15557654321'],
  ])('%s goes where it can', async (_what, value, user) => {
    const dialog = await dial();
    const invite = await carrier.request('INVITE');
    const at = `127.0.0.1:${carrier.port}`;
    carrier.send(answerTo(invite, 180, { toTag, headers: [`Contact: <sip:ringing@${at}>`] }));
    carrier.send(answerTo(invite, 200, { toTag, headers: [`Contact: ${value(at)}`], body: ANSWER }));
    const ack = await carrier.request('ACK');
    // A target that was named while it rang stays, where the 200 names none.
    expect(ack.requestUri).toBe(`sip:${user === 'callee' ? user : 'ringing'}@${at}`);
    dialog.bye();
    carrier.send(answerTo(await carrier.request('BYE'), 200));
    await until(() => events.includes('closed normal'));
  });
});
