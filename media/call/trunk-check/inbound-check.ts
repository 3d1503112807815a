/** What this node knows of an inbound trunk: its credentials, its own endpoint, its ports, and who has tried lately. */
import type { CallDirectory } from '../../../contract/directory';
import type { InboundTrunkCheck, InboundTrunkFindings } from '../../../contract/trunk-check';
import type { Clock } from '../../clock';
import type { RtpEngine } from '../../rtp/rtp-session';
import { DEFAULT_SIP_PORT, whyUnreachable } from '../../sip/edge/resolver';
import type { SipEndpoint } from '../../sip/endpoint';
import type { RecentAttempts } from '../recent-attempts';
import { answerOf } from './target-answer';

export interface InboundCheckDeps {
  readonly clock: Clock;
  readonly directory: CallDirectory;
  readonly rtp: RtpEngine;
  readonly endpoint: SipEndpoint;
  readonly attempts: Pick<RecentAttempts, 'of'>;
}

const ANSWER_MS = 2_000;
const PRODUCT = /^Trunkline\b/;

export async function checkInboundTrunk(
  deps: InboundCheckDeps,
  { trunkId, username, sipEndpoint }: InboundTrunkCheck,
): Promise<InboundTrunkFindings> {
  const { available, reason } = deps.directory.availability();
  const [endpoint, mediaPort] = await Promise.all([askEndpoint(deps, sipEndpoint), openMediaPort(deps)]);
  return {
    knowsTrunk: deps.directory.inboundTrunk(username)?.id === trunkId,
    unavailable: available ? null : (reason ?? 'unavailable'),
    endpoint,
    attempts: deps.attempts.of(trunkId),
    mediaPort,
  };
}

/** As a phone system would: by the name that it is told. */
async function askEndpoint(
  { clock, endpoint }: InboundCheckDeps,
  sipEndpoint: string,
): Promise<InboundTrunkFindings['endpoint']> {
  const startedMs = clock.now();
  const { host, port } = hostAndPort(sipEndpoint);
  const { targets, failure } = await endpoint.lookUp({ host, port, transport: 'udp' });
  const addresses = targets.map(({ address }) => address);
  const [target] = targets;
  const found = { addresses, status: null, ours: false };
  if (target === undefined) {
    return { ...found, error: `no address (${failure ?? 'none'})`, durationMs: clock.now() - startedMs };
  }
  const outcome = await answerOf(endpoint.outOfDialog, {
    target,
    server: { host, port, transport: 'udp' },
    fromUser: '',
    credentials: null,
    timeoutMs: ANSWER_MS,
  });
  const durationMs = clock.now() - startedMs;
  if (outcome.kind === 'answered') {
    return { ...found, status: outcome.status, ours: PRODUCT.test(outcome.server), error: null, durationMs };
  }
  const error = outcome.kind === 'silent' ? 'no answer' : whyUnreachable(outcome.error);
  return { ...found, error, durationMs };
}

async function openMediaPort({ clock, rtp }: InboundCheckDeps): Promise<InboundTrunkFindings['mediaPort']> {
  const startedMs = clock.now();
  try {
    const session = await rtp.open({ localAddress: '0.0.0.0' });
    await session.close();
    return { port: session.localPort, error: null, durationMs: clock.now() - startedMs };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { port: null, error: message, durationMs: clock.now() - startedMs };
  }
}

/** `host`, `host:port`, `[IPv6]`, `[IPv6]:port` */
function hostAndPort(sipEndpoint: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(sipEndpoint) ?? [];
  return { host: bracketed ?? (plain || sipEndpoint), port: port === undefined ? DEFAULT_SIP_PORT : Number(port) };
}
