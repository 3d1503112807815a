/** Values that fit a JSON Schema of the document, as arbitraries of fast-check. */
import fc from 'fast-check';

export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode;
  readonly propertyNames?: SchemaNode;
}

/** What says nothing about which values fit, and what is read here: a further word is a gap in what is generated. */
const KNOWN_WORDS: ReadonlySet<string> = new Set(
  (
    '$ref type enum const anyOf format pattern minLength maxLength minimum maximum items minItems maxItems properties ' +
    'required additionalProperties propertyNames description default examples'
  ).split(' '),
);

export interface SchemaArbitraryOptions {
  /** The document's shared schemas. */
  readonly components: Readonly<Record<string, SchemaNode>>;
  /** Ids that may exist, by the name of the property or parameter. */
  readonly ids: (name: string) => fc.Arbitrary<string>;
  /** Texts that mean something, by the name of the property or parameter: of its examples. */
  readonly texts: (name: string) => readonly string[];
}

const MAX_ITEMS = 5;

export class SchemaArbitraries {
  readonly #options: SchemaArbitraryOptions;

  constructor(options: SchemaArbitraryOptions) {
    this.#options = options;
  }

  /** @param name of the property or parameter that has this schema */
  of(schema: SchemaNode, name = ''): fc.Arbitrary<unknown> {
    const unknown = Object.keys(schema).filter((word) => !KNOWN_WORDS.has(word));
    if (unknown.length > 0) throw new Error(`no values are made for ${unknown.join(', ')}`);
    if (schema.$ref !== undefined) return this.of(this.#component(schema.$ref), name);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if ('const' in schema) return fc.constant(schema.const);
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((choice) => this.of(choice, name)));
    const types = schema.type === undefined ? [] : [schema.type].flat();
    if (types.length === 0) return fc.jsonValue({ maxDepth: 3, noUnicodeString: false });
    return fc.oneof(...types.map((type) => this.#ofType(type, schema, name)));
  }

  #component(ref: string): SchemaNode {
    const component = this.#options.components[ref.split('/').at(-1) ?? ''];
    if (component === undefined) throw new Error(`${ref} is missing`);
    return component;
  }

  #ofType(type: string, schema: SchemaNode, name: string): fc.Arbitrary<unknown> {
    const { minimum: min = -1e9, maximum: max = 1e9 } = schema;
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.integer({ min: Math.max(min, -(2 ** 31)), max: Math.min(max, 2 ** 31 - 1) });
      case 'number':
        return fc.oneof(
          fc.double({ min, max, noNaN: true }),
          fc.integer({ min: Math.ceil(min), max: Math.floor(max) }),
        );
      case 'string':
        return this.#text(schema, name);
      case 'array':
        return fc.array(this.of(schema.items ?? {}, name), {
          minLength: schema.minItems ?? 0,
          maxLength: Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS),
        });
      case 'object':
        return this.#object(schema);
      default:
        throw new Error(`no values are made for the type ${type}`);
    }
  }

  #text(schema: SchemaNode, name: string): fc.Arbitrary<string> {
    const { format, pattern, minLength = 0, maxLength = 500 } = schema;
    if (format === 'uuid') return this.#options.ids(name);
    const fits = (text: string): boolean => {
      const { length } = Array.from(text);
      return length >= minLength && length <= maxLength && (pattern === undefined || new RegExp(pattern).test(text));
    };
    const known = this.#options.texts(name).filter(fits);
    const made = format === undefined ? freeTexts(schema) : textsOf(format);
    const arbitrary = made.filter(fits);
    if (known.length === 0) return arbitrary;
    return fc.oneof(
      fc.constantFrom(...known),
      fc
        .constantFrom(...known)
        .chain(neighboursOf)
        .filter(fits),
      arbitrary,
    );
  }

  #object(schema: SchemaNode): fc.Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties, propertyNames = { type: 'string' } } = schema;
    const named = fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, this.of(inner, name)])),
      { requiredKeys: [...required] },
    );
    if (additionalProperties === undefined) return named;
    const further = fc.dictionary(this.of(propertyNames) as fc.Arbitrary<string>, this.of(additionalProperties), {
      maxKeys: MAX_ITEMS,
    });
    return fc.tuple(further, named).map(([others, own]) => ({ ...others, ...own }));
  }
}

/** Another number of the same kind, where an example ends in one. */
const neighboursOf = (example: string): fc.Arbitrary<string> =>
  fc.nat(9_999).map((n) => example.replace(/\d{4}$/, String(n).padStart(4, '0')));

function freeTexts({ pattern, minLength = 0, maxLength = 500 }: SchemaNode): fc.Arbitrary<string> {
  if (pattern !== undefined) {
    const matching = fc.stringMatching(new RegExp(pattern));
    return minLength === 0 ? matching : fc.oneof(matching, fc.string({ minLength, maxLength }));
  }
  const bounds = { minLength, maxLength };
  return fc.oneof(
    fc.string(bounds),
    fc.string({ ...bounds, unit: 'grapheme' }),
    fc.string({ ...bounds, unit: 'binary' }),
    fc.constantFrom('x'.repeat(maxLength), '\u{1f4de}'.repeat(maxLength), 'x'.repeat(Math.max(1, minLength))),
  );
}

function textsOf(format: string): fc.Arbitrary<string> {
  switch (format) {
    case 'uri':
      return fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.constantFrom('https://[::1]:8443/a', 'urn:isbn:1'));
    case 'date-time':
      return dateTimes;
    default:
      throw new Error(`no values are made for the format ${format}`);
  }
}

/** RFC 3339 §5.6: from the year 0 to 9999, with any offset and as many digits of a second as one likes. */
const dateTimes = fc
  .tuple(
    fc.oneof(
      fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true }),
      fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    ),
    fc.constantFrom('', '.5', '.123456789012345'),
    fc.constantFrom('Z', 'Z', '+00:00', '-00:00', '+14:00', '-23:59', '+23:59'),
  )
  .map(([date, fraction, offset]) => date.toISOString().replace(/\.\d{3}Z$/, fraction + offset));
