/**
 * Texts that PostgreSQL keeps parsed and planned, on each connection that has asked them: under row-level security a small
 * question takes longer to plan than to answer. Only what is asked often, and with the same plan whatever its parameters
 * are: after a few times PostgreSQL plans without looking at them. What is limited to a period is not, for example.
 */
import { createHash } from 'node:crypto';

/** A connection keeps some 50 kB for each; texts that are built can be many. */
const MOST_PREPARED = 150;

const names = new Map<string, string>();

/** The text itself, from now on asked by its name. */
export function prepared(text: string): string {
  if (!names.has(text) && names.size < MOST_PREPARED) {
    // The same in every process: a pooler between may give the sessions of one to another.
    names.set(text, createHash('sha256').update(text).digest('base64url').slice(0, 22));
  }
  return text;
}

export const preparedName = (text: string): string | undefined => names.get(text);
