import { withDeadline } from '../../ops/deadline';
import { flowToTarget, targetName } from './edge/target-flow';
import { encodeUserPart, uriHost } from './message/uri';
import { contactTarget } from './registrar/binding-address';

import type { DialogContext } from './dialog-context';
import type { Flow } from './edge/flow';
import type { OutboundInvite, SipHost } from './invite';
import type { ContactTarget } from './registrar/binding-address';

/** A packet that is lost is sent again after 1 s; the call must know within 3 s. */
const TCP_CONNECT_MS = 2_000;
/** Where other addresses or hosts are left: for a connection, and for a name. */
const TCP_TRY_MS = 1_000;
const NAME_TRY_MS = 1_000;

type InviteOptions = Omit<OutboundInvite, 'offer' | 'beforeFailover'>;

/** An address to be tried, or a connection that is open. */
type Way = Pick<ContactTarget, 'connection' | 'address'>;

/**
 * Where the INVITE of a call may go: one host after the other, or one contact after the other of who is registered, and
 * of each host its addresses (RFC 3263 §4.3).
 */
export class InviteTargets {
  readonly #context: DialogContext;
  readonly #invite: InviteOptions;
  /** Those that were not tried yet: hosts, or registered contacts. */
  #hosts: readonly (SipHost | ContactTarget)[];
  /** The one that is tried, or whose record the contact that is tried stands in. */
  #host: SipHost;
  #contact: ContactTarget | null = null;
  /** What is left of its addresses. */
  #ways: readonly Way[] = [];
  readonly #addresses = new Set<string>();

  constructor(context: DialogContext, invite: InviteOptions) {
    this.#context = context;
    this.#invite = invite;
    const { contacts, gateways = [], target, nextHop = target } = invite;
    this.#hosts = contacts?.map(contactTarget) ?? (gateways.length === 0 ? [nextHop] : gateways);
    this.#host = target;
  }

  /** Values of Route: a registered contact may be reached by proxies only. */
  get routes(): readonly string[] {
    return this.#contact?.routes ?? [];
  }

  /** What is written to the target itself; a registered contact is called by its own (RFC 3261 §16.5). */
  get requestUri(): string {
    return this.#contact?.requestUri ?? this.recordUri;
  }

  /** Of whoever is called, and To. */
  get recordUri(): string {
    const { user } = this.#invite.target;
    const { host, port, transport } = this.#host;
    const at = port === null ? uriHost(host) : `${uriHost(host)}:${port}`;
    return `sip:${encodeUserPart(user)}@${at}${transport === 'tcp' ? ';transport=tcp' : ''}`;
  }

  /** The one that is tried. */
  get host(): SipHost {
    return this.#host;
  }

  /** Another host was not tried yet. */
  get hostLeft(): boolean {
    return this.#hosts.length > 0;
  }

  /** Another address of the same host, or another host. */
  get wayLeft(): boolean {
    return this.#ways.length > 0 || this.hostLeft;
  }

  /** The address is one of those that the hosts so far have. */
  includes(address: string): boolean {
    return this.#addresses.has(address);
  }

  /** Goes on to the next host that has addresses; false when none is left. */
  async nextHost(onUnreachable: (target: string, error: unknown) => void): Promise<boolean> {
    for (;;) {
      const [host, ...rest] = this.#hosts;
      if (host === undefined) return false;
      this.#hosts = rest;
      try {
        this.#ways = 'requestUri' in host ? [host] : await this.#waysTo(host);
      } catch (error) {
        onUnreachable('host' in host ? host.host : '', error);
        continue;
      }
      for (const { address, connection } of this.#ways) {
        for (const one of [address, connection]) if (one !== null) this.#addresses.add(one.address);
      }
      if ('requestUri' in host) this.#contact = host;
      else if (this.#invite.nextHop === undefined) this.#host = host;
      return true;
    }
  }

  nextWay(): Way | undefined {
    const [way, ...rest] = this.#ways;
    this.#ways = rest;
    return way;
  }

  /** No other address of the host that is tried. */
  leaveHost(): void {
    this.#ways = [];
  }

  /**
   * @param requestBytes weight of the INVITE: above a limit it goes by TCP
   * @throws Error when the peer cannot be reached by it
   */
  async flowBy({ address: target, connection }: Way, requestBytes: number): Promise<Flow> {
    const { edge } = this.#context;
    const open = connection === null ? undefined : edge.openTcpFlow(connection.address, connection.port);
    if (open !== undefined) return open;
    if (target === null) throw new Error('its connection is closed');
    // The flow of a registered contact is the only way to it.
    const mayGrow = this.#contact === null && this.#invite.transportStrict !== true;
    return flowToTarget(edge, target, {
      connectMs: this.wayLeft ? TCP_TRY_MS : TCP_CONNECT_MS,
      requestBytes: mayGrow ? requestBytes : 0,
    });
  }

  async #waysTo({ host, port, transport }: SipHost): Promise<readonly Way[]> {
    const found = this.#context.resolve(host, port, transport);
    const limit = { timers: this.#context.clock, message: 'no answer of a name server' };
    const addresses = await (this.hostLeft ? withDeadline(found, NAME_TRY_MS, limit) : found);
    return addresses.map((address) => ({ address, connection: null }));
  }
}

export function nameOfWay({ address, connection }: Way): string {
  if (address !== null) return targetName(address);
  return connection === null ? '' : targetName({ ...connection, transport: 'tcp' });
}
