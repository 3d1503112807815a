/** The numbers that the inbound trunk lists; the numbers themselves stay verified whether it lists them or not. */
import type { Changes } from '../changes';
import type { ConfigPropagation } from '../config-propagation';
import type { ConfigTransaction } from '../../store/config-transaction';
import type { InboundTrunkRecord } from '../../store/repositories/inbound-trunk-repository';
import type { AuditNote } from '../changes';
import { notFound } from '../errors';
import type { InboundTrunkEndpoint } from '../inbound-trunk-endpoint';
import { trunkNumbers } from '../inbound-trunk-numbers';
import { route } from '../route';
import type { Route, RouteAnswer, RouteRequest } from '../route';
import { inboundTrunkExample } from '../schemas/examples';
import { inboundTrunk, trunkNumberParams, trunkNumbersAdd } from '../schemas/inbound-trunk';
import type { OrgStore } from '../store';
import { inboundTrunkView } from '../views';

export interface InboundTrunkNumberRouteDeps {
  readonly changes: Changes;
  readonly propagation: ConfigPropagation;
  readonly sipEndpoint: InboundTrunkEndpoint;
}

interface NumberChange {
  readonly action: 'add_numbers' | 'remove_number';
  /** What the trunk shall list, given what it lists. */
  readonly apply: (
    tx: ConfigTransaction,
    org: OrgStore,
  ) => Promise<{ readonly change: (listed: readonly string[]) => string[]; readonly notes?: readonly AuditNote[] }>;
}

const PATH = '/phone/sip/inbound-trunk';
const TAG = { tag: 'Inbound trunk', resource: 'inbound trunk' } as const;

export function inboundTrunkNumberRoutes(deps: InboundTrunkNumberRouteDeps): readonly Route[] {
  return [
    route({
      ...TAG,
      method: 'post',
      path: `${PATH}/phone-numbers`,
      operationId: 'addInboundTrunkNumbers',
      summary: 'Add numbers to the inbound trunk; those that it lists already stay',
      scope: 'sip:write',
      body: trunkNumbersAdd,
      response: inboundTrunk,
      errors: {
        404: ['inbound_trunk_not_found'],
        409: ['number_taken'],
        422: ['number_not_verified', 'emergency_number'],
      },
      requestExample: { phone_numbers: ['+15552223333'] },
      responseExample: { ...inboundTrunkExample, phone_numbers: ['+15551234567', '+15552223333'] },
      idempotency: 'plain',
      handle: (request) =>
        changeNumbers(deps, request, {
          action: 'add_numbers',
          apply: async (tx, org) => {
            const { orgId } = request.principal;
            const { phoneNumbers, notes } = await trunkNumbers(org, tx, orgId, request.body.phone_numbers);
            return { change: (listed) => [...new Set([...listed, ...phoneNumbers])], notes };
          },
        }),
    }),
    route({
      ...TAG,
      resource: 'phone number',
      method: 'delete',
      path: `${PATH}/phone-numbers/{phone_number}`,
      operationId: 'removeInboundTrunkNumber',
      summary: 'Take a number from the inbound trunk; it stays verified',
      description: 'The number in E.164 format, with `+` or `%2B`.',
      scope: 'sip:write',
      params: trunkNumberParams,
      response: inboundTrunk,
      errors: { 404: ['inbound_trunk_not_found', 'phone_number_not_found'] },
      responseExample: { ...inboundTrunkExample, phone_numbers: [] },
      handle: (request) =>
        changeNumbers(deps, request, {
          action: 'remove_number',
          apply: async () => ({
            change: (listed) => {
              const number = request.params.phone_number;
              if (!listed.includes(number)) throw notFound('phone number');
              return listed.filter((other) => other !== number);
            },
          }),
        }),
    }),
  ];
}

async function changeNumbers(
  { changes, propagation, sipEndpoint }: InboundTrunkNumberRouteDeps,
  request: RouteRequest<unknown, unknown, unknown>,
  { action, apply }: NumberChange,
): Promise<RouteAnswer> {
  const endpoint = await sipEndpoint.current();
  const change = changes.run(request, async (tx, org) => {
    const { orgId } = request.principal;
    if ((await org.inboundTrunks.find(orgId)) === null) throw notFound('inbound trunk');
    // The numbers before the trunk, as whoever deletes a number takes them.
    const { change, notes = [] } = await apply(tx, org);
    let before: readonly string[] = [];
    const row: InboundTrunkRecord = await org.inboundTrunks.changeNumbers(tx, orgId, (listed) => {
      before = listed;
      return change(listed);
    });
    const audit = { action, resource: 'inbound_trunk', resourceId: row.id };
    return {
      body: inboundTrunkView(row, endpoint),
      audit: [...notes, { ...audit, before: { phone_numbers: before }, after: { phone_numbers: row.phoneNumbers } }],
    };
  });
  return propagation.awaited(change);
}
