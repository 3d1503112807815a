/** Things of one kind that the API keeps, and the commands that all kinds have in common. */
import type { Command } from 'commander';

import type { QueryValues } from './api-client';
import { EXIT } from './exit-code';
import { CliFailure, usageFailure } from './failure';
import { addBodyFields, addFields, bodyOf, valuesOf } from './fields';
import type { Field, OptionValues } from './fields';
import { addPageOptions, printPages } from './paging';
import type { PageOptions } from './paging';
import type { CliSession } from './session';
import type { Column } from './table';

export interface Identified {
  readonly id: string;
}

export interface Resource<Item extends Identified> {
  /** As in the API's codes: `agent`, `outbound_trunk`. */
  readonly what: string;
  readonly path: string;
  /** Whether its list comes in pages. */
  readonly paged: boolean;
  readonly columns: readonly Column<Item>[];
  /** The other word, beside its id, that it may be asked for by. */
  readonly nameOf?: (item: Item) => string;
}

interface DeleteOptions {
  readonly verb?: string;
  /** Help of `--force`. */
  readonly force?: string;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** An id as it is; anything else is the name (number …) of exactly one. */
export async function resourceId<Item extends Identified>(
  session: CliSession,
  resource: Resource<Item>,
  word: string,
): Promise<string> {
  const { what, nameOf } = resource;
  if (nameOf === undefined || UUID.test(word)) return word;
  const found: string[] = [];
  for await (const item of allOf(session, resource)) if (nameOf(item) === word) found.push(item.id);
  const [id, second] = found;
  const noun = what.replaceAll('_', ' ');
  if (id === undefined) throw new CliFailure(EXIT.refused, `${what}_not_found`, `No ${noun} is called "${word}"`);
  if (second !== undefined) throw usageFailure(`Several are called "${word}": ${found.join(', ')}; give the id`);
  return id;
}

async function* allOf<Item extends Identified>(
  { api }: CliSession,
  { path, paged }: Resource<Item>,
): AsyncGenerator<Item> {
  if (!paged) return yield* await api.get<Item[]>(path);
  for await (const { items } of api.pages<Item>(path)) yield* items;
}

export async function resourcePath<Item extends Identified>(
  session: CliSession,
  resource: Resource<Item>,
  word: string,
): Promise<string> {
  return `${resource.path}/${encodeURIComponent(await resourceId(session, resource, word))}`;
}

/** The commands of one group; what only one kind of thing has is added to its group beside them. */
export class ResourceCommands<Item extends Identified> {
  readonly #group: Command;
  readonly #session: CliSession;
  readonly #resource: Resource<Item>;
  /** `<trunk>` of `outbound_trunk` */
  readonly #argument: string;

  constructor(group: Command, session: CliSession, resource: Resource<Item>) {
    this.#group = group;
    this.#session = session;
    this.#resource = resource;
    this.#argument = `<${resource.what.replace(/^.*_/, '')}>`;
  }

  /** What the group does without a further word. */
  list(description: string, filters: readonly Field[] = []): void {
    const { path, paged, columns } = this.#resource;
    const list = addFields(this.#command('list', description, { isDefault: true }), filters);
    if (!paged) {
      list.action(async () => this.#session.output.table(await this.#session.api.get<Item[]>(path), columns));
      return;
    }
    addPageOptions(list).action(async (options: PageOptions & OptionValues) => {
      const query = (await valuesOf(this.#session, options, filters)) as QueryValues;
      await printPages(this.#session, path, options, query, columns);
    });
  }

  show(description: string): void {
    this.#command(`show ${this.#argument}`, description).action(async (word: string) =>
      this.#session.output.record(await this.#session.api.get(await this.#path(word))),
    );
  }

  /** @param note what there is to say of the answer, beside it */
  create(description: string, fields: readonly Field[], note?: string): void {
    addBodyFields(this.#command('create', description), fields).action(async (options: OptionValues) => {
      const body = await bodyOf(this.#session, options, fields);
      this.#session.output.record(await this.#session.api.request('POST', this.#resource.path, { body }));
      if (note !== undefined) this.#session.output.note(note);
    });
  }

  update(method: 'PATCH' | 'PUT', fields: readonly Field[]): void {
    const update = this.#command(`update ${this.#argument}`, 'change what is given; the rest stays');
    addBodyFields(update, fields).action(async (word: string, options: OptionValues) => {
      const body = await bodyOf(this.#session, options, fields);
      this.#session.output.record(await this.#session.api.request(method, await this.#path(word), { body }));
    });
  }

  delete(description: string, { verb = 'delete', force }: DeleteOptions = {}): void {
    const command = this.#command(`${verb} ${this.#argument}`, description);
    if (force !== undefined) command.option('--force', force);
    command.action(async (word: string, options: { readonly force?: boolean }) => {
      const query = { force: options.force === true ? 'true' : undefined };
      this.#session.output.record(await this.#session.api.request('DELETE', await this.#path(word), { query }));
    });
  }

  #command(words: string, description: string, options = {}): Command {
    return this.#group.command(words, options).description(description);
  }

  #path(word: string): Promise<string> {
    return resourcePath(this.#session, this.#resource, word);
  }
}
