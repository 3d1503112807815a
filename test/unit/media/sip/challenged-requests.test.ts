import { DigestClient } from '../../../../media/sip/auth/digest-client';
import { systemClock } from '../../../../media/clock';
import { parseMessage } from '../../../../media/sip/message/parser';
import { DialogUserAgentCore } from '../../../../media/sip/sipjs-adapter';
import { CoreResponse, WireUri } from '../../../../media/sip/sipjs-messages';
import { answerTo } from '../../../fakes/media/sip/caller';
import { seenCredentials } from '../../../fakes/media/sip/seen-credentials';

import type { SessionDialog } from 'sip.js/lib/core/index.js';
import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';

const TARGET = 'sip:callee@192.0.2.2:5070';
const SDP = { contentDisposition: 'session', contentType: 'application/sdp', content: 'v=0\r\n' };
const CONTACT = `Contact: <${TARGET}>`;
const challenge = (nonce: string, more = ''): string =>
  `WWW-Authenticate: Digest realm="carrier", nonce="${nonce}", algorithm=MD5, qop="auth"${more}`;

/** A core of ours with credentials, and its peer by hand. */
class Called {
  readonly sent: SipRequest[] = [];
  readonly core: DialogUserAgentCore;
  dialog!: SessionDialog;
  idle = false;

  constructor() {
    const digest = new DigestClient({ username: 'bob', password: 'pw' });
    const options = {
      clock: systemClock,
      localTag: 'us',
      contact: '<sip:us@192.0.2.1>',
      sentBy: '192.0.2.1:5060',
      product: 'Test',
      displayName: '',
      requests: {
        reliable: true,
        send: (request: { bytes(transport: 'tcp', toTrunk: boolean): Buffer }): Promise<void> => {
          this.sent.push(parseMessage(request.bytes('tcp', true)) as SipRequest);
          return Promise.resolve();
        },
      },
      credentials: {
        authorize: digest.authorize.bind(digest),
        newRequest: digest.newRequest.bind(digest),
        mayGoTo: () => true,
      },
      onRetransmit: () => {},
      onIdle: () => {
        this.idle = true;
      },
    };
    this.core = new DialogUserAgentCore(options, {});
    const uri = new WireUri(TARGET);
    const ids = { callId: 'id', cseq: 1, fromTag: 'us' };
    const invite = this.core.makeOutgoingRequestMessage('INVITE', uri, uri, uri, ids, [], SDP);
    this.core.invite(invite, {
      onAccept: (accepted) => {
        accepted.ack();
        this.dialog = accepted.session as SessionDialog;
      },
    });
    this.answer(200, [CONTACT], 'v=0\r\n');
  }

  get last(): SipRequest {
    return this.sent.at(-1)!;
  }

  answer(status: number, headers: readonly string[] = [], body = ''): void {
    const text = answerTo(this.last, status, { toTag: 'them', headers, body });
    const response = parseMessage(Buffer.from(text, 'latin1')) as SipResponse;
    this.core.receiveIncomingResponseFromTransport(new CoreResponse(response, TARGET));
  }
}

describe('a challenged request in a dialog', () => {
  let called: Called;
  let results: string[];
  beforeEach(() => {
    jest.useFakeTimers();
    called = new Called();
    results = [];
  });
  afterEach(() => {
    called.core.dispose();
    jest.useRealTimers();
  });
  const delegate = {
    onAccept: () => results.push('accepted'),
    onReject: ({ message }: { readonly message: { readonly statusCode?: number | undefined } }) =>
      results.push(`rejected ${message.statusCode}`),
  };
  const requests: Readonly<Record<string, (dialog: SessionDialog) => unknown>> = {
    BYE: (dialog) => dialog.bye(delegate, { extraHeaders: ['Reason: Q.850;cause=16'] }),
    INFO: (dialog) => dialog.info(delegate),
    REFER: (dialog) => dialog.refer(delegate, { extraHeaders: ['Refer-To: <sip:x@192.0.2.3>'] }),
    NOTIFY: (dialog) => dialog.notify(delegate),
    MESSAGE: (dialog) => dialog.message(delegate),
    PRACK: (dialog) => dialog.prack(delegate, { extraHeaders: ['RAck: 1 1 INVITE'] }),
    INVITE: (dialog) =>
      dialog.invite({ ...delegate, onAccept: (accepted) => results.push(accepted.ack() && 'accepted') }, { body: SDP }),
  };

  it.each(Object.keys(requests))('goes out again as the next of its dialog: %s', (method) => {
    requests[method]!(called.dialog);
    const first = called.last;
    expect([first.method, first.cseq?.number, seenCredentials(first)]).toEqual([method, 2, []]);
    called.answer(401, [challenge('n1')]);
    const second = called.last;
    expect(second.cseq).toEqual({ number: 3, method });
    expect(second.topVia?.params.get('branch')).not.toBe(first.topVia?.params.get('branch'));
    expect(seenCredentials(second)).toMatchObject([{ realm: 'carrier', nonce: 'n1', nc: '00000001', right: true }]);
    for (const name of ['refer-to', 'rack', 'reason', 'content-type']) {
      expect(second.first(name)).toBe(first.first(name));
    }
    expect([second.toTag, second.fromTag, second.callId]).toEqual([first.toTag, first.fromTag, first.callId]);
    called.answer(200, [CONTACT], method === 'INVITE' ? 'v=0\r\n' : '');
    expect(results).toEqual(['accepted']);
    if (method === 'INVITE') {
      expect(called.last.cseq).toEqual({ number: 3, method: 'ACK' });
      expect(called.last.first('authorization')).toBe(second.first('authorization'));
    }
    if (method === 'BYE') return;
    // What has been learned goes into whatever follows, with the next count.
    called.dialog.bye();
    expect(called.last.cseq?.number).toBe(4);
    expect(seenCredentials(called.last)).toMatchObject([{ nonce: 'n1', nc: '00000002', right: true }]);
  });

  it.each(Object.keys(requests))('is refused when the credentials are: %s', (method) => {
    requests[method]!(called.dialog);
    called.answer(401, [challenge('n1')]);
    const { length } = called.sent;
    called.answer(401, [challenge('n2')]);
    expect(called.sent.slice(length).filter((request) => request.method !== 'ACK')).toEqual([]);
    expect(results).toEqual(['rejected 401']);
  });

  it('is sent six times at most, whatever the peer says', () => {
    for (const more of [', stale=true', '']) {
      called = new Called();
      const before = called.sent.length;
      requests['BYE']!(called.dialog);
      for (let i = 0; i < 20; i++) {
        called.answer(401, [challenge(`n${i}`, more).replace('carrier', more === '' ? `r${i}` : 'carrier')]);
      }
      expect(called.sent.length - before).toBe(more === '' ? 6 : 3);
      called.core.dispose();
    }
    expect(results).toEqual(['rejected 401', 'rejected 401']);
  });

  it('is not repeated for a challenge that has none', () => {
    requests['INFO']!(called.dialog);
    called.answer(407);
    expect(results).toEqual(['rejected 407']);
  });

  it.each(Object.keys(requests))('leaves nothing behind when all is dropped: %s', (method) => {
    requests[method]!(called.dialog);
    called.answer(401, [challenge('n1')]);
    called.core.dispose();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves nothing behind when the dialog ends with it', async () => {
    requests['BYE']!(called.dialog);
    called.answer(401, [challenge('n1')]);
    called.answer(200);
    await jest.advanceTimersByTimeAsync(70_000);
    expect(called.idle).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });
});
