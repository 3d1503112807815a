import { z } from 'zod';

import { e164, id, isoTimestamp, pageOf, pageQuery, phoneNumber } from './primitives';

const fields = z
  .object({
    // Whether a mailbox is behind it only a message can tell (RFC 5321 §4.5.3.1 for the lengths).
    email: z
      .string()
      .trim()
      .regex(/^[^@\s]{1,64}@[^@\s]{1,255}$/, 'must be an e-mail address')
      .nullable(),
    phone: phoneNumber.nullable(),
    name: z.string().trim().min(1).max(255).nullable(),
    custom_data: z.record(z.string().max(200), z.unknown()),
  })
  .partial();

export const contactWrite = z.object({ contact: fields }).meta({ id: 'ContactWrite' });

export const contactCreated = z.object({ id }).meta({ id: 'ContactCreated' });

export const contact = z
  .object({
    id,
    email: z.string().nullable(),
    phone_number: e164.nullable(),
    name: z.string().nullable(),
    custom_data: z.record(z.string(), z.unknown()),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
  })
  .meta({ id: 'Contact' });

export const contactPage = pageOf(contact).meta({ id: 'ContactPage' });

const time = z.iso.datetime({ offset: true }).optional();

export const contactsQuery = pageQuery.extend({
  created_after: time,
  created_before: time,
  updated_after: time,
  updated_before: time,
});

export const contactDeleted = z.object({ id, deleted: z.literal(true) }).meta({ id: 'ContactDeleted' });

export type ContactWrite = z.output<typeof contactWrite>;
export type ContactResource = z.output<typeof contact>;
export type ContactsQuery = z.output<typeof contactsQuery>;
