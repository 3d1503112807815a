import type { z } from 'zod';

import { ApiError, invalid } from '../errors';
import type { ValidationIssue } from '../errors';

/** A custom issue whose `params.code` names a 422 of its own, such as `emergency_number`. */
interface CodedIssue {
  readonly code: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Parses one part of a request; 400 with every issue, or the 422 an issue names. */
export function validated<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(toIssue);
  const coded = result.error.issues.find((issue) => apiCode(issue as CodedIssue) !== undefined);
  const code = coded === undefined ? undefined : apiCode(coded as CodedIssue);
  if (coded !== undefined && code !== undefined && issues.length === 1) {
    throw new ApiError(422, code, coded.message, { issues });
  }
  throw invalid(issues);
}

function toIssue(issue: z.core.$ZodIssue): ValidationIssue {
  return { path: issue.path.map(String).join('.'), message: issue.message };
}

function apiCode(issue: CodedIssue): string | undefined {
  const code = issue.code === 'custom' ? issue.params?.['code'] : undefined;
  return typeof code === 'string' ? code : undefined;
}
