/** What an error of the Temporal client says about the request it answered. */
import { status } from '@grpc/grpc-js';

/**
 * `refused`: it never left or was turned away, nothing was done. `closing`: the same, and a moment later it will be taken
 * or the workflow be gone. `lost`: it may have been executed.
 */
export type TemporalTrouble = 'refused' | 'closing' | 'lost' | 'not_found' | 'other';

interface GrpcLike {
  readonly code?: unknown;
  readonly details?: unknown;
  readonly message?: string;
}

const TURNED_AWAY: ReadonlySet<unknown> = new Set([
  status.RESOURCE_EXHAUSTED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.FAILED_PRECONDITION,
]);
const CLOSING = /workflow is closing/i;
const NOT_SENT = /no connection established|ECONNREFUSED|name resolution failed|EHOSTUNREACH|ENETUNREACH/i;

export function temporalTrouble(error: unknown): TemporalTrouble {
  const grpc = grpcCause(error);
  if (grpc === undefined) return 'other';
  if (grpc.code === status.RESOURCE_EXHAUSTED && CLOSING.test(String(grpc.details))) return 'closing';
  if (TURNED_AWAY.has(grpc.code)) return 'refused';
  if (grpc.code === status.NOT_FOUND) return 'not_found';
  if (grpc.code === status.UNAVAILABLE) {
    return NOT_SENT.test(`${String(grpc.details)} ${grpc.message ?? ''}`) ? 'refused' : 'lost';
  }
  const lost: readonly unknown[] = [status.DEADLINE_EXCEEDED, status.CANCELLED, status.UNKNOWN, status.INTERNAL];
  return lost.includes(grpc.code) ? 'lost' : 'other';
}

/** The gRPC error inside what the SDK wraps around it. */
function grpcCause(error: unknown): GrpcLike | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth += 1) {
    if (typeof (current as GrpcLike).code === 'number') return current as GrpcLike;
  }
  return undefined;
}
