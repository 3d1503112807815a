import type { RegisteredContacts } from '../contract/registration';
import type { FoundBinding } from '../store/repositories/registration-repository';

/**
 * Whom this node calls: by q, the newest first (RFC 3261 §16.6 step 5). The node that holds the best one's flow is the
 * one to dial: a connection is nobody else's, and a NAT lets nobody else in. What a dead node held, whoever lives tries.
 * @param askedInVain holders that did not take the dial: theirs are passed over, unless there are no others
 */
export function reachableFrom(
  nodeId: string,
  found: readonly FoundBinding[],
  askedInVain: readonly string[] = [],
): RegisteredContacts {
  const all = [...found].sort((a, b) => b.binding.q - a.binding.q || newestFirst(a, b));
  const others = all.filter((one) => !isOthers(one, nodeId) || !askedInVain.includes(one.binding.nodeId));
  const ordered = others.length > 0 ? others : all;
  const [best] = ordered;
  if (best !== undefined && isOthers(best, nodeId)) return { kind: 'elsewhere', nodeId: best.binding.nodeId };
  const own = ordered.filter((one) => !isOthers(one, nodeId));
  return { kind: 'contacts', contacts: own.map(({ binding }) => binding) };
}

function isOthers({ binding, held }: FoundBinding, nodeId: string): boolean {
  return held && binding.nodeId !== nodeId;
}

function newestFirst(a: FoundBinding, b: FoundBinding): number {
  return b.binding.refreshedAtMs - a.binding.refreshedAtMs;
}
