/** Requests made from the OpenAPI document alone: half of them as it asks for, half beside it. The same for a seed. */
import fc from 'fast-check';

import type { OpenApiDocument } from '../../../../api/openapi';
import { keyedOperations } from './document-operations';
import { brokenTexts, changed, jsonText, oddHeaders, oddQueries, oddSegments } from './odd-values';
import type { Json } from './odd-values';
import { SchemaArbitraries } from './schema-arbitrary';
import type { SchemaNode } from './schema-arbitrary';
import { exampleRequest, FIELDS } from './things';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: SchemaNode;
}

interface DescribedOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { 'application/json': { schema: SchemaNode; example: object } } };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { example?: unknown }>> }>>;
}

/** Path and body name things as `{{kind:n}}`: which id that is shows when the request is sent. */
export interface RandomRequest {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** As the document asks for; what is stored may still not allow it. */
  readonly valid: boolean;
}

interface Parts {
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The kind under which the cursors of answers are kept. */
export const CURSOR = 'cursor';

const reference = (kind: string): fc.Arbitrary<string> => fc.nat(9).map((n) => `{{${kind}:${n}}}`);

export class RandomRequests {
  readonly #document: OpenApiDocument;
  readonly #examples = new Map<string, Json>();
  readonly #texts: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #resources = new Map<string, string>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#texts = textsByName(document);
    const kinds = keyedOperations(document);
    const own = Object.fromEntries(kinds.map(({ resource }) => [resource ?? '', `{{${resource ?? ''}:0}}`]));
    for (const operation of kinds) {
      const { body } = exampleRequest(operation, own);
      if (body !== null) this.#examples.set(operation.operationId, body as Json);
      if (operation.resource !== null) this.#resources.set(operation.operationId, operation.resource);
    }
  }

  /** As many of each operation as of any other, in turn: what one makes or takes away, the next ones find so. */
  sample(count: number, seed: number): readonly RandomRequest[] {
    const operations = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, raw]) => ({ path, method, raw: raw as unknown as DescribedOperation })),
    );
    const rounds = Math.ceil(count / operations.length);
    const columns = operations.map(({ path, method, raw }, index) =>
      fc.sample(this.#requests(path, method.toUpperCase(), raw), { seed: seed + index, numRuns: rounds }),
    );
    return Array.from({ length: rounds }, (_, round) => columns.map((column) => column[round]!))
      .flat()
      .slice(0, count);
  }

  #requests(template: string, method: string, operation: DescribedOperation): fc.Arbitrary<RandomRequest> {
    const { operationId } = operation;
    const valid = this.#validParts(operation);
    const request = (parts: Parts, isValid: boolean): RandomRequest => {
      const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => parts.path[name] ?? 'x');
      const query = parts.query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
      const { headers, body } = parts;
      return { operationId, method, path: query === '' ? path : `${path}?${query}`, headers, body, valid: isValid };
    };
    return fc.oneof(
      valid.map((parts) => request(parts, true)),
      valid.chain((parts) => beside(parts)).map((parts) => request(parts, false)),
    );
  }

  #validParts(operation: DescribedOperation): fc.Arbitrary<Parts> {
    const { operationId, parameters = [], requestBody } = operation;
    const values = new SchemaArbitraries({
      components: (this.#document['components'] as { schemas: Record<string, SchemaNode> }).schemas,
      ids: (name) => {
        const kind = name === 'id' ? this.#resources.get(operationId) : FIELDS[name];
        const made = fc.uuid();
        return kind == null
          ? made
          : fc.oneof({ weight: 6, arbitrary: reference(kind) }, { weight: 1, arbitrary: made });
      },
      texts: (name) => [...(this.#texts.get(name) ?? [])],
    });
    const inPlace = (place: Parameter['in']): fc.Arbitrary<Record<string, string>> => {
      const found = parameters.filter((parameter) => parameter.in === place);
      const arbitraries = found.map(({ name, schema }) => {
        const made = values.of(schema, name).map(String);
        return [name, name === CURSOR ? fc.oneof(reference(CURSOR), made) : made] as const;
      });
      const requiredKeys = found.filter(({ required }) => required).map(({ name }) => name);
      return fc.record(Object.fromEntries(arbitraries), { requiredKeys }) as fc.Arbitrary<Record<string, string>>;
    };
    return fc.record({
      path: inPlace('path').map((path) =>
        Object.fromEntries(Object.entries(path).map(([name, value]) => [name, encoded(value)])),
      ),
      query: inPlace('query').map((query) => Object.entries(query)),
      headers: parameters.some(({ name }) => name === 'Idempotency-Key') ? idempotencyKeys : fc.constant({}),
      body:
        requestBody === undefined
          ? fc.constant(null)
          : this.#bodies(operationId, requestBody.content['application/json'].schema, values).map(jsonText),
    });
  }

  /** From the schema alone, or its example with some of what the schema allows: the latter gets further. */
  #bodies(operationId: string, schema: SchemaNode, values: SchemaArbitraries): fc.Arbitrary<Json> {
    const made = values.of(schema) as fc.Arbitrary<Record<string, Json>>;
    const example = this.#examples.get(operationId) as Record<string, Json> | undefined;
    if (example === undefined) return made;
    const varied = made.chain((body) =>
      fc
        .subarray(Object.keys(body), { maxLength: Math.min(3, Object.keys(body).length) })
        .map((names) => ({ ...example, ...Object.fromEntries(names.map((name) => [name, body[name]!])) })),
    );
    return fc.oneof(made, varied, fc.constant(example));
  }
}

/** Few of them: repeats are answered again, and refused for another body. */
const idempotencyKeys = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.nat(30).map((n) => ({ 'Idempotency-Key': `key ${n}` })) },
);

/** One part of a request that fits is made not to, or to be odd. */
function beside(parts: Parts): fc.Arbitrary<Parts> {
  const { path, query, headers, body } = parts;
  const ways: fc.Arbitrary<Parts>[] = [
    oddHeaders.map((odd) => ({ ...parts, headers: { ...headers, ...odd } })),
    oddQueries.map((odd) => ({ ...parts, query: [...query, ...odd] })),
    fc.subarray([...query]).map((again) => ({ ...parts, query: [...query, ...again] })),
  ];
  const names = Object.keys(path);
  if (names.length > 0) {
    ways.push(
      fc
        .tuple(fc.constantFrom(...names), oddSegments)
        .map(([name, odd]) => ({ ...parts, path: { ...path, [name]: odd } })),
    );
  }
  if (query.length > 0) {
    ways.push(
      oddQueries.map(([[, odd] = ['', '']]) => ({ ...parts, query: query.map(([name]) => [name, odd] as const) })),
    );
  }
  if (body !== null) {
    const value = JSON.parse(body) as Json;
    const odd = changed(value).map((other) => ({ ...parts, body: jsonText(other) }));
    ways.push(
      odd,
      odd,
      odd,
      brokenTexts(value).map((text) => ({ ...parts, body: text })),
    );
  }
  return fc.oneof(...ways);
}

/** References stay as they are; halves of a pair of surrogates cannot be encoded. */
const encoded = (text: string): string =>
  text
    .split(/(\{\{\w+:\d+\}\})/)
    .map((part, index) => (index % 2 === 1 ? part : encodeURIComponent(Buffer.from(part).toString())))
    .join('');

/** Every text of the document's examples, by the name that it stands under. */
function textsByName(document: OpenApiDocument): ReadonlyMap<string, ReadonlySet<string>> {
  const texts = new Map<string, Set<string>>();
  const collect = (value: unknown, name: string): void => {
    if (typeof value === 'string') texts.set(name, (texts.get(name) ?? new Set()).add(value));
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) collect(inner, Array.isArray(value) ? name : key);
  };
  const find = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'example') collect(inner, '');
      else find(inner);
    }
  };
  find(document.paths);
  return texts;
}
