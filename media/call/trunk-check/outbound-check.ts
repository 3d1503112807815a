/**
 * The check of an outbound trunk, as its calls would go: names, transport, OPTIONS, where we register a REGISTER that
 * changes nothing, and with a test number one call. It goes nowhere but to the trunk's own hosts, and shows nothing of its
 * password.
 */
import type { OutboundTrunkProfile } from '../../../contract/directory';
import type {
  CheckedCall,
  CheckStep,
  CheckVerdict,
  OutboundTrunkCheck,
  OutboundTrunkReport,
} from '../../../contract/trunk-check';
import type { NamedTarget } from '../../sip/edge/target-lookup';
import { queryRegistration, type RegistrationQueryResult } from '../../sip/registration/registration-query';
import type { OutboundCallDeps } from '../outbound-call';
import type { CallRegistry } from '../call-registry';
import type { TrunkCapacity } from '../trunk-capacity';
import { dispositionOf } from '../disposition';
import { calledHosts } from '../trunk-invite';
import { authenticationStep, deniesCredentials } from './credential-step';
import { codecsStep, sdpAddressStep, testCallStep } from './media-steps';
import { dnsStep, optionsStep, transportStep, type LookedUpHost, type ProbedTarget } from './reach-steps';
import { deniesRegistration, registrationStep } from './registration-step';
import { answerOf } from './target-answer';
import { TestCall, type TestCallResult } from './test-call';

/** All of it, names and addresses and the call: its workflow waits for 25 s. */
const WHOLE_MS = 23_000;
const PROBING_MS = 6_000;
const CONNECT_MS = 2_000;
const ANSWER_MS = 3_000;
const LONGEST_RING_MS = 14_000;
const SILENCE_MS = 5_000;
const TALK_MS = 3_000;
/** For the answer to a CANCEL and the figures of the audio. */
const ENDING_MS = 2_000;
/** Of hosts with very many. */
const MAX_TARGETS = 4;

export interface OutboundCheckDeps extends Pick<OutboundCallDeps, 'clock' | 'rtp' | 'endpoint'> {
  readonly registry: CallRegistry;
  readonly capacity: TrunkCapacity;
}

export async function checkOutboundTrunk(
  deps: OutboundCheckDeps,
  trunk: OutboundTrunkProfile,
  check: OutboundTrunkCheck,
): Promise<OutboundTrunkReport> {
  const { clock, endpoint } = deps;
  const startedMs = clock.now();
  const lookUp = async (host: NamedTarget): Promise<LookedUpHost> => ({ host, lookup: await endpoint.lookUp(host) });
  const hosts = await Promise.all(calledHosts(trunk).map(lookUp));
  const dns = dnsStep(hosts, clock.now() - startedMs);
  const probed = await probeInTurn(deps, trunk, hosts);
  const notAsked = whyNotAsked(probed);
  const query = trunk.register && notAsked === null ? await askRegistrar(deps, trunk, probed) : null;
  const notPlaced = whyNotPlaced(check, dns, probed, query);
  const callStartedMs = clock.now();
  const leftMs = startedMs + WHOLE_MS - callStartedMs - TALK_MS - ENDING_MS;
  const ringMs = Math.min(LONGEST_RING_MS, leftMs);
  const placed = notPlaced === null ? await placeTestCall(deps, trunk, check, ringMs) : null;
  const call = placed !== null && 'result' in placed ? placed.result : null;
  const callMs = placed === null ? null : clock.now() - callStartedMs;
  const refused = placed !== null && 'refusal' in placed ? placed.refusal : null;
  const steps = [
    dns,
    transportStep(probed, call, query),
    optionsStep(probed),
    authenticationStep(probed, call),
    ...(trunk.register
      ? [
          registrationStep(
            query,
            notAsked ?? 'Not asked: the host that we register with has no address.',
            check.keptRegistration,
          ),
        ]
      : []),
    codecsStep(probed, call),
    sdpAddressStep(probed, call),
    testCallStep(call, refused ?? notPlaced ?? '', callMs),
  ];
  const record = placed !== null && 'record' in placed ? placed.record : null;
  return { ok: verdictOf(steps), steps, call: record };
}

/** In the order of a call, until one is there. */
async function probeInTurn(
  { clock, endpoint }: OutboundCheckDeps,
  trunk: OutboundTrunkProfile,
  hosts: readonly LookedUpHost[],
): Promise<ProbedTarget[]> {
  const probed: ProbedTarget[] = [];
  const untilMs = clock.now() + PROBING_MS;
  const ways = hosts.flatMap(({ host, lookup }) => lookup.targets.map((target) => ({ host, target })));
  for (const { host, target } of ways.slice(0, MAX_TARGETS)) {
    const startedMs = clock.now();
    const leftMs = untilMs - startedMs;
    if (leftMs <= 0) break;
    const outcome = await answerOf(endpoint.outOfDialog, {
      target,
      server: host,
      fromUser: trunk.callerNumber,
      credentials: { username: trunk.username, password: trunk.password },
      connectMs: Math.min(CONNECT_MS, leftMs),
      timeoutMs: Math.min(ANSWER_MS, leftMs),
    });
    probed.push({ target, outcome, durationMs: clock.now() - startedMs });
    const connected = outcome.kind === 'silent' && target.transport === 'tcp';
    if (outcome.kind === 'answered' || connected) break;
  }
  return probed;
}

/** We register with the trunk's host, also where its calls go to gateways. Null: that has no address. */
async function askRegistrar(
  { endpoint }: OutboundCheckDeps,
  trunk: OutboundTrunkProfile,
  probed: readonly ProbedTarget[],
): Promise<RegistrationQueryResult | null> {
  const { gateways = [] } = trunk;
  const target = gateways.length === 0 ? probed.at(-1)?.target : (await endpoint.lookUp(trunk)).targets[0];
  return target === undefined
    ? null
    : await queryRegistration(endpoint.outOfDialog, { trunk, target, timeoutMs: ANSWER_MS });
}

function whyNotAsked(probed: readonly ProbedTarget[]): string | null {
  const last = probed.at(-1);
  if (last === undefined) return 'Not asked: there is no address to go to.';
  if (last.outcome.kind === 'unreachable') return 'Not asked: the carrier was not reached.';
  // Once more with the same credentials, and some lock the user.
  return deniesCredentials(probed) ? 'Not asked: the carrier has refused the credentials.' : null;
}

function whyNotPlaced(
  check: OutboundTrunkCheck,
  dns: CheckStep,
  probed: readonly ProbedTarget[],
  query: RegistrationQueryResult | null,
): string | null {
  if (check.testNumber === null) return 'Not placed: no test_number was given.';
  if (dns.ok !== true) return 'Not placed: there is no address to call.';
  if (probed.at(-1)?.outcome.kind === 'unreachable') return 'Not placed: the carrier was not reached.';
  if (deniesCredentials(probed) || deniesRegistration(query))
    return 'Not placed: the carrier has refused the credentials.';
  return null;
}

type PlacedTestCall = { readonly result: TestCallResult; readonly record: CheckedCall } | { readonly refusal: string };

async function placeTestCall(
  { clock, rtp, endpoint, registry, capacity }: OutboundCheckDeps,
  trunk: OutboundTrunkProfile,
  check: OutboundTrunkCheck,
  ringMs: number,
): Promise<PlacedTestCall> {
  const to = check.testNumber ?? '';
  const startedAtMs = clock.epochMs();
  const call = new TestCall({
    trunk,
    to,
    sipCallId: check.sipCallId,
    ringMs,
    silenceMs: SILENCE_MS,
    talkMs: TALK_MS,
    deps: { clock, rtp, endpoint },
  });
  const admission = registry.enter(call);
  if (admission !== null) return { refusal: `Not placed: the media node takes no call now (${admission}).` };
  const giveBack = await capacity.occupy({ orgId: trunk.orgId, trunkId: trunk.id });
  if (giveBack === null) {
    registry.leave(call);
    return { refusal: 'Not placed: the trunk has no room for a call, or for one in this second.' };
  }
  try {
    const result = await call.run();
    const times = { startedAtMs, endedAtMs: clock.epochMs() };
    return {
      result,
      record: { ...times, ...recordOf(result), from: trunk.callerNumber, to, sipCallId: check.sipCallId },
    };
  } catch {
    return { refusal: 'Not placed: the media node has no port for its audio.' };
  } finally {
    registry.leave(call);
    giveBack();
  }
}

function recordOf(
  result: TestCallResult,
): Omit<CheckedCall, 'from' | 'to' | 'sipCallId' | 'startedAtMs' | 'endedAtMs'> {
  const { outcome, givenUp, answeredAtMs, read, endedByCallee } = result;
  const answer = outcome.kind === 'status' ? outcome : null;
  const said = {
    answeredAtMs,
    finalStatus: answer?.status ?? null,
    reason: answer?.reason ?? (outcome.kind === 'unreachable' ? outcome.detail : null),
    q850: answer?.q850 ?? null,
  };
  if (answeredAtMs !== null && read?.ok === true) {
    const endReason = endedByCallee ? 'callee_hangup' : endReasonOf(givenUp);
    return { ...said, disposition: 'answered', endReason, endedBy: endedByCallee ? 'callee' : 'api' };
  }
  if (answeredAtMs !== null) return { ...said, disposition: 'media_incompatible', endReason: null, endedBy: 'system' };
  const own = givenUp === null ? null : givenUp === 'ring_timeout' ? givenUp : 'canceled';
  const disposition = dispositionOf(outcome, own);
  const endReason = disposition === 'canceled' ? endReasonOf(givenUp) : null;
  return { ...said, disposition, endReason, endedBy: answer === null || own !== null ? 'system' : 'callee' };
}

function endReasonOf(givenUp: TestCallResult['givenUp']): CheckedCall['endReason'] {
  return givenUp === null || givenUp === 'ring_timeout' ? 'api_hangup' : givenUp;
}

/** What nobody has heard anything of is neither well nor broken. */
function verdictOf(steps: readonly CheckStep[]): CheckVerdict {
  if (steps.some(({ ok }) => ok === false)) return false;
  return steps.find(({ step }) => step === 'transport')?.ok ?? null;
}
