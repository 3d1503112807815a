/** What the shell learns; `--help` and docs/cli.md list them. */
export const EXIT = {
  done: 0,
  /** The API refused, or does not know what was asked for; a trunk that was checked is not known to work. */
  refused: 1,
  /** The command line or the environment is wrong; nothing was sent. */
  usage: 2,
  /** No answer, or no key to ask with. */
  unreachable: 3,
  /** The call is over and was not answered: busy, no answer, declined, canceled … */
  notAnswered: 4,
  /** The call is over because something failed, ours or on the way. */
  callFailed: 5,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `Exit codes:
  0  done; with "call --wait": the call was answered
  1  the API refused, or there is no such thing; with "trunks check": it is not known to work
  2  the command line or the environment is wrong
  3  the API cannot be reached, or there is no API key
  4  call --wait: not answered (busy, no answer, declined, canceled …)
  5  call --wait: failed (trunk, network, media or this server)`;
