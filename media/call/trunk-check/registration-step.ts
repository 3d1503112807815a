/**
 * Step `registration`, of a trunk that we register with: what the node that keeps the registration knows of it, and what
 * the carrier answers to a REGISTER that changes nothing.
 */
import type { CheckStep, KeptRegistration } from '../../../contract/trunk-check';
import { whyUnreachable } from '../../sip/edge/resolver';
import { decodeWireText } from '../../sip/message/message';
import type { RegistrationQueryResult } from '../../sip/registration/registration-query';
import { failed, passed, unclear, type Advice } from './check-step';
import { credentialRefusal, UNMET_CHALLENGE } from './credential-step';

const STEP = 'registration';

/** What may be about the user as well as about the question. */
const OF_THE_USER: Readonly<Record<number, Advice>> = {
  403: {
    cause:
      'The registrar refuses this user: it does not know the name, has locked it, or does not allow the address of this media node. Some answer the same to a wrong password.',
    remedy:
      'Set username and password anew (PATCH), and see with the carrier whether the user is active and the public address of this media node allowed.',
  },
  404: {
    cause: 'The registrar knows no such user at this host.',
    remedy: 'Compare username and host with what the carrier gave you: some have another host for registrations.',
  },
};
const NO_REGISTRAR: Advice = {
  cause: 'Nobody takes registrations here: the carrier knows callers by address, or by the credentials of each call.',
  remedy: 'Switch register off (PATCH), or let host name the registrar that the carrier gave you.',
};
const SILENT: Advice = {
  cause: 'The carrier does not answer REGISTER: it takes none at this address, or a firewall drops what we send.',
  remedy:
    "Compare host, port and transport with the carrier's settings page; where it takes no registrations, switch register off (PATCH).",
};
const NOT_KEPT: Advice = {
  cause: 'The carrier takes user name and password, and the registration itself has failed nevertheless.',
  remedy:
    'It is tried again by itself within minutes; at once when register is switched off and on (PATCH). If it stays, ask the carrier how many registrations this user may have, and from where.',
};
const FORGOTTEN: Advice = {
  cause: 'The carrier has forgotten the registration, or does not say what it knows.',
  remedy:
    'If calls do not come in, wait until it is refreshed (within ten minutes), or switch register off and on (PATCH).',
};
const NOBODY: Advice = {
  cause: 'No media node looks after the trunk at the moment: they were just started, or cannot read PostgreSQL.',
  remedy: 'Check again in some seconds. If it stays, look at GET /ready and at the log of the media nodes.',
};
const LATER: Advice = {
  cause: 'The registrar cannot serve us at the moment.',
  remedy: 'It is tried again by itself. If it stays, ask the carrier.',
};

/**
 * @param query null: not asked, because `notAsked`
 * @param kept null: nobody has told
 */
export function registrationStep(
  query: RegistrationQueryResult | null,
  notAsked: string,
  kept: KeptRegistration | null,
): CheckStep {
  const state = kept?.registration?.state ?? null;
  const registered = state === 'registered' && kept?.nodeId != null;
  const owner = ownerWords(kept);
  if (query === null) return unclear(STEP, null, `${notAsked} ${owner}`.trim());
  const ms = query.firstAnswerMs;
  if (query.kind !== 'answered') {
    const why = query.kind === 'silent' ? 'no answer' : whyUnreachable(query.error);
    const detail = `Asked by REGISTER: ${why}. ${owner}`;
    return registered ? unclear(STEP, null, detail, SILENT) : failed(STEP, null, detail, SILENT);
  }
  const detail = `${answerWords(query)} ${owner}`.trim();
  const { status } = query.response;
  if (status < 300) {
    if (state === 'failed' || state === 'refused') return failed(STEP, ms, detail, NOT_KEPT);
    if (!registered) return unclear(STEP, ms, detail, kept?.nodeId == null ? NOBODY : undefined);
    return query.contacts > 0 ? passed(STEP, ms, detail) : unclear(STEP, ms, detail, FORGOTTEN);
  }
  if (status === 401 || status === 407) {
    return failed(STEP, ms, detail, query.authenticated ? credentialRefusal(status)! : UNMET_CHALLENGE);
  }
  const advice = OF_THE_USER[status] ?? (status === 405 || status === 501 ? NO_REGISTRAR : LATER);
  // Some answer the question otherwise than a registration: that it is there counts more.
  return registered ? passed(STEP, ms, detail) : failed(STEP, ms, detail, advice);
}

/** With these credentials no call goes either. */
export function deniesRegistration(query: RegistrationQueryResult | null): boolean {
  return query?.kind === 'answered' && query.authenticated && [401, 407].includes(query.response.status);
}

function answerWords(query: RegistrationQueryResult & { readonly kind: 'answered' }): string {
  const { response, challenge, authenticated, contacts } = query;
  const answer = `${response.status} ${decodeWireText(response.reason)}`.trim();
  const asked = authenticated
    ? `REGISTER was challenged with ${challenge}; with our credentials: ${answer}.`
    : `Asked by REGISTER: ${answer}.`;
  if (response.status >= 300) return asked;
  return `${asked} The carrier knows ${contacts === 1 ? '1 contact' : `${contacts} contacts`} of this user.`;
}

function ownerWords(kept: KeptRegistration | null): string {
  if (kept === null) return '';
  const { nodeId, registration } = kept;
  const node = nodeId === null ? 'No media node looks after it now' : `Media node ${nodeId} looks after it`;
  if (registration === null) return `${node}, and has not registered yet.`;
  const { state, expiresAtMs, lastError } = registration;
  const until = expiresAtMs === null ? '' : ` until ${new Date(expiresAtMs).toISOString()}`;
  if (state === 'registered') return `${node}: registered${until}.`;
  return lastError === null ? `${node}: ${state}.` : `${node}: ${state}, ${lastError}.`;
}
