import { answerTo } from '../../../fakes/media/sip/caller';
import { OutboundBench } from '../../../fakes/media/sip/outbound-bench';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, until } from '../../../fakes/media/sip/test-endpoint';

import type { OutboundDialog } from '../../../../media/sip/dialog';
import type { SipRequest } from '../../../../media/sip/message/message';

let bench: OutboundBench;
let carrier: SipPeer;
let events: string[];

beforeEach(async () => {
  bench = await OutboundBench.open();
  ({ carrier, events } = bench);
});

afterEach(() => bench.close());

const sdpOfBranch = (port: number): string => ANSWER.replace('42000', String(port));

function answer(invite: SipRequest, status: number, toTag: string, body = '', more: readonly string[] = []): void {
  const headers = [`Contact: <sip:${toTag}@127.0.0.1:${carrier.port}>`, ...more];
  carrier.send(answerTo(invite, status, { toTag, headers, body }));
}

async function hangUp(dialog: OutboundDialog): Promise<void> {
  dialog.bye();
  carrier.send(answerTo(await carrier.request('BYE'), 200));
  await until(() => events.includes('closed normal'));
}

describe('the media of a fork', () => {
  it.each([
    [
      'its own early SDP where the 200 has none',
      [
        ['a', 1],
        ['b', 2],
      ],
      'a',
      '',
      1,
    ],
    [
      'the last early SDP of the branch that answers',
      [
        ['a', 1],
        ['b', 2],
        ['a', 3],
      ],
      'a',
      '',
      3,
    ],
    ['the SDP of the 200 before any early one', [['a', 1]], 'a', sdpOfBranch(9), 9],
    [
      'nothing of a branch that does not answer',
      [
        ['a', 1],
        ['c', 2],
      ],
      'b',
      '',
      null,
    ],
    ['nothing where no branch has said anything', [], 'b', '', null],
  ] as const)('is %s', async (_title, early, branch, body, port) => {
    const dialog = await bench.dial();
    const invite = await carrier.request('INVITE');
    for (const [tag, earlyPort] of early) answer(invite, 183, tag, sdpOfBranch(earlyPort));
    answer(invite, 180, 'b');
    answer(invite, 200, branch, body);
    expect((await carrier.request('ACK')).toTag).toBe(branch);
    expect(bench.answers).toEqual([port === null ? null : sdpOfBranch(port)]);
    await hangUp(dialog);
  });
});

describe('a strict router', () => {
  // RFC 3261 §12.2.1.1: it takes the Request-URI for its own.
  it('finds its own URI in the Request-URI of ACK and BYE, and the target in the last Route', async () => {
    const router = await SipPeer.udp();
    const dialog = await bench.dial();
    const routes = [
      'Record-Route: <sip:10.9.8.7;lr>',
      `Record-Route: <sip:edge@127.0.0.1:${router.port};method=INVITE;x=y>`,
    ];
    answer(await carrier.request('INVITE'), 200, 'callee', ANSWER, routes);
    const ack = await router.request('ACK');
    dialog.bye();
    const bye = await router.request('BYE');
    for (const request of [ack, bye]) {
      expect(request.requestUri).toBe(`sip:edge@127.0.0.1:${router.port};x=y`);
      expect(request.list('route')).toEqual(['<sip:10.9.8.7;lr>', `<sip:callee@127.0.0.1:${carrier.port}>`]);
    }
    router.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
    expect(carrier.received).toEqual([]);
  });
});
