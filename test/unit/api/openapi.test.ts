import Ajv2020 from 'ajv/dist/2020';

import { declaredOpenApi } from '../../../api/declared-openapi';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: { 'application/json': { schema: object; example?: unknown } } };
  readonly responses: Readonly<Record<string, { content?: Record<string, { example?: unknown }> }>>;
}

const document = declaredOpenApi();
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    path,
    method,
    operation: operation as unknown as Operation,
  })),
);

describe('the declared OpenAPI document', () => {
  it('names each operation once and every parameter of its path', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  });

  it('has an example of every answer', () => {
    for (const { operation } of operations) {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) {
        const complete = Object.values(content).every((media) => media.example !== undefined);
        expect([operation.operationId, status, complete]).toEqual([operation.operationId, status, true]);
      }
    }
  });

  it('has request examples that fit what is validated', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', components: document['components'] });
    const bodies = operations.flatMap(({ operation }) => {
      const json = operation.requestBody?.content['application/json'];
      return json === undefined ? [] : [{ id: operation.operationId, ...json }];
    });
    expect(bodies.length).toBeGreaterThanOrEqual(8);
    for (const { id, schema, example } of bodies) {
      const located = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object;
      expect([id, ajv.validate(located, example)]).toEqual([id, true]);
    }
  });

  it('has patterns that other languages read, for phone numbers and cursors too', () => {
    const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
      ([, text]) => JSON.parse(text!) as string,
    );
    expect(patterns).toEqual(expect.arrayContaining(['^\\+[1-9][0-9]{1,14}$', '^[A-Za-z0-9_-]{1,500}$']));
    for (const pattern of patterns) {
      expect(() => new RegExp(pattern, 'u')).not.toThrow();
      // Unicode properties, look-behind, named groups and the like are spelled differently or missing elsewhere.
      expect(pattern).not.toMatch(/\\[pPckK]|\\u\{|\(\?/);
    }
  });

  it('begins with what one needs first', () => {
    const tags = (document['tags'] as { name: string }[]).map(({ name }) => name);
    expect(tags.slice(0, 3)).toEqual(['Agents', 'Inbound trunk', 'Outbound trunks']);
    expect(tags.at(-1)).toBe('Operations');
    for (const word of ['Authorization: Bearer', 'Idempotency-Key', 'RateLimit-Remaining', 'cursor']) {
      expect(document.info['description']).toContain(word);
    }
    // What it names exists.
    for (const [, method, path] of String(document.info['description']).matchAll(/`(GET|POST|PUT) (\/[\w/{}-]+)`/g)) {
      expect(document.paths[path!]).toHaveProperty(method!.toLowerCase());
    }
  });

  it('has a use for every component, and every query as parameters', () => {
    const text = JSON.stringify(document);
    const { schemas } = document['components'] as { schemas: Record<string, unknown> };
    expect(Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`))).toEqual([]);
    const audit = operations.find(({ operation }) => operation.operationId === 'listAuditLog')?.operation;
    expect(audit?.parameters?.map(({ name }) => name)).toEqual(expect.arrayContaining(['cursor', 'limit', 'resource']));
  });

  it('refers only to components it has, and leaves the long patterns out', () => {
    const text = JSON.stringify(document);
    const components = (document['components'] as { schemas: Record<string, unknown> }).schemas;
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) expect(components).toHaveProperty(name!);
    expect(text).not.toContain('$defs');
    expect(text).not.toContain('[0-9a-fA-F]{8}');
  });
});
