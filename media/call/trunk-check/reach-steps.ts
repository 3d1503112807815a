/** Steps `dns`, `transport` and `options`: is the carrier where the trunk says, and does it speak SIP? */
import type { CheckStep } from '../../../contract/trunk-check';
import { whyUnreachable, type ResolvedTarget } from '../../sip/edge/resolver';
import type { NamedTarget, TargetLookup } from '../../sip/edge/target-lookup';
import { uriHost } from '../../sip/message/uri';
import { failed, passed, unclear, type Advice } from './check-step';
import type { RegistrationQueryResult } from '../../sip/registration/registration-query';
import type { TargetAnswer } from './target-answer';
import type { TestCallResult } from './test-call';

/** A host that calls go to, and what the name servers say of it. */
export interface LookedUpHost {
  readonly host: NamedTarget;
  readonly lookup: TargetLookup;
}

/** An address that was tried. */
export interface ProbedTarget {
  readonly target: ResolvedTarget;
  readonly outcome: TargetAnswer;
  readonly durationMs: number;
}

const DNS_ADVICE: Readonly<Record<NonNullable<TargetLookup['failure']>, Advice>> = {
  not_found: {
    cause: 'The name servers know no address of this host name.',
    remedy:
      'Correct the host of the trunk (PATCH). A new name may need some minutes until every name server knows it; one that did not exist is asked for again after 30 s.',
  },
  no_answer: {
    cause: 'The name server that this media node asks does not answer. The trunk itself may be right.',
    remedy:
      "Look at DNS_SERVERS of the media node, at its system's name servers, and at the firewall between (port 53).",
  },
  failed: {
    cause: 'The name server answered with a failure. The zone of the host, or the name server, is broken.',
    remedy: 'Ask whoever runs the host about its name servers, or use another server in DNS_SERVERS.',
  },
  private: {
    cause: 'The host is at private addresses alone, and this server does not go there.',
    remedy: 'Use the public host of the carrier, or let the operator set ALLOW_PRIVATE_TARGETS=true.',
  },
};

/** @param hosts in the order in which they are called; one with an address is enough for a call */
export function dnsStep(hosts: readonly LookedUpHost[], durationMs: number): CheckStep {
  const targets = hosts.flatMap(({ lookup }) => lookup.targets);
  const failures = hosts.flatMap(({ lookup: { failure } }) => failure ?? []);
  const [failure] = failures;
  if (failure !== undefined && failures.length === hosts.length) {
    const names = hosts.map(({ host: { host } }) => host).join(', ');
    return failed('dns', durationMs, `No address of ${names} to go to.`, DNS_ADVICE[failure]);
  }
  const where = targets.map(nameOf).join(', ');
  const told = hosts.flatMap(({ host: { host }, lookup }) => recordsOf(host, lookup));
  const detail = told.length === 0 ? `${where}; there is no name to look up.` : `${told.join(' ')} Tried: ${where}.`;
  return passed('dns', durationMs, detail);
}

function recordsOf(host: string, { records, failure }: TargetLookup): readonly string[] {
  if (failure !== null) return [`${host}: no address. ${DNS_ADVICE[failure].cause}`];
  return records.length === 0 ? [] : [`${host}: ${records.join('; ')}.`];
}

/**
 * @param call null: none was placed
 * @param query null: no REGISTER was sent
 */
export function transportStep(
  probed: readonly ProbedTarget[],
  call: TestCallResult | null,
  query: RegistrationQueryResult | null,
): CheckStep {
  const last = probed.at(-1);
  if (last === undefined) return unclear('transport', null, 'Not tried: there is no address to go to.');
  const before = probed
    .slice(0, -1)
    .map(({ target, outcome }) => ` ${nameOf(target)} was of no use (${wordsOf(outcome)}).`)
    .join('');
  const { target, outcome, durationMs } = last;
  const name = nameOf(target);
  if (outcome.kind === 'answered') {
    return passed('transport', outcome.connectedMs ?? outcome.answeredMs, `${name} answers.${before}`);
  }
  if (outcome.kind === 'unreachable') {
    const why = whyUnreachable(outcome.error);
    return failed('transport', durationMs, `${name}: ${why}.${before}`, unreachableAdvice(why, target));
  }
  if (target.transport === 'tcp')
    return passed('transport', outcome.connectedMs, `${name} takes connections.${before}`);
  if (query?.kind === 'answered') return passed('transport', query.firstAnswerMs, `${name} answers REGISTER.${before}`);
  if (call !== null && heardIn(call)) return passed('transport', durationMs, `${name} answers calls.${before}`);
  const silent = `${name}: nothing came back in ${Math.round(durationMs / 1000)} s.${before}`;
  if (call !== null) return failed('transport', durationMs, `${silent} Neither to a call.`, SILENT);
  return unclear('transport', durationMs, silent, {
    cause: 'The host drops what we send, or it only does not answer OPTIONS: over UDP the two look alike.',
    remedy: `Check again with test_number, which calls. If that is silent too: ${SILENT.remedy}`,
  });
}

export function optionsStep(probed: readonly ProbedTarget[]): CheckStep {
  const last = probed.at(-1);
  if (last === undefined) return unclear('options', null, 'Not sent: there is no address to go to.');
  const { outcome, durationMs } = last;
  if (outcome.kind === 'unreachable') return unclear('options', null, 'Not sent: the carrier was not reached.');
  if (outcome.kind === 'silent') {
    return unclear('options', durationMs, 'No answer to OPTIONS. Many carriers give none: not a failure by itself.');
  }
  const { status, answeredMs } = outcome;
  const answer = `${status} ${outcome.reason}`.trim();
  if (status === 503) {
    return failed('options', answeredMs, `${answer}.`, {
      cause: 'The carrier says that it takes no calls at the moment.',
      remedy: 'Try again in some minutes; if it stays, ask the carrier, or see whether the trunk has another host.',
    });
  }
  const note = status < 300 ? '' : ' It answers, and that is what counts: many carriers serve calls alone.';
  return passed('options', answeredMs, `${answer}.${note}`);
}

function nameOf({ address, port, transport }: ResolvedTarget): string {
  return `${uriHost(address)}:${port}/${transport}`;
}

const SILENT: Advice = {
  cause: 'Nobody answers at this address and port: a firewall drops our packets, or the host or port is another one.',
  remedy:
    "Compare host, port and transport with the carrier's settings page, and have the public address of this media node let in there and in your own firewall.",
};

function unreachableAdvice(why: string, { port, transport }: ResolvedTarget): Advice {
  if (why === 'connection closed' || why === 'connection reset') {
    return {
      cause:
        'The host takes the connection and ends it: its port is one for TLS or for something else than SIP, or our address is not allowed.',
      remedy:
        "Compare port and transport with the carrier's settings page, and enter the address of this media node there.",
    };
  }
  if (why === 'connection refused') {
    return {
      cause: `The host is there, and nothing listens at its port ${port} over ${transport.toUpperCase()}.`,
      remedy: 'Correct port and transport of the trunk: most carriers take UDP at 5060, some TCP or another port.',
    };
  }
  if (why === 'connection timed out') return SILENT;
  return {
    cause: `The network of this media node has no way to the host (${why}).`,
    remedy: "Look at the node's routes and firewall, and whether the host has an address of its family (IPv4, IPv6).",
  };
}

/** Anything at all came back for the call's INVITE. */
function heardIn({ outcome, provisional, challenge }: TestCallResult): boolean {
  return outcome.kind === 'status' || provisional > 0 || challenge !== null;
}

function wordsOf(outcome: TargetAnswer): string {
  if (outcome.kind === 'unreachable') return whyUnreachable(outcome.error);
  return outcome.kind === 'silent' ? 'no answer' : `${outcome.status}`;
}
