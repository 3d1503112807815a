import { createServer } from 'node:net';

import fc from 'fast-check';

import { OFFER } from '../../../fakes/media/sip/caller';
import { hostileText } from '../../../fakes/media/sip/hostile-text';
import { readStrictly } from '../../../fakes/media/sip/strict-reader';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { AddressInfo, Server } from 'node:net';
import type { StrictMessage } from '../../../fakes/media/sip/strict-reader';

interface Texts {
  readonly user: string;
  readonly host: string;
  readonly fromUser: string;
  readonly displayName: string;
  readonly username: string;
  readonly password: string;
  readonly header: string;
  readonly reason: string;
  /** These are the carrier's. */
  readonly realm: string;
  readonly opaque: string;
  readonly toName: string;
  readonly routeParameter: string;
}

const PLAIN: Texts = {
  user: '+15557654321',
  host: 'sip.example.com',
  fromUser: '+15550001111',
  displayName: 'Acme',
  username: 'bob',
  password: 'pw',
  header: 'value',
  reason: 'Normal call clearing',
  realm: 'carrier',
  opaque: 'opaque',
  toName: 'Callee',
  routeParameter: 'x',
};

/** A carrier that challenges, answers and hangs up, and keeps every byte that it was sent. */
class Carrier {
  readonly #server: Server;
  #texts = PLAIN;
  #stream = Buffer.alloc(0);

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<Carrier> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const carrier = new Carrier(server);
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        const seen = carrier.messages.length;
        carrier.#stream = Buffer.concat([carrier.#stream, bytes]);
        for (const message of carrier.messages.slice(seen)) socket.write(carrier.#answerTo(message), 'latin1');
      });
    });
    return carrier;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get messages(): StrictMessage[] {
    return readStrictly(this.#stream);
  }

  expect(texts: Texts): void {
    this.#texts = texts;
    this.#stream = Buffer.alloc(0);
  }

  close(): void {
    this.#server.close();
  }

  #answerTo({ startLine, headers }: StrictMessage): string {
    const { realm, opaque, toName, routeParameter } = this.#texts;
    const [method] = startLine.split(' ');
    if (method === 'ACK') return '';
    const given = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headers.get(name)}`);
    const to = headers.get('To') ?? '';
    if (method === 'INVITE' && !headers.has('Authorization')) {
      const challenge = `WWW-Authenticate: Digest realm="${realm}", nonce="n", opaque="${opaque}", qop="auth"`;
      return lines('SIP/2.0 401 Unauthorized', ...given, `To: ${to};tag=c`, challenge);
    }
    const tagged = to.includes(';tag=') ? to : `"${toName}" ${to};tag=c`;
    const route = `Record-Route: <sip:127.0.0.1:${this.port};transport=tcp;lr;x=${routeParameter}>`;
    const contact = `Contact: <sip:callee@127.0.0.1:${this.port};transport=tcp>`;
    if (method !== 'INVITE') return lines('SIP/2.0 200 OK', ...given, `To: ${tagged}`);
    const body = ['Content-Type: application/sdp', `Content-Length: ${ANSWER.length}`];
    return [`SIP/2.0 200 OK`, ...given, `To: ${tagged}`, route, contact, ...body, '', ANSWER].join('\r\n');
  }
}

function lines(...head: string[]): string {
  return [...head, 'Content-Length: 0', '', ''].join('\r\n');
}

describe('what a trunk and its carrier say', () => {
  let carrier: Carrier;
  let endpoint: TestEndpoint;

  beforeAll(async () => {
    carrier = await Carrier.listen();
    endpoint = await TestEndpoint.start({
      resolve: () => Promise.resolve([{ address: '127.0.0.1', port: carrier.port, transport: 'tcp' as const }]),
    });
  });

  afterAll(async () => {
    await endpoint.server.close();
    carrier.close();
    expect(endpoint.errors).toEqual([]);
  });

  let calls = 0;

  /** All that leaves for one call: two INVITEs, their ACKs, a REFER and a BYE. */
  async function leaves(texts: Texts): Promise<StrictMessage[]> {
    carrier.expect(texts);
    const events: string[] = [];
    calls += 1;
    const dialog = await endpoint.server.invite(
      {
        sipCallId: `split-${calls}@trunkline`,
        target: { user: texts.user, host: texts.host, port: 5070, transport: 'tcp' },
        fromUser: texts.fromUser,
        fromDisplayName: texts.displayName,
        credentials: { username: texts.username, password: texts.password },
        headers: [['X-Header', texts.header]],
        offer: () => OFFER,
      },
      recordingDelegate(events),
    );
    await until(() => events.includes('accept+sdp'));
    const referred = dialog.refer(
      {
        referTo: 'sip:carol@127.0.0.1',
        replaces: { sipCallId: 'a@b', toTag: '1', fromTag: '2', earlyOnly: false },
        referredBy: 'sip:bob@127.0.0.1',
        headers: [['X-Header', texts.header]],
      },
      () => undefined,
    );
    await until(() => carrier.messages.some(({ startLine }) => startLine.startsWith('REFER ')));
    dialog.bye({ protocol: 'Q.850', cause: 16, text: texts.reason });
    expect((await referred).kind).toBe('dialog_over');
    await until(() => events.includes('closed normal'));
    return carrier.messages;
  }

  const text = hostileText({ minLength: 1, maxLength: 10 });
  /** What a line of a carrier can hold within quotes, or as a parameter. */
  const quoted = fc.string({
    unit: fc.constantFrom('a', '\t', ' ', '\\\\', '\\"', '<', '>', ',', '\xff', '\x85'),
    maxLength: 8,
  });
  const token = fc.string({
    unit: fc.constantFrom('a', '\x01', '\x7f', '\r', '\xff', '\x85', ' ', '\0'),
    maxLength: 6,
  });

  it('leaves as the messages and headers that were meant, whatever it is', async () => {
    const meant = await leaves(PLAIN);
    expect(meant.map(({ startLine }) => startLine.split(' ')[0])).toEqual([
      'INVITE',
      'ACK',
      'INVITE',
      'ACK',
      'REFER',
      'BYE',
    ]);
    const texts: fc.Arbitrary<Texts> = fc.record({
      user: text,
      host: text,
      fromUser: text,
      displayName: text,
      username: text,
      password: text,
      header: text,
      reason: text,
      realm: quoted,
      opaque: quoted,
      toName: quoted,
      // A Record-Route that is no URI becomes no Route.
      routeParameter: token.filter((value) => !/\s/.test(value)),
    });
    await fc.assert(
      fc.asyncProperty(texts, async (some) => {
        const sent = await leaves(some);
        expect(sent.map(({ names }) => names)).toEqual(meant.map(({ names }) => names));
        expect(sent.map(({ body }) => body)).toEqual([OFFER, '', OFFER, '', '', '']);
        // What the peer unescapes and copies into its INVITE is the two headers that were meant.
        const referTo = sent[4]?.headers.get('Refer-To') ?? '';
        expect(referTo).toMatch(/^<sip:carol@127\.0\.0\.1\?Replaces=[\w\-%]+&X-Header=[\w\-.!~*'()%]*>$/);
        expect(decodeURIComponent(referTo)).not.toMatch(/[^\x20-\x7e\x80-\uffff]/);
      }),
      { numRuns: 100 },
    );
  });
});
