/** Pieces that several requests and answers share. */
import { getCountries } from 'libphonenumber-js/max';
import { z } from 'zod';
import { isVariableName, variableNameOf } from '../../contract/placeholders';
import { parsePhoneNumber } from '../../store/dialling/phone-number';

/** Six minutes of speech; also what variables may make of it. */
export const MAX_FIRST_MESSAGE_CHARS = 5000;

/** In lower case, as the store's: two spellings of one id are compared as texts. */
export const id = z.uuid().toLowerCase().meta({ description: 'UUID' });
export const isoTimestamp = z.iso.datetime().meta({ description: 'ISO 8601, UTC' });

/** Of a trunk: below, a phone that pauses is taken for dead; above, it no longer guards anything. */
export const mediaTimeoutSeconds = z.int().min(5).max(3600).meta({
  description:
    'A call ends when the other side has sent no audio for this long and the agent is silent too (a phone that suppresses silence sends none while it listens)',
});

/** An E.164 number, normalised. Emergency numbers and short codes are a 422 of their own. */
export const phoneNumber = z
  .string()
  .max(40)
  .transform((text, context) => {
    const result = parsePhoneNumber(text);
    if (result.ok) return result.e164;
    context.addIssue(
      result.reason === 'emergency'
        ? {
            code: 'custom',
            message: 'Emergency numbers and short codes are not allowed',
            params: { code: 'emergency_number' },
          }
        : { code: 'custom', message: 'Must be a phone number in E.164 format, such as +15551234567' },
    );
    return z.NEVER;
  })
  .meta({
    description: 'Phone number in E.164 format; spaces, dots, hyphens, slashes and brackets are dropped',
    examples: ['+15551234567'],
    pattern: '^ *\\+[0-9 ()./-]+$',
  });

/** Stored and returned numbers need no second look. */
export const e164 = z.string().meta({
  description: 'Phone number in E.164 format',
  examples: ['+15551234567'],
  pattern: '^\\+[1-9][0-9]{1,14}$',
});

/** Nothing that ends a line in any reader's eyes: they end up in header fields. */
export const headerSafe = (max: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(max)
    // oxlint-disable-next-line no-control-regex -- what must not be there is named, in a form that Python reads too
    .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'must not contain control characters');

/** Values by the names that texts have for them: read as placeholders are. */
export const variables = z
  .record(z.string(), z.string().max(2000))
  .superRefine((values, context) => {
    const seen = new Set<string>();
    const wrong = (name: string, message: string): void => context.addIssue({ code: 'custom', path: [name], message });
    for (const given of Object.keys(values)) {
      const name = variableNameOf(given);
      if (!isVariableName(name)) wrong(given, 'must be named by up to 64 letters, digits, spaces, "_", "." or "-"');
      else if (seen.has(name)) wrong(given, `is there twice, as ${name}`);
      seen.add(name);
    }
  })
  .overwrite((values) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [variableNameOf(name), value])),
  );

/** Of a write: what was accepted although a call will not work like this. */
export const warnings = z
  .array(z.object({ path: z.string(), message: z.string() }))
  .optional()
  .meta({ description: 'Accepted, but a call will not work like this' });

/** Codes that the standard has withdrawn and ICU still knows. */
const WITHDRAWN_LANGUAGES: readonly string[] = ['bh', 'in', 'iw', 'ji', 'jw', 'mo', 'sh'];
const languages = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });

export const languageCode = z
  .string()
  .regex(/^[a-z]{2}$/, { error: 'must be an ISO 639-1 code', abort: true })
  .refine(
    (code) => languages.of(code) !== undefined && !WITHDRAWN_LANGUAGES.includes(code),
    'must be an ISO 639-1 code',
  )
  .meta({ description: 'ISO 639-1', examples: ['en'] });

export const country = z
  .string()
  .toUpperCase()
  .refine((code) => (getCountries() as readonly string[]).includes(code), 'must be an ISO country code');

export const idParams = z.object({ id });

/** Of a trunk's deletion. */
export const forceQuery = z.object({
  force: z.enum(['true', 'false']).default('false').meta({ description: 'Delete although calls are active' }),
});

const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,500}$/, 'not a cursor that this server gave');

export const pageQuery = z.object({
  cursor: cursor.optional().meta({ description: '`next` of the page before' }),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

/** A list that is not a bare array. */
export function pageOf<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; next: z.ZodNullable<z.ZodString> }> {
  return z.object({ items: z.array(item), next: cursor.nullable() });
}

export const errorBody = z
  .object({
    statusCode: z.int(),
    message: z.string(),
    error: z.string(),
    code: z.string().meta({ description: 'Stable, snake_case' }),
    requestId: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .loose()
  .meta({ id: 'Error' });
