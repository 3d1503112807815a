/** The part of the WebAssembly API in use; TypeScript ships it only with the browser's library. */
declare namespace WebAssembly {
  class Module {
    private constructor();
  }
  class Memory {
    private constructor();
    readonly buffer: ArrayBuffer;
  }
  type ImportValue = (...args: never[]) => number | void;
  type ModuleImports = Record<string, ImportValue>;
  class Instance {
    constructor(module: Module, imports: Record<string, ModuleImports>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
