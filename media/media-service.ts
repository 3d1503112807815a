/**
 * The engine of a media node: SIP endpoint, calls, RTP, and the commands over them. It is given its directory and its
 * event sink, and knows nothing of where they come from.
 *
 *   constructed ──open()──► open ──drain()──► draining ──close()──► closed
 */
import type { CallDirectory, InboundTrunkProfile, Overload } from '../contract/directory';
import type { BindingStore } from '../contract/registration';
import { withDeadline } from '../ops/deadline';
import { CallRegistry } from './call/call-registry';
import type { CallDeps } from './call/call-session';
import { InboundCall, type InboundCallDeps } from './call/inbound-call';
import { NodeMediaControl } from './call/media-control';
import { RecentAttempts } from './call/recent-attempts';
import { GatewayRests } from './call/gateway-rests';
import type { TrunkCapacity } from './call/trunk-capacity';
import type { LegNetwork } from './call/transfer/far-leg';
import type { Clock } from './clock';
import type { DigestCredentials, SipIdentity } from './sip/auth/identity';
import type { SipEndpoint, SipEndpointDelegate } from './sip/endpoint';
import { TrunkMonitors } from './trunk/trunk-monitors';
import type { TrunkMonitorsOptions } from './trunk/trunk-monitors';

/** Live calls may end by themselves this long before they are hung up. */
const DRAIN_MS = 30_000;
/** After our BYE: for its answer and the last events. */
const HANG_UP_MS = 3000;

/** Calls that are being set up at once: as many as a node answers within a second or two, however they came. */
const MAX_SET_UPS = 128;
const TOO_MANY_SET_UPS: Overload = { reason: 'set_ups', share: 1 };

export interface MediaServiceOptions extends Omit<CallDeps, 'network'> {
  readonly nodeId: string;
  /** New at every start. */
  readonly bootId: string;
  readonly maxCalls: number;
  readonly directory: CallDirectory;
  readonly capacity: TrunkCapacity;
  readonly createEndpoint: (delegate: SipEndpointDelegate) => SipEndpoint;
  /** Digest credentials of an inbound user; default: the directory's trunks. */
  readonly credentials?: (username: string) => DigestCredentials | undefined;
  /** Where registrations are kept; without it nobody can register. */
  readonly bindings?: BindingStore;
}

export class MediaService {
  readonly control: NodeMediaControl;
  readonly calls: CallRegistry;
  readonly #options: MediaServiceOptions;
  readonly #endpoint: SipEndpoint;

  constructor(options: MediaServiceOptions) {
    this.#options = options;
    const { clock, directory, capacity, maxCalls, nodeId, bootId } = options;
    this.calls = new CallRegistry({ clock, maxCalls });
    const attempts = new RecentAttempts(clock);
    const rests = new GatewayRests(clock, capacity);
    const network: LegNetwork = { directory, capacity, rests, registry: this.calls, endpoint: () => this.#endpoint };
    const inbound: InboundCallDeps = { ...options, registry: this.calls, attempts, network };
    this.#endpoint = options.createEndpoint({
      onInvite: (dialog) => InboundCall.receive(dialog, inbound),
      onReplace: (dialog) => {
        const owner = dialog.invite.replaces?.dialog.delegate;
        if (owner?.onReplace === undefined) dialog.reject(603);
        else owner.onReplace(dialog);
      },
      credentials: options.credentials ?? ((username) => credentialsOf(directory, clock, username)),
      knownAt: (address) => {
        const trunk = directory.inboundTrunkAt(address);
        return trunk && identityOf(trunk);
      },
      availability: () => directory.availability(),
      overload: () => this.overload(),
      onDenied: (trunkId, source, why) =>
        attempts.note(trunkId, { source, status: why === 'other_uri' ? 400 : 403, why }),
      ...(options.bindings === undefined ? {} : { bindings: options.bindings }),
    });
    this.control = new NodeMediaControl({
      clock,
      directory,
      registry: this.calls,
      attempts,
      calls: { ...options, network, endpoint: this.#endpoint, nodeId, bootId },
    });
  }

  /** Whether more calls come than are answered soon; what is too much is refused. */
  overload(): Overload | null {
    return this.calls.settingUp >= MAX_SET_UPS ? TOO_MANY_SET_UPS : this.#options.directory.overload();
  }

  /** Opens the SIP sockets. */
  open(): Promise<void> {
    return this.#endpoint.start();
  }

  /** To be asked for once the sockets are open: it looks after no trunk before it is told to. */
  trunkMonitors(options: Pick<TrunkMonitorsOptions, 'delegate' | 'observer'>): TrunkMonitors {
    return new TrunkMonitors({ ...options, endpoint: this.#endpoint, clock: this.#options.clock });
  }

  /** No new calls; the live ones end by themselves within 30 s or are hung up, at once when `hurry` is aborted. */
  async drain(hurry: AbortSignal): Promise<void> {
    this.#endpoint.drain();
    const empty = this.calls.drain();
    if (this.calls.size > 0) this.#options.logger.info({ calls: this.calls.size }, 'waiting for calls to end');
    await withDeadline(empty, DRAIN_MS, { signal: hurry }).catch(() => undefined);
    if (this.calls.size === 0) return;
    this.#options.logger.warn({ calls: this.calls.size }, 'hanging up the calls that are left');
    this.calls.hangUpAll('node_drained', 'system');
    await withDeadline(empty, HANG_UP_MS).catch(() => undefined); // whoever is left ends with the sockets
  }

  /** Closes the sockets; what is not drained is left without a word. */
  async close(): Promise<void> {
    const left = { dialogs: this.#endpoint.dialogCount, rtpSessions: this.#options.rtp.sessionCount };
    await this.#endpoint.close();
    this.#options.logger.info(left, 'SIP sockets are closed');
  }
}

function credentialsOf(directory: CallDirectory, clock: Clock, username: string): DigestCredentials | undefined {
  const trunk = directory.inboundTrunk(username);
  // One that is known by its address has no use for a password, and whoever knows it none for the trunk.
  if (!trunk || trunk.auth === 'ip') return undefined;
  const { password, previousPassword: previous } = trunk;
  const isValid = previous != null && clock.epochMs() < previous.validUntilMs;
  const credentials = { ...identityOf(trunk), password };
  return isValid ? { ...credentials, previousPassword: previous.password } : credentials;
}

function identityOf({ id: trunkId, orgId, username, sources }: InboundTrunkProfile): SipIdentity {
  return { trunkId, orgId, username, ...(sources == null ? {} : { sources }) };
}
