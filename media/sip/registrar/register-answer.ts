import { parseAddress } from '../message/address';
import { quote } from '../message/parameters';
import { parseUri } from '../message/uri';

import type { SipBinding } from '../../../contract/registration';
import type { Refusal } from '../message/validation';
import type { Register } from './bindings';

/** Within this a client whose flow is a connection must say something (RFC 5626 §4.4.1). */
const FLOW_TIMER_SECONDS = 120;

/** 200 with all bindings and what is left of them (RFC 3261 §10.3 step 8). */
export function registerAnswer(bindings: readonly SipBinding[], register: Register, nowMs: number): Refusal {
  const headers = bindings.map((binding) => `Contact: ${contactValue(binding, nowMs)}`);
  // RFC 3327 §5.3: they are told, so that the phone system knows by which way it will be called.
  headers.push(...register.path.map((value) => `Path: ${value}`), 'Supported: path, outbound');
  if (usesOutbound(register)) {
    headers.push('Require: outbound');
    if (register.source.transport !== 'udp') headers.push(`Flow-Timer: ${FLOW_TIMER_SECONDS}`);
  }
  headers.push(`Date: ${new Date(nowMs).toUTCString()}`);
  return { status: 200, headers };
}

/** RFC 5626 §6: through proxies a flow is kept only where the first of them says so. */
export function firstHopLacksOutbound(register: Register, vias: number): boolean {
  if (!usesOutbound(register) || vias < 2) return false;
  const first = parseAddress(register.path.at(-1) ?? '')?.uri ?? '';
  return parseUri(first)?.params.has('ob') !== true;
}

function usesOutbound({ asks }: Register): boolean {
  return asks.kind === 'contacts' && asks.contacts.some(({ regId }) => regId !== null);
}

function contactValue({ contact, expiresAtMs, q, instanceId, regId }: SipBinding, nowMs: number): string {
  const parts = [`<${contact}>`, `expires=${Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1000))}`];
  if (q !== 1) parts.push(`q=${q}`);
  if (instanceId !== null) parts.push(`+sip.instance=${quote(instanceId)}`);
  if (regId !== null) parts.push(`reg-id=${regId}`);
  return parts.join(';');
}
