/** What the live media nodes can speak: they publish it with their registration, the API never loads a provider. */
import { z } from 'zod';
import type { LiveNode, LiveNodes } from './live-nodes';
import type { VoiceResource } from './schemas/agent';

/** The part of `media_nodes.info` that is read here. */
const nodeInfo = z.object({
  voices: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        language: z.array(z.string()),
        gender: z.string(),
        provider: z.string().default('embedded'),
        sample_url: z.string().nullable().default(null),
        default: z.boolean().optional(),
      }),
    )
    .default([]),
});

export class SpeechCatalog {
  readonly #nodes: LiveNodes;
  #known: { readonly nodes: readonly LiveNode[]; readonly speech: Speech } | undefined;

  constructor(nodes: LiveNodes) {
    this.#nodes = nodes;
  }

  /** What all live nodes can speak; nothing while no node lives. */
  async current(): Promise<Speech> {
    const nodes = await this.#nodes.current();
    if (this.#known?.nodes !== nodes) this.#known = { nodes, speech: new Speech(collect(nodes), nodes.length > 0) };
    return this.#known.speech;
  }
}

export class Speech {
  readonly voices: readonly VoiceResource[];
  /** A media node lives. */
  readonly anyNode: boolean;
  readonly #languages: ReadonlySet<string>;

  constructor(voices: readonly VoiceResource[], anyNode: boolean) {
    this.voices = voices;
    this.anyNode = anyNode;
    this.#languages = new Set(voices.flatMap((voice) => voice.language.map(primaryLanguage)));
  }

  /** Those of `languages` that no voice speaks; none while it is unknown what can be spoken. */
  unspoken(languages: readonly string[]): readonly string[] {
    return this.voices.length === 0 ? [] : languages.filter((language) => !this.#languages.has(language));
  }

  hasVoice(id: string): boolean {
    return this.voices.length === 0 || this.voices.some((voice) => voice.id === id);
  }
}

/** `en-US` → `en` (RFC 5646 §2.2.1) */
function primaryLanguage(tag: string): string {
  return (tag.split('-')[0] ?? tag).toLowerCase();
}

function collect(nodes: readonly LiveNode[]): VoiceResource[] {
  const byId = new Map<string, VoiceResource>();
  for (const node of nodes) {
    const info = nodeInfo.safeParse(node.info);
    if (!info.success) continue;
    for (const voice of info.data.voices) {
      if (!byId.has(voice.id)) byId.set(voice.id, { ...voice, default: voice.default ?? false });
    }
  }
  const voices = [...byId.values()];
  if (voices.some((voice) => voice.default)) return voices;
  return voices.map((voice, index) => ({ ...voice, default: index === 0 }));
}
