import type { VerificationFailure } from '../../contract/number-verification';

/** In words, with what to do. */
export function failureMessage(failure: VerificationFailure): string {
  switch (failure) {
    case 'wrong_codes':
      return 'Five wrong codes were given; POST the number again for another code';
    case 'number_taken':
      return 'Another organisation has verified this number meanwhile';
    case 'trunk_gone':
      return 'The outbound trunk was deleted before the code was called';
    case 'not_confirmed':
      return 'The code was not confirmed in time; POST the number again for another one';
    case 'not_called':
      return 'No call to the number came in on the inbound trunk in time';
    case 'busy':
      return 'The number was busy when the code was called';
    case 'no_answer':
      return 'Nobody answered the call with the code';
    case 'rejected':
      return 'The call with the code was declined';
    case 'canceled':
      return 'The call with the code was hung up before it was answered';
    default:
      return `The call with the code failed (${failure}); the call of call_id tells how`;
  }
}
