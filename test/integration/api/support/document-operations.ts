import type { OpenApiDocument } from '../../../../api/openapi';

interface Schema {
  readonly $ref?: string;
  readonly format?: string;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface RawOperation {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly 'x-required-scope'?: string;
  readonly 'x-operator-only'?: boolean;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: { 'application/json': { schema: Schema; example: object } } };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

/** Where a request carries an id. */
export interface IdField {
  readonly place: 'path' | 'query' | 'body';
  readonly name: string;
  /** A list of ids. */
  readonly many: boolean;
}

/** An operation that needs a key, as far as the document tells. */
export interface KeyedOperation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly scope: string;
  readonly operatorOnly: boolean;
  /** Takes an Idempotency-Key. */
  readonly idempotent: boolean;
  readonly successStatus: number;
  /** What the path's id names: `agent`, `api_key` … */
  readonly resource: string | null;
  readonly body: object | null;
  readonly ids: readonly IdField[];
}

export function keyedOperations(document: OpenApiDocument): readonly KeyedOperation[] {
  const schemas = (document['components'] as { schemas: Record<string, Schema> }).schemas;
  const resolve = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : resolve(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  const isId = (schema: Schema): boolean => {
    const { format, anyOf = [] } = resolve(schema);
    return format === 'uuid' || anyOf.some(isId);
  };
  const field = (place: IdField['place'], name: string, schema: Schema): IdField[] => {
    const { items } = resolve(schema);
    if (isId(schema)) return [{ place, name, many: false }];
    return items !== undefined && isId(items) ? [{ place, name, many: true }] : [];
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, raw]): KeyedOperation[] => {
      const operation = raw as unknown as RawOperation;
      if (operation.security?.length === 0) return [];
      const json = operation.requestBody?.content['application/json'];
      const properties = json === undefined ? {} : (resolve(json.schema).properties ?? {});
      return [
        {
          operationId: operation.operationId,
          method: method.toUpperCase(),
          path,
          scope: operation['x-required-scope'] ?? '',
          operatorOnly: operation['x-operator-only'] === true,
          successStatus: Number(Object.keys(operation.responses).find((status) => status.startsWith('2'))),
          idempotent: operation.parameters?.some(({ name }) => name === 'Idempotency-Key') === true,
          resource: path.includes('{id}')
            ? (/`(\w+)_not_found`/.exec(operation.responses['404']?.description ?? '')?.[1] ?? null)
            : null,
          body: json?.example ?? null,
          ids: [
            ...(operation.parameters ?? []).flatMap((parameter) =>
              field(parameter.in as IdField['place'], parameter.name, parameter.schema),
            ),
            ...Object.entries(properties).flatMap(([name, schema]) => field('body', name, schema)),
          ],
        },
      ];
    }),
  );
}
