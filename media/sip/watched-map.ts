/** A map that tells of each entry that enters or leaves. */
export class WatchedMap<T> extends Map<string, T> {
  readonly #onAdd: (value: T) => void;
  readonly #onRemove: () => void;

  constructor(onRemove: () => void, onAdd: (value: T) => void = () => {}) {
    super();
    this.#onAdd = onAdd;
    this.#onRemove = onRemove;
  }

  override set(key: string, value: T): this {
    super.set(key, value);
    this.#onAdd(value);
    return this;
  }

  override delete(key: string): boolean {
    const had = super.delete(key);
    if (had) this.#onRemove();
    return had;
  }
}
