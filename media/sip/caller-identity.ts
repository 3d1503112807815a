import { parseAddress } from './message/address';
import { decodeWireText } from './message/message';
import { decodeUserPart, parseUri } from './message/uri';

import type { SipAddress } from './message/address';
import type { SipRequest } from './message/message';

/** Who calls, as a peer inside our trust domain says: one that has authenticated itself. */
export interface CallerIdentity {
  /** Percent-decoded user part; empty when neither From nor an asserted identity tells one. */
  readonly user: string;
  /** Of From, or of the asserted identity that stands for it; null without one. */
  readonly displayName: string | null;
  /** From names nobody, whatever else tells who it is (RFC 3323 §4.1.1.3). */
  readonly anonymous: boolean;
  /** What the caller asked for (RFC 3323 §4.2, RFC 3325 §9.3): empty without a wish. */
  readonly privacy: readonly string[];
}

/** Of two identities that are asserted the one to be called back at is the number (RFC 3325 §9.1: a SIP and a tel URI). */
const NUMBER = /^\+?\d[\d\s().-]*(?:;|$)/;
/** Users that stand for nobody (RFC 3323 §4.1.1.3), and what PBXs write in their place. */
const NOBODY = new Set(['', 'anonymous', 'restricted', 'unavailable', 'unknown', 'withheld', 'private']);
const PRIVACY_VALUES = new Set(['header', 'session', 'user', 'id', 'critical', 'history']);

/**
 * From, as long as it names somebody: it is what the caller wants to be called back at. Else the identity that the network
 * asserts (RFC 3325 §9.1), in the older Remote-Party-ID too, which many PBXs still send.
 * @param account user name that the peer has authenticated itself by: in From it names the peer, not who calls
 */
export function callerIdentity(request: SipRequest, account = ''): CallerIdentity {
  const privacy = askedPrivacy(request);
  const from = userOf(request.from?.uri ?? '');
  const known = from === '' || from === account ? assertedParty(request) : null;
  if (from === '') return { user: userOf(known?.uri ?? ''), displayName: nameOf(known), anonymous: true, privacy };
  const user = known === null ? from : userOf(known.uri);
  return { user, displayName: nameOf(request.from) ?? nameOf(known), anonymous: false, privacy };
}

/** Null where the network names nobody. */
function assertedParty(request: SipRequest): SipAddress | null {
  const parties = request.list('remote-party-id').map(parseAddress);
  const calling = parties.filter((party) => (party?.params.get('party') ?? 'calling').toLowerCase() === 'calling');
  for (const identities of [request.list('p-asserted-identity').map(parseAddress), calling]) {
    const named = identities.filter((party) => party !== null && userOf(party.uri) !== '');
    const known = named.find((party) => NUMBER.test(userOf(party?.uri ?? ''))) ?? named[0];
    if (known) return known;
  }
  return null;
}

function askedPrivacy(request: SipRequest): readonly string[] {
  const values = request.list('privacy').flatMap((value) => value.toLowerCase().split(/[;\s]+/));
  const asked = values.filter((value) => PRIVACY_VALUES.has(value));
  const parties = request.list('remote-party-id').map((value) => parseAddress(value)?.params.get('privacy'));
  if (parties.some((wish) => wish !== undefined && wish !== null && wish.toLowerCase() !== 'off')) asked.push('id');
  return [...new Set(asked)];
}

function nameOf(party: SipAddress | null): string | null {
  const name = decodeWireText(party?.displayName ?? '').trim();
  return NOBODY.has(name.toLowerCase()) ? null : name;
}

/** Empty for what stands for nobody. */
function userOf(uri: string): string {
  const parsed = parseUri(uri);
  if (parsed === null || parsed.host === 'anonymous.invalid') return '';
  const user = decodeUserPart(decodeWireText(parsed.user));
  return NOBODY.has(user.toLowerCase()) ? '' : user;
}
