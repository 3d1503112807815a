/**
 * The engine of a media node: SIP endpoint, calls, RTP, and the commands over them. It is given its directory and its
 * event sink, and knows nothing of where they come from.
 *
 *   constructed ──open()──► open ──drain()──► draining ──close()──► closed
 */
import { CallRegistry } from './call/call-registry';
import { InboundCall, type InboundCallDeps } from './call/inbound-call';
import type { CallDeps } from './call/call-session';
import type { CallDirectory } from './control/contract';
import { NodeMediaControl } from './control/media-control';
import type { DigestCredentials } from './sip/auth/identity';
import type { SipEndpoint, SipEndpointDelegate } from './sip/endpoint';

/** Live calls may end by themselves this long before they are hung up. */
const DRAIN_MS = 30_000;
/** After our BYE: for its answer and the last events. */
const HANG_UP_MS = 3000;

export interface MediaNodeOptions extends CallDeps {
  readonly nodeId: string;
  /** New at every start. */
  readonly bootId: string;
  readonly maxCalls: number;
  readonly directory: CallDirectory;
  readonly createEndpoint: (delegate: SipEndpointDelegate) => SipEndpoint;
  /** Digest credentials of an inbound user; default: the directory's trunks. */
  readonly credentials?: (username: string) => DigestCredentials | undefined;
}

export class MediaNode {
  readonly control: NodeMediaControl;
  readonly calls: CallRegistry;
  readonly #options: MediaNodeOptions;
  readonly #endpoint: SipEndpoint;

  constructor(options: MediaNodeOptions) {
    this.#options = options;
    const { clock, directory, maxCalls, nodeId, bootId } = options;
    this.calls = new CallRegistry({ clock, maxCalls });
    const inbound: InboundCallDeps = { ...options, registry: this.calls };
    this.#endpoint = options.createEndpoint({
      onInvite: (dialog) => InboundCall.receive(dialog, inbound),
      credentials: options.credentials ?? ((username) => credentialsOf(directory, username)),
      availability: () => directory.availability(),
    });
    this.control = new NodeMediaControl({
      clock,
      directory,
      registry: this.calls,
      calls: { ...options, endpoint: this.#endpoint, nodeId, bootId },
    });
  }

  /** Opens the SIP sockets. */
  open(): Promise<void> {
    return this.#endpoint.start();
  }

  /** No new calls; the live ones end by themselves within 30 s or are hung up, at once when `hurry` is aborted. */
  async drain(hurry: AbortSignal): Promise<void> {
    this.#endpoint.drain();
    const empty = this.calls.drain();
    if (this.calls.size > 0) this.#options.logger.info({ calls: this.calls.size }, 'waiting for calls to end');
    await before(empty, DRAIN_MS, hurry);
    if (this.calls.size === 0) return;
    this.#options.logger.warn({ calls: this.calls.size }, 'hanging up the calls that are left');
    this.calls.hangUpAll('node_drained', 'system');
    await before(empty, HANG_UP_MS);
  }

  /** Closes the sockets; what is not drained is left without a word. */
  close(): Promise<void> {
    return this.#endpoint.close();
  }
}

function credentialsOf(directory: CallDirectory, username: string): DigestCredentials | undefined {
  const trunk = directory.inboundTrunk(username);
  if (!trunk) return undefined;
  return { trunkId: trunk.id, orgId: trunk.orgId, username: trunk.username, password: trunk.password };
}

/** Resolves with `promise`, after `limitMs`, or when `hurry` is aborted. */
async function before(promise: Promise<void>, limitMs: number, hurry?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, limitMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(done, done);
    if (hurry?.aborted) done();
    hurry?.addEventListener('abort', done, { once: true });
  });
}
