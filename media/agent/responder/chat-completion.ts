/** The parts of the chat completions protocol in use: request, and the chunks of a streamed answer. */
import { z } from 'zod';
import type { AgentPersona } from '../agent-session';
import type { ChatMessage, ResponderEvent } from './responder';
import { transferTools } from './transfer-tools';
import type { ToolCallDelta } from './transfer-tools';

const END_CALL_TOOL = 'end_call';
const OPT_OUT_TOOL = 'opt_out';

const toolCall = z.object({
  index: z.number().optional(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});
const message = z.object({ content: z.string().nullish(), tool_calls: z.array(toolCall).nullish() });
const chunk = z.object({
  choices: z
    .array(z.object({ delta: message.nullish(), message: message.nullish(), finish_reason: z.string().nullish() }))
    .nullish(),
  error: z.unknown().optional(),
});

export interface ChunkContent {
  readonly events: readonly ResponderEvent[];
  readonly calls: readonly ToolCallDelta[];
  readonly finished: boolean;
}

/** Throws TypeError for what is not a chunk, or is an error told in the middle of the stream. */
export function parseChunk(data: string): ChunkContent {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw new TypeError('a chunk is not JSON');
  }
  const parsed = chunk.safeParse(json);
  if (!parsed.success) throw new TypeError('a chunk has an unknown shape');
  if (parsed.data.error !== undefined && parsed.data.error !== null)
    throw new TypeError('the stream reported an error');
  // Usage comes in a chunk without choices.
  const choice = parsed.data.choices?.[0];
  const content = choice?.delta ?? choice?.message;
  const events: ResponderEvent[] = [];
  if (content?.content) events.push({ type: 'text', delta: content.content });
  // Only the first delta of a tool call names it; the rest spells out its arguments.
  const named = new Set(content?.tool_calls?.map((call) => call.function?.name));
  if (named.has(OPT_OUT_TOOL)) events.push({ type: 'opt_out' });
  if (named.has(END_CALL_TOOL)) events.push({ type: 'end_call' });
  const calls = (content?.tool_calls ?? []).map((call): ToolCallDelta => ({
    index: call.index ?? 0,
    name: call.function?.name ?? null,
    arguments: call.function?.arguments ?? '',
  }));
  return { events, calls, finished: typeof choice?.finish_reason === 'string' };
}

export function chatRequest(
  model: string,
  persona: AgentPersona,
  history: readonly ChatMessage[],
): Readonly<Record<string, unknown>> {
  return {
    model,
    stream: true,
    messages: [{ role: 'system', content: systemPrompt(persona) }, ...history],
    tools: [
      toolWithoutArguments(
        END_CALL_TOOL,
        'Ends the phone call after what you said in this message. Say goodbye in the same message. Use it when the ' +
          'caller says goodbye or wants nothing more.',
      ),
      ...(persona.mayOptOut === true ? [OPT_OUT] : []),
      ...transferTools(persona),
    ],
  };
}

const OPT_OUT = toolWithoutArguments(
  OPT_OUT_TOOL,
  'Puts the number on the list of those that are not called again, says so, and ends the call. Use it at once, and without ' +
    'a word of your own, when the person you have called does not want to be called again, in whatever words they say it.',
);

function toolWithoutArguments(name: string, description: string): object {
  const parameters = { type: 'object', properties: {}, additionalProperties: false };
  return { type: 'function', function: { name, description, parameters } };
}

function systemPrompt(persona: AgentPersona): string {
  return [
    `You are ${persona.agentName}, speaking with somebody on the telephone in ${persona.language.join(' or ')}.`,
    'Your words are spoken by a voice: answer in one to three short sentences of plain text, without lists, markup,',
    'emoji or abbreviations. Keys the caller pressed are shown as [pressed 1 2 #]. Say so when you do not know something.',
    ...persona.instructions,
  ].join('\n');
}
