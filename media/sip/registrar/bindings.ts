import { sameUri } from '../message/uri-equivalence';
import { isElsewhere } from './binding-address';

import type { BindingSource, SipBinding } from '../../../contract/registration';
import type { Refusal } from '../message/validation';
import type { ContactList, RequestedContact } from './contact-list';

/** A REGISTER that was understood, and where it came from. */
export interface Register {
  readonly asks: ContactList;
  readonly path: readonly string[];
  readonly sipCallId: string;
  readonly cseq: number;
  readonly userAgent: string | null;
  readonly source: BindingSource;
  /** Its source was changed on the way. */
  readonly translated: boolean;
  readonly nodeId: string;
  /** No contact is kept for longer. */
  readonly longestSeconds: number;
}

export type BindingChange =
  | { readonly kind: 'kept'; readonly bindings: readonly SipBinding[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export const MIN_EXPIRES_SECONDS = 60;
export const MAX_EXPIRES_SECONDS = 3600;
/** Of one trunk; a new one takes the place of the one that was not heard of for longest. */
const MAX_BINDINGS = 10;
/** A NAT forgets a UDP flow on which nothing goes out, many after a minute; each REGISTER reminds it. */
const NAT_UDP_SECONDS = MIN_EXPIRES_SECONDS;

/**
 * What a REGISTER makes of a trunk's bindings (RFC 3261 §10.3, steps 6 to 8): all of what it asks for, or nothing.
 * @param makeId of a new binding
 */
export function applyRegister(
  held: readonly SipBinding[],
  register: Register,
  nowMs: number,
  makeId: () => string,
): BindingChange {
  const { asks } = register;
  const live = held.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  switch (asks.kind) {
    case 'fetch':
      return { kind: 'kept', bindings: live };
    case 'all':
      return live.some((binding) => isOutOfOrder(binding, register)) ? OUT_OF_ORDER : { kind: 'kept', bindings: [] };
    case 'contacts':
      return applyContacts(live, register, asks.contacts, nowMs, makeId);
  }
}

/** The bindings that a requested contact stands for. */
export function matching(held: readonly SipBinding[], contact: RequestedContact): readonly SipBinding[] {
  const { instanceId, regId, uri } = contact;
  return held.filter((binding) => {
    // RFC 5626 §6: the flow of an instance is known by both, whatever address it has now.
    if (regId !== null && binding.regId !== null) return binding.regId === regId && binding.instanceId === instanceId;
    return sameUri(binding.contact, uri);
  });
}

function applyContacts(
  live: readonly SipBinding[],
  register: Register,
  contacts: readonly RequestedContact[],
  nowMs: number,
  makeId: () => string,
): BindingChange {
  const seconds = contacts.map(({ expiresSeconds }) => expiresSeconds ?? MAX_EXPIRES_SECONDS);
  if (seconds.some((asked) => asked > 0 && asked < MIN_EXPIRES_SECONDS)) {
    return refused({ status: 423, headers: [`Min-Expires: ${MIN_EXPIRES_SECONDS}`] });
  }
  if (seconds.filter((asked) => asked > 0).length > MAX_BINDINGS) {
    return refused({ status: 403, reason: 'Too Many Contacts' });
  }
  let bindings = live;
  const fresh: SipBinding[] = [];
  for (const [at, contact] of contacts.entries()) {
    const replaced = matching(live, contact);
    if (replaced.some((binding) => isOutOfOrder(binding, register))) return OUT_OF_ORDER;
    // Two contacts of one request may be the same one: the last counts.
    const repeated = matching(fresh, contact);
    bindings = bindings.filter((binding) => !replaced.includes(binding));
    for (const binding of repeated) fresh.splice(fresh.indexOf(binding), 1);
    const asked = seconds[at] ?? 0;
    if (asked === 0) continue;
    const [known] = [...repeated, ...replaced];
    fresh.push(bindingOf(contact, { register, asked, nowMs, known, makeId }));
  }
  const room = MAX_BINDINGS - fresh.length;
  const others = [...bindings].sort((a, b) => b.refreshedAtMs - a.refreshedAtMs).slice(0, room);
  return { kind: 'kept', bindings: [...others, ...fresh] };
}

interface Making {
  readonly register: Register;
  readonly asked: number;
  readonly nowMs: number;
  readonly known: SipBinding | undefined;
  readonly makeId: () => string;
}

function bindingOf(contact: RequestedContact, { register, asked, nowMs, known, makeId }: Making): SipBinding {
  const { path, sipCallId, cseq, userAgent, source, translated, nodeId, longestSeconds } = register;
  const behindNat = translated || (path.length === 0 && isElsewhere(contact.uri, source));
  const short = source.transport === 'udp' && behindNat;
  const seconds = Math.min(asked, longestSeconds, MAX_EXPIRES_SECONDS, short ? NAT_UDP_SECONDS : Infinity);
  return {
    id: known?.id ?? makeId(),
    contact: contact.uri,
    instanceId: contact.instanceId,
    regId: contact.regId,
    q: contact.q,
    path,
    sipCallId,
    cseq,
    userAgent,
    source,
    behindNat,
    nodeId,
    registeredAtMs: known?.registeredAtMs ?? nowMs,
    refreshedAtMs: nowMs,
    expiresAtMs: nowMs + seconds * 1000,
  };
}

/** RFC 3261 §10.3 step 7: of one Call-ID only a higher CSeq changes anything. */
function isOutOfOrder(binding: SipBinding, { sipCallId, cseq }: Register): boolean {
  return binding.sipCallId === sipCallId && cseq <= binding.cseq;
}

function refused(refusal: Refusal): BindingChange {
  return { kind: 'refused', refusal };
}

const OUT_OF_ORDER: BindingChange = refused({ status: 500, reason: 'CSeq Out Of Order' });
