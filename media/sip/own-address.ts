import { uriHost } from './message/uri';

import type { SipEdge } from './edge/edge';
import type { Flow } from './edge/flow';
import type { SipTransport } from './peer';

/** Where a peer reaches us. */
export class OwnAddress {
  /** Bare, as SDP has it. */
  readonly host: string;
  /** Host and port as they stand in Via. */
  readonly sentBy: string;

  constructor(host: string, port: number) {
    this.host = host;
    this.sentBy = `${uriHost(host)}:${port}`;
  }

  /** Value of Contact. @param user escaped; may be empty @param parameters further ones of the URI, each after its semicolon */
  contact(user: string, transport: SipTransport, parameters = ''): string {
    const parameter = transport === 'tcp' ? ';transport=tcp' : '';
    return `<sip:${user === '' ? '' : `${user}@`}${this.sentBy}${parameter}${parameters}>`;
  }
}

/** Our address for each peer: the public host when one is configured, else that of the route to the peer. */
export class OwnAddresses {
  readonly #edge: SipEdge;
  readonly #publicHost: string | undefined;

  constructor(edge: SipEdge, publicHost: string | undefined) {
    this.#edge = edge;
    this.#publicHost = publicHost;
  }

  /** Undefined when the kernel must be asked for the route first. */
  known(flow: Flow): OwnAddress | undefined {
    const host = this.#publicHost ?? this.#edge.knownLocalAddress(flow);
    return host === undefined ? undefined : this.#of(host);
  }

  async towards(address: string): Promise<OwnAddress> {
    return this.#of(this.#publicHost ?? (await this.#edge.localAddress(address)));
  }

  #of(host: string): OwnAddress {
    return new OwnAddress(host, this.#edge.port);
  }
}
