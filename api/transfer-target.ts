/** Where callers are sent: a number that can be dialled, or a SIP URI that one INVITE can be addressed to. */
import type { TransferTargetType } from '../store/entities/transfer-destination';
import { impossible, invalid } from './errors';
import { parsePhoneNumber } from '../store/routing/phone-number';
import { assertTargetHost } from './target-url';

/**
 * RFC 3261 §19.1.1 without password (RFC 3986 §3.2.1 tells why: it would be shown and logged) and without headers (which
 * would be the caller's of this API, in a request of ours).
 */
const SIP_URI =
  /^sips?:(?:(?:[\w.!~*'()&=+$,;?/-]|%[0-9A-F]{2})+@)?(?<host>\[[0-9A-F:.]+\]|[A-Z0-9](?:[A-Z0-9.-]*[A-Z0-9])?)(?::(?<port>\d{1,5}))?(?:;[\w.!%*+~`'-]+(?:=[\w.!%*+~`'[\]/:&$-]+)?)*$/i;

const DEFAULT_PORT = '5060';

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

interface TargetRules {
  readonly allowPrivateTargets: boolean;
  /** Of the field, for the answer. */
  readonly path: string;
}

/**
 * The value as it is stored.
 * @throws ApiError 400, 422 `emergency_number`, 422 `private_target`
 */
export function transferTarget(type: TransferTargetType, value: string, rules: TargetRules): string {
  const { path } = rules;
  if (type === 'phone') {
    const number = parsePhoneNumber(value);
    if (number.ok) return number.e164;
    if (number.reason === 'emergency')
      throw impossible('emergency_number', 'Emergency numbers and short codes are not allowed');
    throw invalid([{ path, message: 'Must be a phone number in E.164 format, such as +15551234567' }]);
  }
  const { host, port = DEFAULT_PORT } = SIP_URI.exec(value)?.groups ?? {};
  if (host === undefined || !isPort(Number(port)))
    throw invalid([
      { path, message: 'Must be a SIP URI without password and headers, such as sip:sales@pbx.example.com' },
    ]);
  // RFC 3261 §19.1.1: requests go to maddr in the host's place.
  const maddr = /;maddr=([^;]+)/i.exec(value)?.[1];
  for (const target of maddr === undefined ? [host] : [host, maddr]) {
    assertTargetHost(path, target, rules.allowPrivateTargets);
  }
  return value;
}
