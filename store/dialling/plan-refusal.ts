/** Why somebody is not called. Its words and details are for whoever asked; its code is stable. */
export class PlanRefusal extends Error {
  override readonly name = 'PlanRefusal';
  /** `<resource>_not_found`, `validation_failed`, or what the destination or the way to it lacks. */
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Of the field that is not valid. */
  readonly path: string | null;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, path?: string) {
    super(message);
    this.code = code;
    this.details = details;
    this.path = path ?? null;
  }
}
