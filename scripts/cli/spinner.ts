const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
/** Most answers are there before anybody wonders. */
const DELAY_MS = 300;

/** Says on a terminal that something is being waited for, on a line that it takes away again. Silent anywhere else. */
export class Spinner {
  readonly #stream: NodeJS.WritableStream;
  readonly #enabled: boolean;
  #timer: NodeJS.Timeout | undefined;
  #shown = false;

  constructor(stream: NodeJS.WritableStream, enabled: boolean) {
    this.#stream = stream;
    this.#enabled = enabled;
  }

  start(label: string): void {
    if (!this.#enabled) return;
    this.stop();
    let frame = -Math.ceil(DELAY_MS / FRAME_MS);
    this.#timer = setInterval(() => {
      frame += 1;
      if (frame < 0) return;
      this.#stream.write(`\r${FRAMES[frame % FRAMES.length]} ${label}\u001b[K`);
      this.#shown = true;
    }, FRAME_MS);
  }

  /** Before anything else is written to the terminal. */
  clear(): void {
    if (this.#shown) this.#stream.write('\r\u001b[K');
    this.#shown = false;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.clear();
  }
}
