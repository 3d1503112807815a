/** Ours by name, and whatever else looks like a secret. */
const SECRET_NAME = /DATABASE_URL$|(KEY|SECRET|PASSWORD|TOKEN|CREDENTIALS)$/i;

/** The environment for a program that is not ours: without what only the product's own processes may know. */
export function withoutSecrets(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRET_NAME.test(name)));
}
