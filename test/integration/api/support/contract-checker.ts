import Ajv2020 from 'ajv/dist/2020';
import type { ValidateFunction } from 'ajv/dist/2020';

import type { OpenApiDocument } from '../../../../api/openapi';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        /** Absent where there is no body. */
        readonly content?: {
          'application/json'?: { schema: object; example?: unknown };
          'text/csv'?: object;
          'text/plain'?: object;
        };
      }
    >
  >;
}

export interface CheckedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Proves answers against the document that describes them: status, code and shape. */
export class ContractChecker {
  /** `operationId status` of everything that was checked. */
  readonly seen = new Set<string>();
  readonly #document: OpenApiDocument;
  readonly #ajv: Ajv2020;
  /** By schema of the document: compiling takes longer than the request did. */
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    this.#ajv.addFormat('uuid', UUID);
    this.#ajv.addFormat('date-time', DATE_TIME);
    this.#ajv.addSchema({ $id: 'document', components: document['components'] });
  }

  /** Throws with everything that is wrong. Paths that the document does not have are not looked at. */
  check(method: string, path: string, answer: CheckedAnswer): void {
    const operation = this.#operation(method.toLowerCase(), path.split('?')[0] ?? path);
    if (operation === undefined) return;
    const where = `${method} ${path} → ${answer.status}`;
    const response = operation.responses[String(answer.status)];
    if (response === undefined) throw new Error(`${where}: status not in the document: ${JSON.stringify(answer.body)}`);
    const json = response.content?.['application/json'];
    if (json === undefined) {
      if (response.content === undefined && answer.body !== '') throw new Error(`${where}: a body`);
      if (response.content?.['text/plain'] === undefined) this.seen.add(`${operation.operationId} ${answer.status}`);
      return;
    }
    const errors = this.#errorsOf(json.schema, answer.body);
    if (errors.length > 0) throw new Error(`${where}: ${errors.join('; ')}`);
    if (answer.status >= 400 && operation.operationId !== 'getReadiness')
      this.#checkError(where, response.description, answer);
    this.seen.add(`${operation.operationId} ${answer.status}`);
  }

  /** Examples of successes that do not fit their own schema. */
  wrongExamples(): string[] {
    return this.#operations().flatMap(({ operationId, responses }) =>
      Object.entries(responses).flatMap(([status, { content }]) => {
        const json = content?.['application/json'];
        if (json === undefined) return [];
        return this.#errorsOf(json.schema, json.example).map((error) => `${operationId} ${status}: ${error}`);
      }),
    );
  }

  operations(): { readonly operationId: string; readonly statuses: readonly string[] }[] {
    return this.#operations().map(({ operationId, responses }) => ({ operationId, statuses: Object.keys(responses) }));
  }

  #operations(): Operation[] {
    return Object.values(this.#document.paths).flatMap((path) => Object.values(path) as unknown as Operation[]);
  }

  #errorsOf(schema: object, value: unknown): string[] {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      const located = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object;
      validate = this.#ajv.compile(located);
      this.#validators.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  }

  #checkError(where: string, description: string, answer: CheckedAnswer): void {
    const body = answer.body as { statusCode: number; code: string; requestId: string };
    if (body.statusCode !== answer.status) throw new Error(`${where}: statusCode ${body.statusCode}`);
    if (body.requestId !== answer.headers.get('x-request-id')) throw new Error(`${where}: requestId ${body.requestId}`);
    if (!description.includes(`\`${body.code}\``)) throw new Error(`${where}: code ${body.code} not in the document`);
  }

  #operation(method: string, path: string): Operation | undefined {
    // A path that is spelled out is no parameter of another.
    const exact = this.#document.paths[path];
    if (exact !== undefined) return exact[method] as Operation | undefined;
    const template = Object.entries(this.#document.paths).find(([candidate, operations]) => {
      const pattern = new RegExp(`^${candidate.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      return operations[method] !== undefined && pattern.test(path);
    });
    return template?.[1][method] as Operation | undefined;
  }
}
