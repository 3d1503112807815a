/** The check of an inbound trunk, in words: why does the phone system get nothing? */
import { CODECS_TO_ALLOW } from '../../contract/audio-codecs';
import type { InboundAttempt, InboundTrunkFindings } from '../../contract/trunk-check';
import { addressScope } from '../../ops/address-scope';
import type { FoundBinding } from '../../store/repositories/registration-repository';
import type { TrunkCheckResource } from '../schemas/trunk-check';
import { registrationView } from '../views';
import type { CheckFindings } from './trunk-checks';

type Step = TrunkCheckResource['steps'][number];

interface Advice {
  readonly cause: string;
  readonly remedy: string;
}

/** A number, and who would answer it. */
export interface RoutedNumber {
  /** Null: any number that is not on the trunk. */
  readonly phoneNumber: string | null;
  readonly agentId: string | null;
  readonly reason: string;
}

export interface InboundCheckFacts {
  readonly sipEndpoint: string;
  readonly username: string;
  readonly phoneNumbers: readonly string[];
  readonly routed: readonly RoutedNumber[];
  readonly registered: readonly FoundBinding[];
  readonly checked: CheckFindings<InboundTrunkFindings>;
}

const MAX_ATTEMPTS = 5;
const MAX_REGISTRATIONS = 5;

export function inboundSteps(facts: InboundCheckFacts): Step[] {
  return [
    credentialsStep(facts),
    endpointStep(facts),
    numbersStep(facts),
    registrationsStep(facts),
    recentAttemptsStep(facts),
    mediaPortStep(facts),
  ];
}

/** What the steps come to. */
export function inboundVerdict(steps: readonly Step[]): boolean {
  return steps.every(({ ok }) => ok !== false);
}

function credentialsStep({ username, checked }: InboundCheckFacts): Step {
  const { nodes, silent, unknowing } = checked;
  const late = nodes.filter(({ findings }) => !findings.knowsTrunk).length + unknowing;
  const knowing = nodes.length + unknowing - late;
  const detail = `User name ${username}: ${knowing} of ${nodes.length + unknowing + silent.length} media nodes let it in.`;
  if (late > 0) {
    return failed('credentials', null, detail, {
      cause:
        'A media node does not act on the present credentials: it cannot read the configuration, or the organisation is suspended.',
      remedy: "Check again in a few seconds. If it stays, look at that node's log and its connection to PostgreSQL.",
    });
  }
  if (silent.length > 0) {
    return unclear('credentials', null, `${detail} No answer of ${silent.join(', ')}.`, {
      cause: 'A media node that was seen a moment ago does not answer: it is overloaded, stopping, or cut off.',
      remedy: "Look at GET /ready and at that node's log.",
    });
  }
  return passed('credentials', null, detail);
}

function endpointStep({ sipEndpoint, checked }: InboundCheckFacts): Step {
  const seen = checked.nodes.map(({ findings }) => findings.endpoint);
  const best = seen.find(({ ours, status }) => ours && status === 200) ?? seen.find(({ ours }) => ours) ?? seen[0];
  const step = 'endpoint';
  if (best === undefined) return unclear(step, null, 'Not looked at: no media node answered.', NO_ADVICE);
  const { addresses, status, ours, error, durationMs } = best;
  const where = addresses.length === 0 ? sipEndpoint : `${sipEndpoint} (${addresses.join(', ')})`;
  if (addresses.length === 0) {
    return failed(step, durationMs, `${where}: ${error ?? 'no address'}.`, {
      cause: 'The name that phone systems are told has no address.',
      remedy: 'Set SIP_PUBLIC_HOST to a name that the DNS knows, or to the public address itself.',
    });
  }
  if (status !== null && !ours) {
    return failed(step, durationMs, `${where} answers OPTIONS with ${status}, and is not this server.`, {
      cause: 'Another SIP server listens where phone systems are sent: calls go there.',
      remedy: 'Let SIP_PUBLIC_HOST and SIP_PORT name a media node, or have that server pass the calls on.',
    });
  }
  if (status !== null && status !== 200) {
    const unavailable = checked.nodes.flatMap(({ findings }) => findings.unavailable ?? []);
    return failed(step, durationMs, `${where} answers OPTIONS with ${status} (${unavailable.join(', ') || 'busy'}).`, {
      cause: 'The media node takes no calls now: it is full, stopping, or without Temporal or PostgreSQL.',
      remedy: 'See GET /ready for what is missing.',
    });
  }
  if (status === null) {
    return unclear(step, durationMs, `${where} does not answer from inside: ${error ?? 'no answer'}.`, {
      cause: 'A firewall stands before the SIP port, or a router does not lead its own public address back inside.',
      remedy:
        'Send OPTIONS from outside (sipsak -s sip:… or the phone system itself). Without an answer there, open SIP_PORT for UDP and TCP and forward it to the media node.',
    });
  }
  const near = addresses.find((address) => !['public', 'documentation'].includes(addressScope(address)));
  if (near !== undefined) {
    return unclear(step, durationMs, `${where} answers, at a ${addressScope(near)} address.`, {
      cause: 'Phone systems and carriers outside this network cannot reach it.',
      remedy:
        'For them set SIP_PUBLIC_HOST to the public address and forward SIP_PORT and the RTP ports. Inside nothing is to be done.',
    });
  }
  return passed(step, durationMs, `${where} answers.`);
}

function numbersStep({ phoneNumbers, routed }: InboundCheckFacts): Step {
  const told = routed.map(({ phoneNumber, agentId, reason }) => {
    const number = phoneNumber ?? 'any other number';
    return agentId === null ? `${number}: nobody answers (${reason})` : `${number}: agent ${agentId}`;
  });
  const listed = phoneNumbers.length === 1 ? '1 number is' : `${phoneNumbers.length} numbers are`;
  const detail = `${listed} on the trunk. ${told.join('; ')}.`;
  if (routed.every(({ agentId }) => agentId !== null)) return passed('numbers', null, detail);
  return failed('numbers', null, detail, {
    cause: 'A call to such a number is refused with 480: no agent is assigned to it, and none is of type inbound.',
    remedy: 'Create an agent of type inbound, or assign the number to an agent (PUT …/agents/{id}/inbound-numbers).',
  });
}

function registrationsStep({ registered }: InboundCheckFacts): Step {
  const step = 'registrations';
  if (registered.length === 0) {
    return unclear(step, null, 'Nobody has registered.', {
      cause: 'A phone system that only sends its calls here need not; one that is to be called through the trunk must.',
      remedy:
        'Where it is to be called, let it register at sip_endpoint with auth_username and auth_password, and look at its own log for the answer.',
    });
  }
  const told = registered.slice(0, MAX_REGISTRATIONS).map(({ binding, held }) => {
    const { contact, source, transport, user_agent: agent, expires_at: until } = registrationView(binding);
    const holder = held ? `at media node ${binding.nodeId}` : `media node ${binding.nodeId} that held it is gone`;
    return `${contact} from ${source}/${transport}${agent === null ? '' : ` (${agent})`} until ${until}, ${holder}`;
  });
  const more = registered.length - told.length;
  const detail = `${told.join('; ')}${more === 0 ? '' : `; and ${more} more`}.`;
  if (registered.some(({ held }) => held)) return passed(step, null, detail);
  return unclear(step, null, detail, {
    cause:
      'The media node that the phone system registered at is gone; its connection, or the way through its NAT, with it.',
    remedy:
      'It is reached again when it registers anew, at the latest when its registration expires; restart it to have that at once.',
  });
}

function recentAttemptsStep({ checked }: InboundCheckFacts): Step {
  const step = 'recent_attempts';
  const attempts = checked.nodes
    .flatMap(({ findings }) => findings.attempts)
    .sort((a, b) => b.atMs - a.atMs)
    .slice(0, MAX_ATTEMPTS);
  const [latest] = attempts;
  if (latest === undefined) {
    return unclear(step, null, 'No INVITE with this user name since the media nodes were started.', {
      cause:
        'The phone system sends its calls elsewhere, has another user name, or answers no challenge (401): none of these can be told whose they are.',
      remedy:
        "Compare its SIP server and user name with sip_endpoint and auth_username; then look whether its second INVITE has an Authorization header (its own log, or trunkline_sip_rejects_total on the media node's /metrics).",
    });
  }
  const detail = attempts
    .map(({ atMs, source, status, why }) => `${new Date(atMs).toISOString()} from ${source}: ${status} ${wordsOf(why)}`)
    .join('; ');
  const advice = adviceFor(latest);
  return advice === null ? passed(step, null, `${detail}.`) : failed(step, null, `${detail}.`, advice);
}

const wordsOf = (why: string): string => why.replaceAll('_', ' ');

const ALLOW_OURS: Advice = {
  cause: 'The phone system offered no codec that this server has.',
  remedy: `Allow ${CODECS_TO_ALLOW} there.`,
};

const BY_REFUSAL: Readonly<Record<string, Advice>> = {
  wrong_password: {
    cause: 'The user name is right, the password is not. After several such tries its address is kept waiting.',
    remedy: 'Copy auth_password of GET /phone/sip/inbound-trunk into the phone system.',
  },
  other_uri: {
    cause: 'The phone system signs another URI than it calls.',
    remedy: 'Look at its outbound proxy and domain settings: both must be sip_endpoint.',
  },
  sdp_codec: ALLOW_OURS,
  sdp_transport: {
    cause: 'The phone system offered encrypted audio (SRTP) alone.',
    remedy: 'Switch SRTP off for this trunk there.',
  },
  sdp_address: {
    cause: 'The address in its SDP cannot be sent to.',
    remedy: 'Set the external address of the phone system, and switch SIP ALG off in its router.',
  },
  no_agent: {
    cause: 'No agent answers: none is assigned to the number, and none is of type inbound.',
    remedy: 'See the step numbers.',
  },
  no_request_user: {
    cause: 'The INVITE named nobody: its Request-URI has no number.',
    remedy: "Look at the phone system's dial string: it must send the called number to sip_endpoint.",
  },
};

/** Null: the latest call was answered. */
function adviceFor({ why, status }: InboundAttempt): Advice | null {
  if (why === 'answered') return null;
  const known = BY_REFUSAL[why];
  if (known !== undefined) return known;
  if (status === 488) return { cause: 'The audio that was offered cannot be used.', remedy: ALLOW_OURS.remedy };
  if (status === 503) {
    return {
      cause: 'The media node could not take the call: full, stopping, or without Temporal.',
      remedy: 'See GET /ready; Retry-After of the answer says when to come again.',
    };
  }
  return { cause: `The call was refused (${wordsOf(why)}).`, remedy: "Look at the media node's log of that time." };
}

function mediaPortStep({ checked }: InboundCheckFacts): Step {
  const step = 'media_port';
  if (checked.nodes.length === 0) return unclear(step, null, 'Not looked at: no media node answered.', NO_ADVICE);
  for (const { nodeId, findings } of checked.nodes) {
    const { port, error, durationMs } = findings.mediaPort;
    if (port !== null) continue;
    return failed(step, durationMs, `${nodeId}: ${error ?? 'no port'}.`, {
      cause: 'No UDP port is left for audio.',
      remedy: 'Widen RTP_PORT_MIN to RTP_PORT_MAX, or look what else holds these ports.',
    });
  }
  const { durationMs } = checked.nodes[0]!.findings.mediaPort;
  return passed(
    step,
    durationMs,
    'A port for audio could be opened. Whether it can be reached from outside, a call tells.',
  );
}

const NO_ADVICE = { cause: null, remedy: null };

function passed(step: string, durationMs: number | null, detail: string): Step {
  return { step, ok: true, duration_ms: tenths(durationMs), detail, cause: null, remedy: null };
}

function failed(step: string, durationMs: number | null, detail: string, advice: Advice): Step {
  return { step, ok: false, duration_ms: tenths(durationMs), detail, ...advice };
}

function unclear(step: string, durationMs: number | null, detail: string, advice: Advice | typeof NO_ADVICE): Step {
  return { step, ok: null, duration_ms: tenths(durationMs), detail, ...advice };
}

const tenths = (ms: number | null): number | null => (ms === null ? null : Math.round(ms * 10) / 10);
