import fc from 'fast-check';

import { answerTo, Caller, OFFER } from '../../../fakes/media/sip/caller';
import { MALFORMED_RESPONSES } from '../../../fakes/media/sip/malformed-responses';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { IncomingRefer } from '../../../../media/sip/refer/received-refer';

/** How many more tries a soak has. */
const TIMES = process.env['TEST_SOAK'] === '1' ? 20 : 1;
const LIMIT_MS = 30_000 * TIMES;

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(1_500),
  remove: fc.constantFrom(0, 0, 1, 5, 40),
  insert: fc.constantFrom('', '"', '<', '>', ';', ',', ':', '\r\n', '\n ', '\0', '%', '@', '=', '\\', '\xff', '0', ' '),
});
const edits = fc.array(edit, { maxLength: 6 });

function edited(text: string, changes: readonly Edit[]): string {
  let result = text;
  for (const { at, remove, insert } of changes) {
    const index = at % Math.max(1, result.length);
    result = result.slice(0, index) + insert + result.slice(index + remove);
  }
  return result;
}

const KINDS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY', 'take over'];
const REFER_HEADERS = [
  'Refer-To: "C" <sip:carol@127.0.0.1;method=INVITE?X-A=%20b&Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=x>;p=1',
  'Referred-By: "B" <sip:bob@127.0.0.1>;cid="1@2"',
  'Refer-Sub: true',
];

function onRefer(refer: IncomingRefer): void {
  refer.accept();
  void refer.notify(180);
  void refer.notify(200);
}

describe('messages with random faults', () => {
  let endpoint: TestEndpoint;
  let peer: SipPeer;
  let calls = 0;

  beforeEach(async () => {
    endpoint = await TestEndpoint.start({ authentication: 'none', replaces: true });
    endpoint.onCall = ({ dialog, events }) => {
      dialog.delegate = { ...recordingDelegate(events), onRefer };
      dialog.ring(() => ANSWER);
      dialog.answer(ANSWER);
      const target = { referTo: 'sip:carol@127.0.0.1', referredBy: null, headers: [] };
      dialog
        .refer(target, (status) => events.push(`refer ${status}`))
        .catch((error: unknown) => endpoint.errors.push(error));
    };
    peer = await SipPeer.udp(endpoint.port);
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
  });

  function requestOf(method: string, caller: Caller): string {
    if (method === 'take over') {
      const replaces = `Replaces: ${caller.callId};to-tag=${caller.toTag};from-tag=${caller.fromTag};early-only`;
      return new Caller(peer, endpoint.port).invite({ headers: [replaces, 'Require: replaces'] });
    }
    if (method === 'NOTIFY') {
      const headers = ['Event: refer;id=1', 'Subscription-State: active;expires=60'];
      const notify = caller.request('NOTIFY', { headers, body: 'SIP/2.0 180 Ringing\r\n' });
      return notify.replace('application/sdp', 'message/sipfrag;version=2.0');
    }
    if (method === 'REFER') return caller.request('REFER', { headers: REFER_HEADERS });
    return caller.request(method, { body: method === 'INVITE' || method === 'UPDATE' ? OFFER : '' });
  }

  async function control(): Promise<void> {
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    await peer.response(200, 'OPTIONS');
    expect(endpoint.errors).toEqual([]);
    peer.received.length = 0;
  }

  it(
    'as requests, in and out of dialogs, are no error of ours',
    async () => {
      const methods = fc.constantFrom(...KINDS);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(methods, edits), { minLength: 5, maxLength: 12 }), async (requests) => {
          const caller = new Caller(peer, endpoint.port);
          peer.send(caller.invite());
          const ok = await peer.response(200, 'INVITE');
          caller.establish(ok);
          for (const [method, changes] of requests) {
            caller.cseq += 1;
            peer.send(edited(requestOf(method, caller), changes));
          }
          await control();
        }),
        { numRuns: 60 * TIMES },
      );
      for (const { dialog } of endpoint.calls) dialog.dispose();
    },
    LIMIT_MS,
  );

  it(
    'as responses to a call of ours are no error of ours',
    async () => {
      const status = fc.constantFrom(100, 180, 183, 199, 200, 202, 302, 401, 407, 486, 503, 600, 699);
      const fault = fc.constantFrom(...MALFORMED_RESPONSES.map(({ change }) => change));
      const response = fc.tuple(status, fault, edits);
      await fc.assert(
        fc.asyncProperty(fc.array(response, { minLength: 3, maxLength: 10 }), async (responses) => {
          calls += 1;
          const carrier = await SipPeer.udp();
          const events: string[] = [];
          const dialog = await endpoint.server.invite(
            {
              sipCallId: `fuzz-${calls}@trunkline`,
              target: { user: '+15557654321', host: '127.0.0.1', port: carrier.port, transport: 'udp' },
              fromUser: '+15550001111',
              credentials: { username: 'bob', password: 'pw' },
              offer: () => OFFER,
            },
            recordingDelegate(events),
          );
          const invite = await carrier.request('INVITE');
          for (const [code, change, changes] of responses) {
            const headers = [
              `Contact: <sip:callee@127.0.0.1:${carrier.port}>`,
              'Record-Route: <sip:127.0.0.1;lr>',
              'WWW-Authenticate: Digest realm="carrier", nonce="n1", qop="auth"',
              'Reason: Q.850;cause=17',
            ];
            const body = code === 183 || code === 200 ? ANSWER : '';
            carrier.send(edited(change(answerTo(invite, code, { toTag: 'theirs', headers, body })), changes));
          }
          await control();
          dialog.dispose();
          carrier.close();
        }),
        { numRuns: 100 * TIMES },
      );
      await until(() => endpoint.server.dialogCount === 0);
    },
    LIMIT_MS,
  );
});
