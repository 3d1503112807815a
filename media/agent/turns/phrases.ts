/** What the agent says of its own accord; English, like the embedded voices. */
export const STILL_THERE = ['Hello? Are you still there?', "I can't hear you. Are you still there?"] as const;
export const SILENCE_FAREWELL = "I still can't hear you, so I will hang up now. Goodbye.";
export const SAY_AGAIN = "Sorry, I didn't catch that. Could you say it again, please?";
export const FAREWELL = 'Thank you for calling. Goodbye.';
/** The number is on the list, or it will be. */
export const OPTED_OUT = 'You will not be called again. Goodbye.';
export const OPT_OUT_NOTED = 'I have noted that you do not want to be called again. Goodbye.';
export const ONE_MOMENT = 'One moment, please.';
export const FAILING_OVER = "I'm sorry, I'm having technical difficulties. One moment, I will put you through.";
/** Its last words are neither yes nor no. */
export const CONSULT_QUESTION = 'Press 1, or say yes, to take the call. Otherwise press 2, or simply hang up.';
export const CONSULT_QUESTION_BY_KEY = 'Press 1 to take the call. Otherwise press 2, or simply hang up.';
export const APOLOGY = "I'm sorry, I'm having technical difficulties. Please call again later. Goodbye.";

/** Synthesised when the node starts: wanted at once, or when nothing else works. */
export const STANDING_PHRASES: readonly string[] = [
  ...STILL_THERE,
  SILENCE_FAREWELL,
  SAY_AGAIN,
  FAREWELL,
  OPTED_OUT,
  OPT_OUT_NOTED,
  ONE_MOMENT,
  FAILING_OVER,
  APOLOGY,
];
