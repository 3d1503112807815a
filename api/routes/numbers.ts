import type { VerificationRound } from '../../contract/number-verification';
import { roundOf } from '../../store/repositories/number-verification-repository';
import type { NumberWorkflows } from '../../workflows/client/number-workflows';
import type { Changes } from '../changes';
import { ApiError, notFound } from '../errors';
import { newVerification } from '../numbers/new-verification';
import type { NewVerificationDeps } from '../numbers/new-verification';
import { answer, route } from '../route';
import type { Route } from '../route';
import { numberDeletedExample, numberExample } from '../schemas/examples';
import { number, numberCreate, numberDeleted } from '../schemas/number';
import { idParams, pageOf, pageQuery } from '../schemas/primitives';
import { numberView } from '../views';
import { numberConfirmationRoute } from './number-confirmation';
import type { NumberConfirmationDeps } from './number-confirmation';

export interface NumberRouteDeps extends NumberConfirmationDeps, NewVerificationDeps {
  readonly changes: Changes;
  readonly verifications: Pick<NumberWorkflows, 'begin' | 'over'>;
}

/** Every code call rings somebody's phone, and is paid for. */
const CODE_CALL_RATE = { perOrganisation: 10, perNumber: 3 } as const;

const TAG = { tag: 'Numbers', resource: 'phone number' } as const;

export function numberRoutes(deps: NumberRouteDeps): readonly Route[] {
  const { store, changes } = deps;
  return [
    route({
      ...TAG,
      method: 'get',
      path: '/phone/numbers',
      operationId: 'listNumbers',
      summary: 'Verification records of phone numbers, newest first',
      scope: 'phone:read',
      query: pageQuery,
      response: pageOf(number).meta({ id: 'PhoneNumberPage' }),
      responseExample: { items: [numberExample], next: null },
      handle: async ({ principal: { orgId }, query }) => {
        const page = await store.forOrg(orgId).read((org) => org.phoneNumbers.list(orgId, query));
        return answer({ items: page.items.map(numberView), next: page.next });
      },
    }),
    createRoute(deps),
    route({
      ...TAG,
      method: 'get',
      path: '/phone/numbers/{id}',
      operationId: 'getNumber',
      summary: 'One verification record',
      scope: 'phone:read',
      params: idParams,
      response: number,
      responseExample: numberExample,
      handle: async ({ principal: { orgId }, params }) => {
        const row = await store.forOrg(orgId).read((org) => org.phoneNumbers.find(orgId, params.id));
        if (row === null) throw notFound('phone number');
        return answer(numberView(row));
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: '/phone/numbers/{id}',
      operationId: 'deleteNumber',
      summary: 'Give a number up; it leaves its agent and the inbound trunk',
      scope: 'phone:write',
      params: idParams,
      response: numberDeleted,
      responseExample: numberDeletedExample,
      handle: async (request) => {
        let round: VerificationRound | null = null;
        const result = await changes.run(request, async (tx, org) => {
          const gone = await org.phoneNumbers.delete(tx, request.principal.orgId, request.params.id);
          if (gone === null) throw notFound('phone number');
          round = roundOf(gone.before);
          const { agents, inboundTrunkId } = gone.detached;
          return {
            body: { id: gone.id, deleted: true, detached: { agents, inbound_trunk: inboundTrunkId !== null } },
            audit: { action: 'delete', resource: 'phone_number', resourceId: gone.id, before: numberView(gone.before) },
          };
        });
        if (round !== null) await endRound(deps, round);
        return result;
      },
    }),
    numberConfirmationRoute(deps),
  ];
}

function createRoute(deps: NumberRouteDeps): Route {
  return route({
    ...TAG,
    method: 'post',
    path: '/phone/numbers',
    operationId: 'createNumber',
    summary: 'Verify a phone number',
    description:
      'A number that is pending, failed or expired begins anew, with another code. The code is called at once; ' +
      '`POST /phone/numbers/{id}/confirm` takes it for ten minutes.',
    scope: 'phone:write',
    body: numberCreate,
    response: number,
    successStatus: 201,
    errors: {
      403: ['operator_only', 'method_not_allowed'],
      404: ['outbound_trunk_not_found'],
      409: ['number_exists', 'number_taken'],
      422: ['emergency_number', 'destination_not_allowed', 'no_outbound_trunk', 'trunk_required'],
      429: ['too_many_code_calls'],
    },
    requestExample: { phone_number: '+15551234567', method: 'attest' },
    responseExample: numberExample,
    idempotency: 'plain',
    handle: async (request) => {
      const { orgId } = request.principal;
      let begun: VerificationRound | null = null;
      const result = await deps.changes.run(request, async (tx, org) => {
        const { number: wanted, warnings } = await newVerification(deps, org, request.principal, request.body);
        if (wanted.method === 'outbound_code') {
          const { phoneNumber } = wanted;
          const waitSeconds = await org.verifications.takeCodeCall(tx, orgId, phoneNumber, CODE_CALL_RATE);
          if (waitSeconds !== null) throw tooManyCodeCalls(waitSeconds);
        }
        const row = await org.phoneNumbers.create(tx, orgId, wanted);
        begun = roundOf(row);
        const after = numberView(row);
        return {
          body: warnings.length === 0 ? after : { ...after, warnings },
          audit: { action: 'create', resource: 'phone_number', resourceId: after.id, after },
        };
      });
      if (begun !== null) await beginRound(deps, begun);
      return result;
    },
  });
}

/** The record is stored: where this fails, the reconciler's next pass starts the workflow. */
async function beginRound(
  { verifications, logger }: Pick<NumberRouteDeps, 'verifications' | 'logger'>,
  round: VerificationRound,
): Promise<void> {
  await verifications.begin(round).catch((error: unknown) => {
    logger.warn({ err: error, numberId: round.numberId }, 'the workflow of a verification starts later');
  });
}

/** A code call that rings is hung up; where this is lost, it is heard and leads to nothing. */
async function endRound(
  { verifications, logger }: Pick<NumberRouteDeps, 'verifications' | 'logger'>,
  round: VerificationRound,
): Promise<void> {
  await verifications.over(round, true).catch((error: unknown) => {
    logger.warn({ err: error, numberId: round.numberId }, 'the workflow of a deleted number ends later');
  });
}

function tooManyCodeCalls(retryAfterSeconds: number): ApiError {
  const { perOrganisation, perNumber } = CODE_CALL_RATE;
  const message = `Codes are called ${perOrganisation} times an hour, the same number ${perNumber} times`;
  return new ApiError(429, 'too_many_code_calls', message, { retryAfterSeconds });
}
