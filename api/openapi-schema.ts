/** zod schemas as OpenAPI 3.1 schemas: JSON Schema 2020-12 with shared ones under `#/components/schemas`. */
import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

const COMPONENTS = '#/components/schemas/';

/** Collects the components that schemas with an id become. */
export class SchemaComponents {
  readonly #components = new Map<string, JsonSchema>();

  /** `input` for what clients send, `output` for what they get; a schema with an id is answered as a reference. */
  add(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { root, definitions } = convert(schema, io);
    for (const [name, definition] of definitions) this.#components.set(name, definition);
    return root;
  }

  /** An object's properties, whatever its id: a query becomes parameters, and nothing would refer to it as a whole. */
  addProperties(schema: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
    const { root, definitions } = convert(schema, io);
    const own = typeof root['$ref'] === 'string' ? root['$ref'].slice(COMPONENTS.length) : null;
    for (const [name, definition] of definitions) if (name !== own) this.#components.set(name, definition);
    return (own === null ? root : (definitions.get(own) ?? {})) as ObjectSchema;
  }

  toJSON(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => a.localeCompare(b)));
  }
}

/** zod puts every schema with an id below `$defs`, the one that was asked for too. */
function convert(
  schema: z.ZodType,
  io: 'input' | 'output',
): { readonly root: JsonSchema; readonly definitions: ReadonlyMap<string, JsonSchema> } {
  const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io, override: dropLongPatterns }) as JsonSchema;
  const definitions = Object.entries($defs as Record<string, JsonSchema>).map(([name, { id: _id, ...rest }]) => {
    return [name, relocate(rest) as JsonSchema] as const;
  });
  return { root: relocate(root) as JsonSchema, definitions: new Map(definitions) };
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
        ? [key, inner.replace('#/$defs/', COMPONENTS)]
        : [key, relocate(inner)],
    ),
  );
}
