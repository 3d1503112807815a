/** What the workflow that verifies a number is told. */
import { defineSignal } from '@temporalio/workflow';
import type { VerificationRound } from '../../contract/number-verification';

/** A round was begun; an earlier one under way is given up. One that is known already is ignored. */
export const beginRoundSignal = defineSignal<[VerificationRound]>('begin');
/** A call to the number has come in on the organisation's trunk. */
export const numberCalledSignal = defineSignal<[{ n: number }]>('called');
/** Nothing is left to do in the round. `gone`: the number is not wanted any more either, nor its code call. */
export const roundOverSignal = defineSignal<[{ n: number; gone: boolean }]>('over');
