import { fillVariables } from '../../contract/placeholders';
import { impossible } from '../errors';
import { MAX_FIRST_MESSAGE_CHARS } from '../schemas/primitives';

/**
 * What the agent says first in one call; null where it is the agent's own message unchanged.
 * @param own The agent's first message.
 * @param given The request's, instead of the agent's.
 * @throws ApiError 422 `first_message_too_long` when values make more of it than a message may have
 */
export function firstMessageOf(
  own: string,
  given: string | undefined,
  variables: Readonly<Record<string, string>> | undefined,
): string | null {
  const filled = fillVariables(given ?? own, variables ?? {});
  if (filled.length > MAX_FIRST_MESSAGE_CHARS) {
    const message = `With its variables the first message has more than ${MAX_FIRST_MESSAGE_CHARS} characters`;
    throw impossible('first_message_too_long', message);
  }
  return given === undefined && filled === own ? null : filled;
}
