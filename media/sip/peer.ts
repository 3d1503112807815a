export type SipTransport = 'udp' | 'tcp' | 'tls';

/** The other end of a socket. */
export interface SipPeer {
  readonly transport: SipTransport;
  readonly address: string;
  readonly port: number;
}

/** Tells one flow from all others. */
export function flowName({ transport, address, port }: SipPeer): string {
  return `${transport} ${address} ${port}`;
}
