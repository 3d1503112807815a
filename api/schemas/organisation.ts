import { z } from 'zod';
import { country, id, isoTimestamp, pageOf } from './primitives';

const count = z.int().min(1).max(1_000_000).nullable();

/** null = no limit. */
const limits = z.object({
  concurrent_calls: count.meta({
    description: 'Over all outbound trunks at the same time, further legs of calls included; others wait',
  }),
  calls_per_second: count.meta({ description: 'INVITEs a second over all outbound trunks; others wait' }),
  daily_minutes: count,
  allowed_countries: z
    .array(country)
    .max(300)
    .nullable()
    .meta({ description: 'ISO codes of the countries that may be called, of those that the server allows' }),
});

const warnings = z.array(z.object({ path: z.string(), message: z.string() })).optional();
const name = z.string().min(1).max(255);

export const organisationCreate = z.object({ name, limits: limits.partial().optional() }).meta({
  id: 'OrganisationCreate',
});

export const organisationPatch = z
  .object({
    name: name.optional(),
    limits: limits.partial().optional().meta({ description: 'Those left out stay as they are' }),
    suspended: z
      .boolean()
      .optional()
      .meta({ description: 'Its keys get 403, its trunks carry no new calls; calls under way go on' }),
  })
  .meta({ id: 'OrganisationPatch' });

export const organisationCreated = z
  .object({
    id,
    name: z.string(),
    api_key: z.string().meta({ description: 'Its first key, with full access to it; shown here and never again' }),
    created_at: isoTimestamp,
    warnings,
  })
  .meta({ id: 'OrganisationCreated' });

export const organisation = z
  .object({
    id,
    name: z.string(),
    limits,
    suspended: z.boolean(),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
    warnings,
  })
  .meta({ id: 'Organisation' });

export const organisationPage = pageOf(organisation).meta({ id: 'OrganisationPage' });

export const organisationDeleted = z.object({ id, deleted: z.literal(true) }).meta({ id: 'OrganisationDeleted' });

export type OrganisationResource = z.output<typeof organisation>;
export type OrganisationLimitsRequest = z.output<typeof organisationPatch>['limits'];
