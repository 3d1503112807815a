/** What an error of the Temporal client says about the request it answered. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { grpcStatus } from './grpc-status';

/**
 * `refused`: it never left or was turned away, nothing was done. `closing`: the same, and a moment later it will be taken
 * or the workflow be gone. `lost`: it may have been executed. `not_found`: there is no such workflow, or it is closed.
 * `already_started`: the workflow's id is taken. `update_failed`: the workflow refused the update or ended meanwhile.
 */
export type TemporalTrouble =
  'refused' | 'closing' | 'lost' | 'not_found' | 'already_started' | 'update_failed' | 'other';

interface GrpcLike {
  readonly code?: unknown;
  readonly details?: unknown;
  readonly message?: string;
}

const TURNED_AWAY: ReadonlySet<unknown> = new Set([
  grpcStatus.RESOURCE_EXHAUSTED,
  grpcStatus.UNAUTHENTICATED,
  grpcStatus.PERMISSION_DENIED,
  grpcStatus.INVALID_ARGUMENT,
  grpcStatus.FAILED_PRECONDITION,
]);
const LOST: ReadonlySet<unknown> = new Set([
  grpcStatus.DEADLINE_EXCEEDED,
  grpcStatus.CANCELLED,
  grpcStatus.UNKNOWN,
  grpcStatus.INTERNAL,
]);
const CLOSING = /workflow is closing/i;
const NOT_SENT = /no connection established|ECONNREFUSED|name resolution failed|EHOSTUNREACH|ENETUNREACH/i;

export function temporalTrouble(error: unknown): TemporalTrouble {
  if (error instanceof WorkflowNotFoundError) return 'not_found';
  if (error instanceof WorkflowExecutionAlreadyStartedError) return 'already_started';
  if (error instanceof WorkflowUpdateFailedError) return 'update_failed';
  const grpc = grpcCause(error);
  if (grpc === undefined) return 'other';
  if (grpc.code === grpcStatus.RESOURCE_EXHAUSTED && CLOSING.test(String(grpc.details))) return 'closing';
  if (TURNED_AWAY.has(grpc.code)) return 'refused';
  if (grpc.code === grpcStatus.NOT_FOUND) return 'not_found';
  if (grpc.code === grpcStatus.UNAVAILABLE) {
    return NOT_SENT.test(`${String(grpc.details)} ${grpc.message ?? ''}`) ? 'refused' : 'lost';
  }
  return LOST.has(grpc.code) ? 'lost' : 'other';
}

/** Nobody answered in time: neither yes nor no. */
export function isDeadline(error: unknown): boolean {
  const code = grpcCause(error)?.code;
  return code === grpcStatus.DEADLINE_EXCEEDED || code === grpcStatus.CANCELLED;
}

/** The gRPC error inside what the SDK wraps around it. */
function grpcCause(error: unknown): GrpcLike | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth += 1) {
    if (typeof (current as GrpcLike).code === 'number') return current as GrpcLike;
  }
  return undefined;
}
