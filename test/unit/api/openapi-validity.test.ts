/** The document in the eyes of a validator that is not ours: the schema of OpenAPI 3.1 and every reference, then JSON Schema's own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Ajv2020 from 'ajv/dist/2020';

import { declaredOpenApi } from '../../../api/declared-openapi';
import { PROJECT_ROOT } from '../../../scripts/project-root';

/** Published as an ES module only: it runs as the program it comes with. */
const VALIDATOR = join(PROJECT_ROOT, 'node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js');

interface Verdict {
  readonly valid: boolean;
  readonly errors?: unknown;
}

describe('the OpenAPI document, to an independent validator', () => {
  const document = JSON.parse(JSON.stringify(declaredOpenApi())) as Record<string, unknown>;
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'openapi-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function validate(text: string): Verdict {
    const file = join(directory, 'openapi.json');
    writeFileSync(file, text);
    const { stdout, stderr } = spawnSync(process.execPath, [VALIDATOR, file], { encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Verdict;
  }

  it('is valid, and says of itself that it is 3.1', () => {
    expect(validate(JSON.stringify(document))).toEqual({ valid: true });
    expect(document['openapi']).toMatch(/^3\.1\.\d+$/);
  });

  it.each([
    ['an answer without a description', /"description":"Success",/, ''],
    ['a parameter in a place that there is not', '"in":"path"', '"in":"somewhere"'],
    ['a reference to a component that is missing', '"#/components/schemas/Agent"', '"#/components/schemas/Nobody"'],
  ])('would not be valid with %s', (_, found, replaced) => {
    const text = JSON.stringify(document);
    const spoilt = text.replace(found, replaced);
    expect(spoilt).not.toBe(text);
    expect(validate(spoilt).valid).toBe(false);
  });

  it('holds schemas of JSON Schema 2020-12 throughout', () => {
    const ajv = new Ajv2020({ strict: false });
    const schemas = [...schemasOf(document)];
    expect(schemas.length).toBeGreaterThan(200);
    for (const schema of schemas) {
      expect([schema, ajv.validateSchema(schema as object), ajv.errors]).toEqual([schema, true, null]);
    }
    expect(ajv.validateSchema({ type: 'text' })).toBe(false);
  });

  /** Of parameters, headers, bodies and answers, and the shared ones. */
  function* schemasOf(value: unknown, key = ''): Iterable<unknown> {
    if (value === null || typeof value !== 'object') return;
    if (key === 'example') return;
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'schema') yield inner;
      else if (name === 'schemas' && key === 'components') yield* Object.values(inner as object);
      else yield* schemasOf(inner, name);
    }
  }
});
