/** Steps `codecs`, `sdp_address` and `test_call`: would two people hear each other? */
import { AUDIO_CODECS, CODECS_TO_ALLOW } from '../../../contract/audio-codecs';
import type { CheckStep } from '../../../contract/trunk-check';
import { dispositionOf } from '../disposition';
import { failed, passed, unclear, type Advice } from './check-step';
import type { ProbedTarget } from './reach-steps';
import { seenMedia, unroutable } from './seen-media';
import type { TestCallResult } from './test-call';

/** An SDP of the carrier, and where it came from. */
interface SeenSdp {
  readonly sdp: string;
  readonly peerAddress: string;
  /** In what: for the words. */
  readonly of: string;
}

const OURS = AUDIO_CODECS.join(' and ');
const ALLOW_OURS: Advice = {
  cause: `The carrier takes none of ${OURS} over plain RTP: it has other codecs alone, or demands SRTP.`,
  remedy: `Allow ${CODECS_TO_ALLOW} for this trunk at the carrier, and switch SRTP ("secure media") off.`,
};
const INNER_ADDRESS: Advice = {
  cause: 'The other side stands behind a NAT and tells its inner address: audio that is sent there does not arrive.',
  remedy:
    'Set the public address of that side (Asterisk: external_media_address; others: NAT, STUN or "advertised address"), and switch SIP ALG off in its router.',
};
const NOTHING_SEEN = 'Nothing is known of the media before a call: give test_number to check it.';

/** The test call's, else that of the answer to OPTIONS. */
function lastSdp(probed: readonly ProbedTarget[], call: TestCallResult | null): SeenSdp | null {
  if (call?.sdp != null)
    return { sdp: call.sdp, peerAddress: call.peerAddress ?? '', of: 'the answer to the test call' };
  const last = probed.at(-1);
  if (last?.outcome.kind !== 'answered' || last.outcome.sdp === null) return null;
  return { sdp: last.outcome.sdp, peerAddress: last.target.address, of: 'the answer to OPTIONS' };
}

export function codecsStep(probed: readonly ProbedTarget[], call: TestCallResult | null): CheckStep {
  const refusal = call === null ? null : incompatible(call);
  if (refusal !== null) return failed('codecs', null, `The test call was refused: ${refusal}.`, ALLOW_OURS);
  const seen = lastSdp(probed, call);
  if (seen === null) return unclear('codecs', null, NOTHING_SEEN);
  const media = seenMedia(seen.sdp);
  if (media === null) return unclear('codecs', null, `No audio in the SDP of ${seen.of}.`);
  const has = media.codecs.join(', ') || 'none';
  if (media.common.length > 0) {
    return passed('codecs', null, `In common: ${media.common.join(', ')} (${seen.of} has ${has}).`);
  }
  const transport = media.plain ? '' : ', none over plain RTP';
  return failed('codecs', null, `Nothing in common: ${seen.of} has ${has}${transport}; we have ${OURS}.`, ALLOW_OURS);
}

export function sdpAddressStep(probed: readonly ProbedTarget[], call: TestCallResult | null): CheckStep {
  const seen = lastSdp(probed, call);
  if (seen === null) return unclear('sdp_address', null, NOTHING_SEEN);
  const addresses = seenMedia(seen.sdp)?.addresses ?? [];
  if (addresses.length === 0) return unclear('sdp_address', null, `No address in the SDP of ${seen.of}.`);
  for (const address of addresses) {
    const scope = unroutable(address, seen.peerAddress);
    if (scope === null) continue;
    const detail = `The SDP of ${seen.of} names ${address} (${scope}), while its signalling comes from ${seen.peerAddress}.`;
    return failed('sdp_address', null, detail, INNER_ADDRESS);
  }
  return passed('sdp_address', null, `Audio goes to ${addresses.join(', ')}.`);
}

/** @param call null: none was placed, because `notPlaced` */
export function testCallStep(call: TestCallResult | null, notPlaced: string, durationMs: number | null): CheckStep {
  if (call === null) return unclear('test_call', null, notPlaced);
  if (call.answeredAtMs === null) return unanswered(call, durationMs);
  const { read, media } = call;
  if (!read?.ok) {
    const lack = read === null ? 'no SDP' : read.detail;
    const advice = read?.fault === 'address' ? INNER_ADDRESS : ALLOW_OURS;
    return failed('test_call', durationMs, `Answered, without audio that can be used: ${lack}.`, advice);
  }
  if (media === null) return unclear('test_call', durationMs, 'Answered; the figures of its audio were not to be had.');
  const early = call.endedByCallee ? ' The other side hung up first.' : '';
  const sent = `We sent ${media.packetsSent} packets`;
  if (media.packetsReceived === 0 && media.packetsForeign > 0) {
    const detail = `Answered. ${sent}; ${media.packetsForeign} came, all from another address than ${read.remote.address} of the SDP and than the signalling.${early}`;
    return failed('test_call', durationMs, detail, {
      cause: "The audio comes from a host that the SDP does not name. It is dropped: it could be anybody's.",
      remedy:
        'Let the other side name in its SDP the host that really sends its audio, or send it through the one it names.',
    });
  }
  if (media.packetsReceived === 0) {
    return failed('test_call', durationMs, `Answered, and one-way audio. ${sent}, and nothing came back.${early}`, {
      cause:
        'The audio of the other side does not reach this media node: its UDP ports are closed, or the address in our SDP is not the one it can be reached at.',
      remedy:
        'Open RTP_PORT_MIN to RTP_PORT_MAX for UDP towards the media node; behind a NAT forward them and set SIP_PUBLIC_HOST to the public address.',
    });
  }
  const heard = `${sent}, ${media.packetsReceived} came (${media.packetsLost} lost)`;
  const ours =
    media.remoteLossPct === null
      ? 'whether ours arrive the other side does not report'
      : `of ours the other side reports ${Math.round(media.remoteLossPct)} % lost`;
  const sound = media.framesHeard > 0 ? 'with sound in them' : 'all of them silence: whoever answered said nothing';
  return passed('test_call', durationMs, `Answered, audio both ways. ${heard}, ${sound}; ${ours}.${early}`);
}

/** The answer to the test call, where it refuses our media. */
function incompatible({ outcome, answeredAtMs }: TestCallResult): string | null {
  if (answeredAtMs !== null || outcome.kind !== 'status') return null;
  if (dispositionOf(outcome, null) !== 'media_incompatible') return null;
  return `${outcome.status} ${outcome.reason}`.trim();
}

const BY_DISPOSITION: Readonly<Record<string, Advice>> = {
  invalid_number: {
    cause: 'The carrier does not know this number, or not in this form (+ and country code).',
    remedy: 'Try another test_number; if none works, let the carrier take numbers in E.164.',
  },
  trunk_denied: {
    cause: 'The carrier does not let this call through: credentials, caller number, or a country that is not enabled.',
    remedy: "See the step authentication; then caller_number and the destinations in the carrier's settings.",
  },
  congestion: {
    cause: 'The carrier has no way for this call: no credit, a limit of calls, or a fault of its own.',
    remedy: 'Look at credit and limits with the carrier, and try again.',
  },
  media_incompatible: ALLOW_OURS,
  identity_rejected: {
    cause: 'The carrier does not accept the caller number (STIR/SHAKEN).',
    remedy: 'Use a caller_number that the carrier has given or verified.',
  },
  blocked: {
    cause: 'The call was blocked because of its caller number.',
    remedy: 'Use another caller_number, or clear the reputation of this one.',
  },
  trunk_unreachable: {
    cause: 'The INVITE found nobody.',
    remedy: 'See the step transport.',
  },
};

function unanswered(call: TestCallResult, durationMs: number | null): CheckStep {
  const { outcome, givenUp } = call;
  const disposition = dispositionOf(
    outcome,
    givenUp === null ? null : givenUp === 'ring_timeout' ? givenUp : 'canceled',
  );
  const said = outcome.kind === 'status' ? `${outcome.status} ${outcome.reason}`.trim() : wordsOf(outcome);
  switch (disposition) {
    case 'busy':
    case 'no_answer':
    case 'rejected':
      return unclear('test_call', durationMs, `The carrier put the call through, and nobody took it: ${said}.`, {
        cause: 'The number was busy, was declined, or nobody picked up in time.',
        remedy: 'Check again with a number that answers at once.',
      });
    case 'canceled':
      return unclear('test_call', durationMs, `The call was ended before it was answered (${givenUp ?? ''}).`);
    default: {
      const advice = BY_DISPOSITION[disposition] ?? {
        cause: `The carrier refused the call (${disposition}).`,
        remedy: 'Ask the carrier what its answer means.',
      };
      return failed('test_call', durationMs, `Not answered: ${said}.`, advice);
    }
  }
}

function wordsOf(outcome: Exclude<TestCallResult['outcome'], { kind: 'status' }>): string {
  if (outcome.kind === 'unreachable') return outcome.detail;
  return outcome.provisional === null ? 'nothing came back' : `nothing more after ${outcome.provisional}`;
}
