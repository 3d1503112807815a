/** What a change sets; a field that is absent or undefined stays as it is. */
export type PatchOf<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] | undefined };

export function fieldsSet<Fields extends object>(patch: PatchOf<Fields>): Partial<Fields> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}
