import type { Logger } from '../../ops/logger';
import { isNumberCode } from '../../store/number-code';
import type { Confirmation } from '../../store/repositories/number-verification-repository';
import type { SecretBox } from '../../store/secrets';
import type { NumberWorkflows } from '../../workflows/client/number-workflows';
import { conflict, impossible, notFound } from '../errors';
import { failureMessage } from '../numbers/verification-failures';
import { answer, route } from '../route';
import type { Actor, Route } from '../route';
import { numberExample } from '../schemas/examples';
import { number, numberConfirm } from '../schemas/number';
import { idParams } from '../schemas/primitives';
import type { ApiStore } from '../store';
import { numberView } from '../views';

export interface NumberConfirmationDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly secrets: Pick<SecretBox, 'derive'>;
  readonly verifications: Pick<NumberWorkflows, 'over'>;
  readonly logger: Logger;
}

export function numberConfirmationRoute(deps: NumberConfirmationDeps): Route {
  return route({
    tag: 'Numbers',
    resource: 'phone number',
    method: 'post',
    path: '/phone/numbers/{id}/confirm',
    operationId: 'confirmNumber',
    summary: 'Confirm a number with the code that its call spoke',
    description:
      'Five tries; after the fifth wrong code the verification has failed. A number that is verified already answers 200 ' +
      'unchanged.',
    scope: 'phone:write',
    params: idParams,
    body: numberConfirm,
    response: number,
    errors: { 409: ['verification_over', 'number_taken'], 422: ['wrong_code', 'no_code_expected'] },
    requestExample: { code: '481516' },
    responseExample: numberExample,
    handle: async ({ actor, params, body }) => {
      // Not thrown inside: a wrong code counts.
      const confirmation = await confirm(deps, actor, params.id, body.code);
      await tellWorkflow(deps, confirmation);
      return answer(view(confirmation));
    },
  });
}

async function confirm(
  { store, secrets }: NumberConfirmationDeps,
  actor: Actor,
  id: string,
  code: string,
): Promise<Confirmation> {
  return store.forOrg(actor.orgId).write((org) =>
    org.config.transaction(async (tx) => {
      const result = await org.verifications.confirm(tx, actor.orgId, id, (round) =>
        isNumberCode(secrets, round, code),
      );
      const ended = result.kind !== 'not_compared' && result.number.status !== 'pending';
      if (ended) {
        const after = numberView(result.number);
        await org.audit.add({ ...actor, action: 'confirm', resource: 'phone_number', resourceId: after.id, after });
      }
      return result;
    }),
  );
}

function view(confirmation: Confirmation): object {
  const { kind, number: row } = confirmation;
  if (row === null) throw notFound('phone number');
  switch (kind) {
    case 'verified':
      return numberView(row);
    case 'taken':
      throw conflict('number_taken', failureMessage('number_taken'));
    case 'wrong': {
      const { triesLeft } = confirmation;
      const left = triesLeft === 0 ? failureMessage('wrong_codes') : `${triesLeft} tries are left`;
      throw impossible('wrong_code', `This is not the code. ${left}`, { tries_left: triesLeft });
    }
    case 'not_compared':
      break;
  }
  if (row.status === 'verified') return numberView(row);
  if (row.method !== 'outbound_code') {
    throw impossible('no_code_expected', 'This number is not verified by a code');
  }
  // Its workflow ends it at this moment, or a try before this one has.
  const status = row.status === 'pending' ? 'expired' : row.status;
  const why = failureMessage(row.failure ?? 'not_confirmed');
  throw conflict('verification_over', `This verification is over: ${why}`, { status });
}

/** It ends by itself when this is lost. */
async function tellWorkflow({ verifications, logger }: NumberConfirmationDeps, result: Confirmation): Promise<void> {
  if (result.kind === 'not_compared' || result.number.status === 'pending') return;
  const { id: numberId, round: n } = result.number;
  await verifications.over({ numberId, n }, false).catch((error: unknown) => {
    logger.warn({ err: error, numberId }, 'the workflow of a verified number ends later');
  });
}
