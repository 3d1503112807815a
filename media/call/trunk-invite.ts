/** What an outbound trunk makes of every INVITE that goes through it: where it goes, from whom, and what it carries. */
import type { Gateway, OutboundTrunkProfile } from '../../contract/directory';
import { orderSrv } from '../sip/edge/service-records';
import type { OutboundInvite } from '../sip/invite';
import type { NamedTarget } from '../sip/edge/target-lookup';
import { calledUser, callerUser } from './number-format';

/** @param called E.164; @param caller as recorded */
export function trunkInvite(
  trunk: OutboundTrunkProfile,
  called: string,
  caller: string,
): Pick<
  OutboundInvite,
  'target' | 'gateways' | 'fromUser' | 'fromHost' | 'headers' | 'transportStrict' | 'credentials'
> {
  const { host, port, transport, username, password, fromHost = null, transportStrict = false } = trunk;
  return {
    target: { user: calledUser(called, trunk), host, port, transport },
    gateways: gatewaysInOrder(trunk),
    fromUser: callerUser(caller, trunk),
    fromHost,
    headers: Object.entries(trunk.headers ?? {}),
    transportStrict,
    credentials: { username, password },
  };
}

/** Where an INVITE goes, the next host when one is of no use. */
export function calledHosts(trunk: OutboundTrunkProfile): readonly NamedTarget[] {
  const gateways = gatewaysInOrder(trunk);
  return gateways.length === 0 ? [trunk] : gateways;
}

/** Drawn anew for each call. */
function gatewaysInOrder({ gateways = [] }: OutboundTrunkProfile): readonly Gateway[] {
  return orderSrv(gateways, Math.random);
}

/** Of which family media will be: that of the first host tried. */
export const firstHost = (trunk: OutboundTrunkProfile): string => trunk.gateways?.[0]?.host ?? trunk.host;

/** An RTP port is opened before the route is known: on all addresses of the family that the host is written in. */
export function wildcardFor(host: string): string {
  return host.includes(':') ? '::' : '0.0.0.0';
}
