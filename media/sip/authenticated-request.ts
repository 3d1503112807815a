/**
 * A request outside a dialog, and once more with our credentials where its target asks for them (RFC 3261 §22.2). A
 * challenge from another address gets none.
 */
import { randomBytes } from 'node:crypto';

import type { DigestClient } from './auth/digest-client';
import type { ResolvedTarget } from './edge/resolver';
import type { OutOfDialog, OutOfDialogRequest, OutOfDialogResult } from './out-of-dialog';

export type AuthenticatedResult = OutOfDialogResult & {
  /** Status of the first challenge. */
  readonly challenge: 401 | 407 | null;
  /** It went out with credentials for a challenge; an answer is one to them. */
  readonly authenticated: boolean;
  /** From the request to its first final answer, challenges included. */
  readonly firstAnswerMs: number | null;
};

export type UnsignedRequest = Omit<OutOfDialogRequest, 'credentials' | 'fromTag'>;

interface Way {
  readonly outOfDialog: OutOfDialog;
  readonly target: ResolvedTarget;
  /** Null: we have no credentials for it. */
  readonly digest: DigestClient | null;
}

/**
 * Never rejects.
 * @param make each time that it goes out: with a CSeq of its own; `spentMs`: what its answers took so far
 */
export async function sendAuthenticated(
  { outOfDialog, target, digest }: Way,
  make: (spentMs: number) => UnsignedRequest,
): Promise<AuthenticatedResult> {
  const fromTag = randomBytes(8).toString('hex');
  const mayRepeat = digest?.newRequest();
  let challenge: 401 | 407 | null = null;
  let authenticated = false;
  let firstAnswerMs: number | null = null;
  let connectedMs: number | null = null;
  for (let spentMs = 0; ;) {
    const request = make(spentMs);
    const { method, requestUri } = request;
    const credentials = digest?.authorize({ method, requestUri, body: '' }) ?? [];
    const result = await outOfDialog.send({ ...request, fromTag, credentials }, target);
    connectedMs ??= result.connectedMs;
    if (result.kind === 'answered') {
      const { response, flow, rttMs } = result;
      const { status } = response;
      spentMs += rttMs;
      firstAnswerMs ??= rttMs;
      if (status === 401 || status === 407) {
        challenge ??= status;
        const own = flow.peer.address === target.address;
        if (own && mayRepeat?.(response) === true) {
          authenticated = true;
          continue;
        }
      }
    }
    return { ...result, connectedMs, challenge, authenticated, firstAnswerMs };
  }
}
