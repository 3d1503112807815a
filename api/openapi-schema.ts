/** zod schemas as OpenAPI 3.1 schemas: JSON Schema 2020-12 with shared ones under `#/components/schemas`. */
import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

/** Collects the components that schemas with an id become. */
export class SchemaComponents {
  readonly #components = new Map<string, JsonSchema>();

  /** `input` for what clients send, `output` for what they get. */
  add(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { $schema: _, $defs, ...root } = z.toJSONSchema(schema, { io, override: dropLongPatterns }) as JsonSchema;
    for (const [name, definition] of Object.entries(($defs ?? {}) as Record<string, JsonSchema>)) {
      const { id: _id, ...rest } = definition;
      this.#components.set(name, relocate(rest) as JsonSchema);
    }
    const { id, ...body } = root;
    if (typeof id !== 'string') return relocate(root) as JsonSchema;
    this.#components.set(id, relocate(body) as JsonSchema);
    return { $ref: `#/components/schemas/${id}` };
  }

  toJSON(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => a.localeCompare(b)));
  }
}

/** The patterns of UUIDs and dates say in 200 characters what `format` says in one word. */
function dropLongPatterns({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema['format'] === 'uuid' || jsonSchema['format'] === 'date-time') delete jsonSchema['pattern'];
}

function relocate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocate);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, inner.replace('#/$defs/', '#/components/schemas/')]
        : [key, relocate(inner)],
    ),
  );
}
