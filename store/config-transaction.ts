import type { EntityManager } from 'typeorm';
import type { ConfigKind } from './entities/config-tombstone';

/** What one transaction has changed; `ConfigRepository.transaction` stamps it with the next version at the end. */
export class ConfigTransaction {
  readonly manager: EntityManager;
  /** What it is stamped with at its end; null where it changed nothing. */
  version: number | null = null;
  readonly #changed = new Map<ConfigKind, Set<string>>();
  readonly #deleted = new Map<ConfigKind, Set<string>>();

  constructor(manager: EntityManager) {
    this.manager = manager;
  }

  changed(kind: ConfigKind, ...ids: readonly string[]): void {
    for (const id of ids) {
      ConfigTransaction.#set(this.#changed, kind).add(id);
      this.#deleted.get(kind)?.delete(id);
    }
  }

  deleted(kind: ConfigKind, ...ids: readonly string[]): void {
    for (const id of ids) {
      ConfigTransaction.#set(this.#deleted, kind).add(id);
      this.#changed.get(kind)?.delete(id);
    }
  }

  changedIds(kind: ConfigKind): string[] {
    return [...(this.#changed.get(kind) ?? [])];
  }

  deletions(): { readonly kind: ConfigKind; readonly id: string }[] {
    return [...this.#deleted].flatMap(([kind, ids]) => [...ids].map((id) => ({ kind, id })));
  }

  get isEmpty(): boolean {
    return [...this.#changed.values(), ...this.#deleted.values()].every((ids) => ids.size === 0);
  }

  static #set(map: Map<ConfigKind, Set<string>>, kind: ConfigKind): Set<string> {
    const existing = map.get(kind);
    if (existing) return existing;
    const fresh = new Set<string>();
    map.set(kind, fresh);
    return fresh;
  }
}
