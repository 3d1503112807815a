import { chooseAgent } from '../../contract/inbound-routing';
import type { InboundTrunkFindings, KeptRegistration, OutboundTrunkReport } from '../../contract/trunk-check';
import { countryOf } from '../../store/routing/country';
import { assertMayCall } from '../../store/dialling/may-call';
import type { ConfigPropagation } from '../config-propagation';
import { notFound } from '../errors';
import type { InboundTrunkEndpoint } from '../inbound-trunk-endpoint';
import { answer, route } from '../route';
import type { Route } from '../route';
import { idParams } from '../schemas/primitives';
import { outboundTrunkCheckRequest, trunkCheck } from '../schemas/trunk-check';
import type { TrunkCheckResource } from '../schemas/trunk-check';
import { inboundTrunkCheckExample, outboundTrunkCheckExample } from '../schemas/trunk-check-examples';
import type { ApiStore, OrgStore } from '../store';
import { inboundSteps, inboundVerdict } from '../trunk-check/inbound-steps';
import type { RoutedNumber } from '../trunk-check/inbound-steps';
import { CHECK_ERRORS } from '../trunk-check/trunk-checks';
import type { TrunkChecks } from '../trunk-check/trunk-checks';

export interface TrunkCheckRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly checks: TrunkChecks;
  readonly propagation: ConfigPropagation;
  readonly sipEndpoint: InboundTrunkEndpoint;
  /** ISO codes; empty = the countries of the organisation's own numbers. */
  readonly allowedCountries: readonly string[];
}

/** Of a trunk's numbers the first are looked at; the others go the same ways. */
const PREVIEWED_NUMBERS = 3;
/** No number of anybody's: what is neither assigned nor on the trunk. */
const NOBODYS_NUMBER = 'unlisted';

export function trunkCheckRoutes(deps: TrunkCheckRouteDeps): readonly Route[] {
  const { store, checks, propagation, sipEndpoint, allowedCountries } = deps;
  return [
    route({
      tag: 'Outbound trunks',
      resource: 'outbound trunk',
      method: 'post',
      path: '/phone/sip/outbound-trunks/{id}/check',
      operationId: 'checkOutboundTrunk',
      summary: 'Why does this trunk not work? Each step with its time, cause and remedy',
      description:
        'Looks the host up, connects, sends OPTIONS, where it registers a REGISTER that changes nothing, and with `test_number` calls that for some seconds. The answer takes up to 30 s; one check of a trunk at a time, 6 a minute.',
      scope: 'sip:write',
      params: idParams,
      body: outboundTrunkCheckRequest,
      response: trunkCheck,
      errors: { ...CHECK_ERRORS, 422: ['destination_not_allowed', 'emergency_number'] },
      requestExample: {},
      responseExample: outboundTrunkCheckExample,
      handle: async ({ principal: { orgId }, actor, params, body }) => {
        const { test_number: testNumber } = body;
        const trunk = { kind: 'outbound', trunkId: params.id } as const;
        const { version, keptRegistration } = await store.forOrg(orgId).write(async (org) => {
          const row = await org.outboundTrunks.find(orgId, params.id);
          if (row === null) throw notFound('outbound trunk');
          if (testNumber !== null) {
            const caller = await org.callers.find(orgId, '', countryOf(testNumber));
            assertMayCall(testNumber, allowedCountries, caller, row);
          }
          await checks.admit(org, actor, trunk, { test_number: testNumber });
          return {
            version: row.version,
            keptRegistration: row.register ? await keptRegistrationOf(org, orgId, row.id) : null,
          };
        });
        // What was changed a moment ago is what is asked about.
        await propagation.reached(version);
        const { nodes, checkId } = await checks.run<OutboundTrunkReport>(orgId, trunk, {
          testNumber,
          username: '',
          sipEndpoint: '',
          ...(keptRegistration === null ? {} : { keptRegistration }),
        });
        const { nodeId, findings } = nodes[0]!;
        const steps = findings.steps.map(({ durationMs, ...step }) => ({ ...step, duration_ms: durationMs }));
        const callId = findings.call === null ? null : checkId;
        return answer(checkView({ ok: findings.ok, node: nodeId, steps, call_id: callId }));
      },
    }),
    route({
      tag: 'Inbound trunk',
      resource: 'inbound trunk',
      method: 'post',
      path: '/phone/sip/inbound-trunk/check',
      operationId: 'checkInboundTrunk',
      summary: 'Why does the phone system get nothing? Each step with its time, cause and remedy',
      description: 'Asks every media node; one check at a time, 6 a minute. Nobody is called.',
      scope: 'sip:write',
      response: trunkCheck,
      errors: { ...CHECK_ERRORS, 404: ['inbound_trunk_not_found'] },
      responseExample: inboundTrunkCheckExample,
      handle: async ({ principal: { orgId }, actor }) => {
        const found = await store.forOrg(orgId).write(async (org) => {
          const row = await org.inboundTrunks.find(orgId);
          if (row === null) throw notFound('inbound trunk');
          await checks.admit(org, actor, { kind: 'inbound', trunkId: row.id });
          const routed = await routedNumbers(org, orgId, row.phoneNumbers);
          return { row, routed, registered: await org.registrations.found(orgId, row.id) };
        });
        const { row, routed, registered } = found;
        const { authUsername: username, phoneNumbers } = row;
        const endpoint = await sipEndpoint.current();
        const checked = await checks.run<InboundTrunkFindings>(
          orgId,
          { kind: 'inbound', trunkId: row.id },
          { testNumber: null, username, sipEndpoint: endpoint },
        );
        const steps = inboundSteps({ sipEndpoint: endpoint, username, phoneNumbers, routed, registered, checked });
        const node = checked.nodes.map(({ nodeId }) => nodeId).join(', ');
        return answer(checkView({ ok: inboundVerdict(steps), node, steps, call_id: null }));
      },
    }),
  ];
}

function checkView(check: Omit<TrunkCheckResource, 'checked_at'>): TrunkCheckResource {
  return { ...check, checked_at: new Date().toISOString() };
}

async function keptRegistrationOf(org: OrgStore, orgId: string, trunkId: string): Promise<KeptRegistration> {
  const health = await org.trunkHealth.find(orgId, trunkId);
  return { nodeId: health?.node ?? null, registration: health?.registration ?? null };
}

/** As `route-preview` decides, without a header. */
async function routedNumbers(org: OrgStore, orgId: string, listed: readonly string[]): Promise<RoutedNumber[]> {
  const routed: RoutedNumber[] = [];
  for (const phoneNumber of [...listed.slice(0, PREVIEWED_NUMBERS), null]) {
    const dialedUser = phoneNumber ?? NOBODYS_NUMBER;
    const organisation = await org.routing.organisation(orgId, { dialedUser, agentIdHeader: null });
    if (organisation === null) continue;
    const choice = chooseAgent(organisation, dialedUser, null);
    const agentId = choice.ok ? choice.agent.id : null;
    routed.push({ phoneNumber, agentId, reason: choice.steps.at(-1)?.reason ?? '' });
  }
  return routed;
}
