/** Synthesised sentences by what was asked for, least recently used first to go, within a limit of bytes. */
export class SpeechCache {
  readonly #limitBytes: number;
  readonly #entries = new Map<string, Int16Array>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get(key: string): Int16Array | undefined {
    const found = this.#entries.get(key);
    if (found) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
    }
    return found;
  }

  set(key: string, pcm: Int16Array): void {
    this.#drop(key);
    if (pcm.byteLength > this.#limitBytes) return;
    this.#entries.set(key, pcm);
    this.#bytes += pcm.byteLength;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limitBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.byteLength ?? 0;
    this.#entries.delete(key);
  }
}
