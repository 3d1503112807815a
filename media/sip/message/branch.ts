import { fewRandomBytes } from '../../../ops/random-bytes';

const COOKIE = 'z9hG4bK';

/**
 * Unique over space and time and not to be guessed (RFC 3261 §8.1.1.7). It begins with our tag of the dialog, so that a
 * response belongs to its request by the branch alone (§17.1.3), whatever became of its From and Call-ID.
 */
export function makeBranch(localTag: string): string {
  return `${COOKIE}${localTag}.${fewRandomBytes(12).toString('hex')}`;
}

/** The tag in a branch of ours; empty where there is none. */
export function tagOfBranch(branch: string): string {
  return branch.startsWith(COOKIE) ? branch.slice(COOKIE.length, Math.max(COOKIE.length, branch.lastIndexOf('.'))) : '';
}
