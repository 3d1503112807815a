import type { z } from 'zod';

import { ApiError, invalid } from '../errors';
import type { ValidationIssue } from '../errors';

/** A custom issue whose `params.code` names a 422 of its own, such as `emergency_number`. */
interface CodedIssue {
  readonly code: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Enough to correct a request by; a body of nothing but wrong entries is not answered with many times its size. */
const MAX_ISSUES = 100;

/** Parses one part of a request; 400 with its issues, or a 422 when all of them name the same one. */
export function validated<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, MAX_ISSUES).map(toIssue);
  const [code, ...others] = new Set(result.error.issues.map((issue) => apiCode(issue as CodedIssue)));
  if (code !== undefined && others.length === 0) throw new ApiError(422, code, issues[0]?.message ?? code, { issues });
  throw invalid(issues);
}

function toIssue(issue: z.core.$ZodIssue): ValidationIssue {
  return { path: issue.path.map(String).join('.'), message: issue.message };
}

function apiCode(issue: CodedIssue): string | undefined {
  const code = issue.code === 'custom' ? issue.params?.['code'] : undefined;
  return typeof code === 'string' ? code : undefined;
}
