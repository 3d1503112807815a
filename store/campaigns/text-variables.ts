/** What a campaign's texts need of each contact. */
import { brokenPlaceholdersOf, variablesOf } from '../../contract/placeholders';

export interface SpokenTexts {
  /** Null where the agent is gone. */
  readonly firstMessage: string | null;
  readonly instructions: readonly string[];
  readonly voicemailMessage: string | null;
  readonly disclosureLine: string | null;
}

/**
 * What each contact has to bring along for these texts to be spoken.
 * @param defaults of the campaign, for contacts that have no value of their own
 */
export function neededVariables(texts: SpokenTexts, defaults: Readonly<Record<string, string>>): string[] {
  return variablesOf(spokenOf(texts)).filter((name) => name !== 'phone_number' && !Object.hasOwn(defaults, name));
}

/** What stands between braces in what is said and is no name, as it is written: nobody can fill it. */
export function brokenPlaceholdersIn(texts: SpokenTexts): string[] {
  return brokenPlaceholdersOf(spokenOf({ ...texts, instructions: [] }));
}

function spokenOf({ firstMessage, instructions, voicemailMessage, disclosureLine }: SpokenTexts): string[] {
  return [firstMessage, ...instructions, voicemailMessage, disclosureLine].filter((text) => text !== null);
}

/** Those that a contact has no value for. */
export function missingVariables(
  needed: readonly string[],
  contact: { readonly name: string | null; readonly variables: Readonly<Record<string, string>> },
): string[] {
  return needed.filter((name) => {
    if (name === 'name') return (contact.name ?? contact.variables['name'] ?? '') === '';
    return !Object.hasOwn(contact.variables, name) || contact.variables[name] === '';
  });
}
