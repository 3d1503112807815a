/** What one address of a carrier, or of ours, answers to OPTIONS, as the steps of a check read it. */
import { sdpOf } from '../../sip/message/body';
import { decodeWireText } from '../../sip/message/message';
import { askOptions, type OptionsRequest } from '../../sip/options';
import type { OutOfDialog } from '../../sip/out-of-dialog';

interface AnsweredOptions {
  readonly kind: 'answered';
  readonly status: number;
  readonly reason: string;
  /** Status of the first answer when that was a challenge. */
  readonly challenge: 401 | 407 | null;
  /** The answer is one to our credentials. */
  readonly authenticated: boolean;
  /** Value of Server; empty without. */
  readonly server: string;
  readonly sdp: string | null;
}

type Ending =
  | AnsweredOptions
  /** No connection, or the network says that nobody is there. */
  | { readonly kind: 'unreachable'; readonly error: unknown }
  /** Nothing came back. */
  | { readonly kind: 'silent' };

export type TargetAnswer = Ending & {
  /** Of the TCP connection; of UDP nothing tells whether there is one. */
  readonly connectedMs: number | null;
  /** From the request to its first final answer. */
  readonly answeredMs: number | null;
};

export async function answerOf(outOfDialog: OutOfDialog, request: OptionsRequest): Promise<TargetAnswer> {
  const result = await askOptions(outOfDialog, request);
  const { connectedMs, firstAnswerMs: answeredMs, challenge, authenticated } = result;
  if (result.kind !== 'answered') return { ...result, connectedMs, answeredMs };
  const { response } = result;
  return {
    kind: 'answered',
    status: response.status,
    reason: decodeWireText(response.reason),
    challenge,
    authenticated,
    server: response.first('server') ?? '',
    sdp: sdpOf(response),
    connectedMs,
    answeredMs,
  };
}
