/** From a request to the verification that it may begin. Every refusal is here. */
import type { NumberMethod } from '../../contract/number-verification';
import type { NewPhoneNumber } from '../../store/repositories/phone-number-repository';
import { countryOf } from '../../store/routing/country';
import { assertMayCall } from '../../store/dialling/may-call';
import { ApiError, impossible, notFound } from '../errors';
import type { ValidationIssue } from '../errors';
import type { Principal } from '../route';
import type { NumberCreateRequest } from '../schemas/number';
import type { OrgStore } from '../store';

const CODE_VALID_MS = 600_000;
/** Whoever waits for a call to come in may have to ask his carrier for it. */
const CALL_VALID_MS = 24 * 3_600_000;

export interface VerificationOptions {
  /** May organisations verify numbers by a call that comes in, where there are several? */
  readonly inboundCallAllowed: boolean;
  /** Default ten minutes. */
  readonly codeValidMs?: number;
}

export interface NewVerification {
  readonly number: NewPhoneNumber;
  readonly warnings: readonly ValidationIssue[];
}

export interface NewVerificationDeps {
  readonly options: VerificationOptions;
  /** ISO codes; empty = the countries of the organisation's own numbers. */
  readonly allowedCountries: readonly string[];
}

/** Throws `ApiError`: 403 for a method that is not the organisation's to use, 404 for an unknown trunk, 422. */
export async function newVerification(
  deps: NewVerificationDeps,
  org: Pick<OrgStore, 'callers' | 'inboundTrunks' | 'organisations'>,
  principal: Principal,
  request: NumberCreateRequest,
): Promise<NewVerification> {
  const { orgId } = principal;
  const { phone_number: phoneNumber, trunk_id: trunkId } = request;
  const caller = await org.callers.find(orgId, null, countryOf(phoneNumber));
  if (trunkId !== undefined && !caller.trunks.some(({ id }) => id === trunkId)) throw notFound('outbound trunk');
  const alone = (await org.organisations.count()) === 1;
  const method: NumberMethod = request.method ?? (alone ? 'inbound_call' : 'outbound_code');
  const unused =
    trunkId === undefined ? [] : [{ path: 'trunk_id', message: 'Not used: only a code call goes through a trunk' }];
  switch (method) {
    case 'attest':
      requireVouching(principal);
      return { number: { phoneNumber, method, status: 'verified' }, warnings: unused };
    case 'inbound_call': {
      if (!alone && !deps.options.inboundCallAllowed) throw notAllowed();
      const codeExpiresAt = new Date(Date.now() + CALL_VALID_MS);
      const trunkless = (await org.inboundTrunks.find(orgId)) === null;
      const warnings = trunkless ? [{ path: 'method', message: 'No call can come in: there is no inbound trunk' }] : [];
      return { number: { phoneNumber, method, status: 'pending', codeExpiresAt }, warnings: [...warnings, ...unused] };
    }
    case 'outbound_code': {
      const through = trunkId ?? onlyTrunk(caller.trunks);
      const trunk = caller.trunks.find(({ id }) => id === through);
      if (trunk === undefined) throw notFound('outbound trunk');
      assertMayCall(phoneNumber, deps.allowedCountries, caller, trunk);
      const codeExpiresAt = new Date(Date.now() + (deps.options.codeValidMs ?? CODE_VALID_MS));
      return { number: { phoneNumber, method, status: 'pending', trunkId: through, codeExpiresAt }, warnings: [] };
    }
  }
}

/** Vouching for a number is the operator's: whoever may do it can take any number for an organisation. */
function requireVouching(principal: Principal): void {
  const mayWrite = principal.scopes.includes('full') || principal.scopes.includes('org:write');
  if (principal.operator && mayWrite) return;
  throw new ApiError(403, 'operator_only', "Only an operator's key with org:write can attest a number");
}

function notAllowed(): ApiError {
  const message =
    'A call that comes in proves little where a server has several organisations; verify the number by outbound_code';
  return new ApiError(403, 'method_not_allowed', message);
}

function onlyTrunk(trunks: readonly { readonly id: string }[]): string {
  const [only, another] = trunks;
  if (only === undefined) {
    throw impossible('no_outbound_trunk', 'The code is called through an outbound trunk, and there is none');
  }
  if (another !== undefined) {
    throw impossible(
      'trunk_required',
      'There are several outbound trunks: trunk_id says which one the code goes through',
    );
  }
  return only.id;
}
