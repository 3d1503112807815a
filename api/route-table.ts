/** Which handler a request is for: every path of the API in one table, looked up once for each request. */
import type { Context, Middleware } from 'koa';

import { ApiError } from './errors';

export type PathParams = Readonly<Record<string, string>>;

export interface TableRoute {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` parameters, each a whole segment. */
  readonly path: string;
  /** In this spelling alone; the others are found in any case, and with a `/` at their end. */
  readonly exact?: true;
  readonly handle: (ctx: Context, params: PathParams) => Promise<void> | void;
}

/** A path and what may be done with it. */
interface Entry {
  readonly path: string;
  readonly exact: boolean;
  /** In lower case; null for a parameter. */
  readonly segments: readonly (string | null)[];
  readonly names: readonly string[];
  readonly handlers: Map<string, TableRoute['handle']>;
}

export class RouteTable {
  /** By number of segments; those with the fewest parameters first. */
  readonly #entries = new Map<number, Entry[]>();

  constructor(routes: readonly TableRoute[]) {
    for (const route of routes) {
      const { handlers } = this.#entryOf(route);
      handlers.set(route.method.toUpperCase(), route.handle);
      // RFC 9110 §9.3.2: as GET, without the body, which Koa leaves out.
      if (route.method === 'get') handlers.set('HEAD', route.handle);
    }
    for (const entries of this.#entries.values()) entries.sort((a, b) => a.names.length - b.names.length);
  }

  /**
   * A path that is spelled out is never what a parameter of another stands for: `PATCH /phone/calls` is no agent called
   * "calls".
   * @throws ApiError 404 for a path that no route has, 405 with `Allow` for a method that its routes do not take
   */
  find(method: string, path: string): { readonly handle: TableRoute['handle']; readonly params: PathParams } {
    const given = path.split('/').slice(1);
    if (given.at(-1) === '') given.pop();
    const allowed = new Set<string>();
    let parameters = Infinity;
    for (const entry of this.#entries.get(given.length) ?? []) {
      if (entry.names.length > parameters) break;
      if (entry.exact ? entry.path !== path : !isAt(entry, given)) continue;
      const handle = entry.handlers.get(method);
      if (handle !== undefined) return { handle, params: paramsOf(entry, given) };
      parameters = entry.names.length;
      for (const other of entry.handlers.keys()) allowed.add(other);
    }
    if (allowed.size === 0) throw new ApiError(404, 'route_not_found', 'No such route');
    const allow = [...allowed].sort().join(', ');
    throw new ApiError(405, 'method_not_allowed', `This path takes ${allow}`, { headers: { Allow: allow } });
  }

  #entryOf({ path, exact }: TableRoute): Entry {
    const parts = path.split('/').slice(1);
    const entries = this.#entries.get(parts.length) ?? [];
    this.#entries.set(parts.length, entries);
    const known = entries.find((entry) => entry.path === path);
    if (known !== undefined) return known;
    const names = parts.flatMap((part) => nameOf(part) ?? []);
    const segments = parts.map((part) => (nameOf(part) === undefined ? part.toLowerCase() : null));
    const entry = { path, exact: exact === true, segments, names, handlers: new Map() };
    entries.push(entry);
    return entry;
  }
}

export function dispatch(table: RouteTable): Middleware {
  return async (ctx) => {
    const { handle, params } = table.find(ctx.method, ctx.path);
    await handle(ctx, params);
  };
}

const nameOf = (part: string): string | undefined => /^\{(\w+)\}$/.exec(part)?.[1];

function isAt({ segments }: Entry, given: readonly string[]): boolean {
  return segments.every((segment, n) => {
    const part = given[n];
    return segment === null ? part !== '' : segment === part || segment === part?.toLowerCase();
  });
}

function paramsOf({ segments, names }: Entry, given: readonly string[]): PathParams {
  if (names.length === 0) return {};
  const values = given.filter((_, n) => segments[n] === null);
  return Object.fromEntries(names.map((name, n) => [name, decoded(values[n] ?? '')]));
}

/** What is encoded wrongly stays as it is: it names nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
