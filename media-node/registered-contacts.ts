import type { RegisteredContacts } from '../contract/registration';
import type { FoundBinding } from '../store/repositories/registration-repository';

/**
 * Whom this node calls: by q, the newest first (RFC 3261 §16.6 step 5). The node that holds the best one's flow is the
 * one to dial: a connection is nobody else's, and a NAT lets nobody else in. What a dead node held, whoever lives tries.
 */
export function reachableFrom(nodeId: string, found: readonly FoundBinding[]): RegisteredContacts {
  const ordered = [...found].sort((a, b) => b.binding.q - a.binding.q || newestFirst(a, b));
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
