import { z } from 'zod';
import { brokenPlaceholdersOf, variablesOf } from '../../contract/placeholders';
import { missingColumns, unfillable } from '../../store/campaigns/contact-rules';
import type { AgentRecord } from '../../store/repositories/agent-repository';
import type { Changes } from '../changes';
import { notFound } from '../errors';
import type { ValidationIssue } from '../errors';
import { answer, route } from '../route';
import type { Route } from '../route';
import { agent, agentCreate, agentDeleted, agentPatch, voice } from '../schemas/agent';
import type { AgentResource, AgentPatchRequest } from '../schemas/agent';
import { agentDeletedExample, agentExample, voicesExample } from '../schemas/examples';
import { idParams } from '../schemas/primitives';
import type { Speech, SpeechCatalog } from '../speech-catalog';
import type { ApiStore, OrgStore } from '../store';
import { assertTargetUrl } from '../target-url';
import { agentView } from '../views';
import { agentWarnings } from '../warnings';

export interface AgentRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
  readonly speech: SpeechCatalog;
  readonly allowPrivateTargets: boolean;
}

const TAG = { tag: 'Agents', resource: 'agent' } as const;

export function agentRoutes(deps: AgentRouteDeps): readonly Route[] {
  const { store, changes } = deps;
  return [
    voicesRoute(deps),
    route({
      ...TAG,
      method: 'get',
      path: '/phone',
      operationId: 'listAgents',
      summary: 'All agents, oldest first',
      scope: 'phone:read',
      response: z.array(agent),
      responseExample: [agentExample],
      handle: async ({ principal: { orgId } }) => {
        const rows = await store.forOrg(orgId).read((org) => org.agents.list(orgId));
        return answer(rows.map(agentView));
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: '/phone',
      operationId: 'createAgent',
      summary: 'Create an agent',
      scope: 'phone:write',
      body: agentCreate,
      response: agent,
      errors: { 404: ['transfer_destination_not_found'], 422: ['emergency_number', 'private_target'] },
      requestExample: {
        name: 'Support Agent',
        type: 'inbound',
        language: 'en',
        first_message: 'Hi, thanks for calling! How can I help you today?',
      },
      responseExample: agentExample,
      idempotency: 'plain',
      handle: async (request) => {
        assertUrls(request.body, deps.allowPrivateTargets);
        const speech = await deps.speech.current();
        return changes.run(request, async (tx, org) => {
          const row = await org.agents.create(tx, request.principal.orgId, fieldsOf(request.body));
          const view = agentView(row);
          return {
            body: withWarnings(view, speech),
            audit: { action: 'create', resource: 'agent', resourceId: view.id, after: view },
          };
        });
      },
    }),
    route({
      ...TAG,
      method: 'get',
      path: '/phone/{id}',
      operationId: 'getAgent',
      summary: 'One agent',
      scope: 'phone:read',
      params: idParams,
      response: agent,
      responseExample: agentExample,
      handle: async ({ principal: { orgId }, params }) => {
        const row = await store.forOrg(orgId).read((org) => org.agents.find(orgId, params.id));
        if (row === null) throw notFound('agent');
        return answer(agentView(row));
      },
    }),
    route({
      ...TAG,
      method: 'patch',
      path: '/phone/{id}',
      operationId: 'updateAgent',
      summary: 'Change an agent; fields left out stay as they are',
      scope: 'phone:write',
      params: idParams,
      body: agentPatch,
      response: agent,
      errors: { 404: ['transfer_destination_not_found'], 422: ['emergency_number', 'private_target'] },
      requestExample: { first_message: 'Good morning, how can I help?' },
      responseExample: { ...agentExample, first_message: 'Good morning, how can I help?' },
      handle: async (request) => {
        const { orgId } = request.principal;
        assertUrls(request.body, deps.allowPrivateTargets);
        const speech = await deps.speech.current();
        return changes.run(request, async (tx, org) => {
          const before = await org.agents.find(orgId, request.params.id);
          if (before === null) throw notFound('agent');
          const beforeView = agentView(before);
          const row = await org.agents.update(tx, orgId, request.params.id, fieldsOf(request.body));
          const view = agentView(row);
          return {
            body: withWarnings(view, speech, await unfilledTexts(org, row)),
            audit: { action: 'update', resource: 'agent', resourceId: view.id, before: beforeView, after: view },
          };
        });
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: '/phone/{id}',
      operationId: 'deleteAgent',
      summary: 'Delete an agent; its numbers stay with the organisation',
      scope: 'phone:write',
      params: idParams,
      response: agentDeleted,
      responseExample: agentDeletedExample,
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const gone = await org.agents.delete(tx, request.principal.orgId, request.params.id);
          if (gone === null) throw notFound('agent');
          const numbers = gone.detached.phoneNumbers.map(({ id, phoneNumber }) => ({ id, phone_number: phoneNumber }));
          return {
            body: {
              id: gone.id,
              deleted: true,
              detached: { phone_numbers: numbers, campaigns: gone.detached.campaigns },
            },
            audit: { action: 'delete', resource: 'agent', resourceId: gone.id, before: agentView(gone.before) },
          };
        }),
    }),
  ];
}

function voicesRoute(deps: AgentRouteDeps): Route {
  return route({
    ...TAG,
    method: 'get',
    path: '/phone/voices',
    operationId: 'listVoices',
    summary: 'The voices that the configured providers have',
    scope: 'phone:read',
    response: z.array(voice),
    responseExample: voicesExample,
    handle: async () => answer((await deps.speech.current()).voices),
  });
}

function assertUrls(body: AgentPatchRequest, allowPrivate: boolean): void {
  assertTargetUrl('data_collection_webhook_url', body.data_collection_webhook_url, allowPrivate);
  assertTargetUrl('custom_llm', body.custom_llm, allowPrivate);
}

/** Campaigns that use it and have no contact with what its texts use: each pauses itself at its next look. */
async function unfilledTexts(org: Pick<OrgStore, 'campaigns'>, row: AgentRecord): Promise<ValidationIssue[]> {
  const campaigns = await org.campaigns.liveOf(row.orgId, row.id);
  return campaigns.flatMap((campaign) => {
    const named = `the campaign "${campaign.name}" (${campaign.id})`;
    const warn = (inFirst: boolean, what: string): ValidationIssue => ({
      path: inFirst ? 'first_message' : 'instructions',
      message: `Stored; ${what}: it calls nobody, and pauses itself where it runs`,
    });
    const { placeholders = [] } = unfillable(campaign, row) ?? {};
    if (placeholders.length > 0) {
      const inFirst = brokenPlaceholdersOf([row.firstMessage]).length > 0;
      return [warn(inFirst, `${placeholders.join(', ')} is no name of a variable of ${named}`)];
    }
    const columns = missingColumns(campaign, row);
    if (columns.length === 0) return [];
    const inFirst = variablesOf([row.firstMessage]).some((name) => columns.includes(name));
    return [warn(inFirst, `no contact of ${named} has a value for ${columns.join(', ')}`)];
  });
}

function withWarnings(view: AgentResource, speech: Speech, unfilled: readonly ValidationIssue[] = []): AgentResource {
  const warnings: ValidationIssue[] = speech.unspoken(view.language).map((language) => ({
    path: 'language',
    message: `No configured provider speaks "${language}"; calls with this agent will not work`,
  }));
  warnings.push(...agentWarnings(view), ...unfilled);
  if (view.voice_id !== null && !speech.hasVoice(view.voice_id)) {
    warnings.push({ path: 'voice_id', message: 'No such voice; the default voice speaks' });
  }
  return warnings.length === 0 ? view : { ...view, warnings };
}

/** Wire names to the store's; a field that is absent stays absent. */
const COLUMN_NAMES = {
  name: 'name',
  type: 'type',
  voice_id: 'voiceId',
  language: 'language',
  first_message: 'firstMessage',
  instructions: 'instructions',
  handoff_phone_number: 'handoffPhoneNumber',
  use_org_knowledgebase: 'useOrgKnowledgebase',
  actionIds: 'actionIds',
  interruptible: 'interruptible',
  recording_enabled: 'recordingEnabled',
  stt_keyterms: 'sttKeyterms',
  tts_speed_pct: 'ttsSpeedPct',
  failover_transfer_destination_id: 'failoverTransferDestinationId',
  data_collection_fields: 'dataCollectionFields',
  data_collection_webhook_url: 'dataCollectionWebhookUrl',
  session_window_hours: 'sessionWindowHours',
  ambient_noise: 'ambientNoise',
  max_call_duration_seconds: 'maxCallDurationSeconds',
  silence_timeout_seconds: 'silenceTimeoutSeconds',
  llm: 'llm',
  stt: 'stt',
  tts: 'tts',
  custom_llm: 'customLlm',
} as const satisfies Record<keyof AgentPatchRequest, string>;

type FieldsOf<Body> = {
  [Name in keyof Body & keyof typeof COLUMN_NAMES as (typeof COLUMN_NAMES)[Name]]: Exclude<Body[Name], undefined>;
};

function fieldsOf<Body extends AgentPatchRequest>(body: Body): FieldsOf<Body> {
  const entries = Object.entries(body).flatMap(([name, value]) =>
    value === undefined ? [] : [[COLUMN_NAMES[name as keyof AgentPatchRequest], value]],
  );
  return Object.fromEntries(entries) as FieldsOf<Body>;
}
