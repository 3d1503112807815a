import type { Overload } from '../../../../contract/directory';
import type { SipLadderEntry } from '../../../../contract/events';
import type { BindingStore } from '../../../../contract/registration';
import type { SipRejectReason } from '../../../../media/sip/counters';
import type { DialogDelegate, InboundDialog } from '../../../../media/sip/dialog';
import { noLogger } from '../../../../media/sip/logger';
import { SipServer } from '../../../../media/sip/sip-server';
import type { SipServerOptions } from '../../../../media/sip/sip-server';

export const ANSWER =
  'v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 42000 RTP/AVP 0\r\n' +
  'a=rtpmap:0 PCMU/8000\r\n';

export interface SeenCall {
  readonly dialog: InboundDialog;
  readonly events: string[];
  readonly ladder: SipLadderEntry[];
}

/** `bindings`: it is a registrar, too. `replaces`: its calls can be taken over. */
type TestEndpointOptions = Partial<SipServerOptions> & {
  readonly bindings?: BindingStore;
  readonly replaces?: boolean;
};

/** By user name; each has the password `secret`. */
const ORGANISATIONS = new Map([
  ['alice', 'org'],
  ['dave', 'another'],
]);

/** A SipServer on a free loopback port that knows alice, and dave of another organisation, and notes all that happens. */
export class TestEndpoint {
  readonly server: SipServer;
  readonly calls: SeenCall[] = [];
  readonly rejected: Partial<Record<SipRejectReason, number>> = {};
  readonly errors: unknown[] = [];
  readonly warnings: object[] = [];
  retransmitted = 0;
  available = true;
  overload: Overload | null = null;
  onCall: (call: SeenCall) => void = () => {};

  constructor({ bindings, replaces = false, ...options }: TestEndpointOptions = {}) {
    const take = (dialog: InboundDialog): void => {
      const call: SeenCall = { dialog, events: [], ladder: [] };
      dialog.delegate = recordingDelegate(call.events, call.ladder);
      this.calls.push(call);
      this.onCall(call);
    };
    this.server = new SipServer({
      listen: [{ host: '127.0.0.1', port: 0 }],
      nonceKey: Buffer.alloc(32, 1),
      counters: {
        message: () => {},
        rejected: (reason) => (this.rejected[reason] = (this.rejected[reason] ?? 0) + 1),
        retransmitted: () => (this.retransmitted += 1),
      },
      logger: {
        ...noLogger,
        warn: (fields) => this.warnings.push(fields),
        error: (fields) => this.errors.push(fields),
      },
      delegate: {
        credentials: (username) => {
          const orgId = ORGANISATIONS.get(username);
          return orgId === undefined ? undefined : { username, password: 'secret', trunkId: 'trunk', orgId };
        },
        availability: () => ({ available: this.available, retryAfterSeconds: 3 }),
        overload: () => this.overload,
        onInvite: take,
        ...(replaces ? { onReplace: take } : {}),
        ...(bindings === undefined ? {} : { bindings }),
      },
      ...options,
    });
  }

  static async start(options: TestEndpointOptions = {}): Promise<TestEndpoint> {
    const endpoint = new TestEndpoint(options);
    await endpoint.server.start();
    return endpoint;
  }

  get port(): number {
    return this.server.addresses[0]!.port;
  }
}

export function recordingDelegate(events: string[], ladder: SipLadderEntry[] = []): DialogDelegate {
  return {
    onCancel: () => events.push('cancel'),
    onAck: (sdp) => events.push(sdp === null ? 'ack' : 'ack+sdp'),
    onUnreachable: (target, reason) => events.push(`unreachable ${target} ${reason}`),
    onProgress: (status) => events.push(`progress ${status}`),
    onAccept: (sdp) => events.push(sdp === null ? 'accept' : 'accept+sdp'),
    onReject: (outcome) => events.push(`reject ${JSON.stringify(outcome)}`),
    onBye: (reason) => events.push(reason === null ? 'bye' : `bye ${reason.protocol} ${reason.cause}`),
    onReoffer: (sdp) => {
      events.push(sdp === null ? 'reoffer' : 'reoffer+sdp');
      return { sdp: ANSWER };
    },
    onDtmf: (digit) => events.push(`dtmf ${digit}`),
    onMessage: (message) => ladder.push(message),
    onClosed: (cause) => events.push(`closed ${cause}`),
  };
}

/** Waits for something that another turn of the event loop brings. */
export async function until(what: () => boolean, timeoutMs = 2_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
