/** What a call is told, as it may stand in a workflow's history: texts and digits sealed, bound to their call. */
import type { CallControl, SealedControl } from '../contract/commands';
import type { LegDial, PlannedLeg } from '../contract/transfers';
import { rowAad } from './secrets';
import type { SecretBox } from './secrets';

interface ControlledCall {
  readonly orgId: string;
  readonly callId: string;
}

export function sealControl(
  secrets: Pick<SecretBox, 'seal'>,
  { orgId, callId }: ControlledCall,
  control: CallControl,
): SealedControl {
  const seal = (text: string): string => secrets.seal(text, rowAad(orgId, callId));
  switch (control.type) {
    case 'say':
      return { type: 'say', sealed: seal(control.text), interrupt: control.interrupt };
    case 'instruct':
      return { type: 'instruct', sealed: seal(control.text) };
    case 'dtmf':
      return { type: 'dtmf', sealed: seal(control.digits) };
    case 'announce':
      return { type: 'announce', sealed: seal(control.text) };
    case 'dialLeg':
    case 'consultLeg':
      return { type: control.type, sealed: sealLeg(secrets, { orgId, callId }, control.leg) };
    case 'refer':
      return { type: 'refer', sealed: sealLeg(secrets, { orgId, callId }, control.leg), fallback: control.fallback };
    case 'supervise':
      return { type: 'supervise', sealed: sealLeg(secrets, { orgId, callId }, control.leg), mode: control.mode };
    case 'followRefer':
    case 'releaseLeg':
    case 'refuseTransfer':
      return control;
    case 'mute':
    case 'unmute':
    case 'hold':
    case 'unhold':
    case 'unsupervise':
      return { type: control.type };
    case 'hangup':
      return control;
  }
}

/** Whom a further leg calls, as every command that carries it has it. */
export function sealLeg(secrets: Pick<SecretBox, 'seal'>, { orgId, callId }: ControlledCall, leg: PlannedLeg): string {
  return secrets.seal(JSON.stringify(leg), rowAad(orgId, callId));
}

/** @throws SecretError when it was sealed for another call or with an unknown key */
export function openControl(
  secrets: Pick<SecretBox, 'open'>,
  { orgId, callId }: ControlledCall,
  control: SealedControl,
): CallControl {
  const open = (sealed: string): string => secrets.open(sealed, rowAad(orgId, callId));
  const openLeg = (sealed: string): LegDial => {
    const { sealedCredentials = null, ...leg } = JSON.parse(open(sealed)) as PlannedLeg;
    if (sealedCredentials === null) return leg;
    const { destinationId, username, passwordSealed } = sealedCredentials;
    const password = passwordSealed === null ? '' : secrets.open(passwordSealed, rowAad(orgId, destinationId));
    return { ...leg, credentials: { username, password } };
  };
  switch (control.type) {
    case 'say':
      return { type: 'say', text: open(control.sealed), interrupt: control.interrupt };
    case 'instruct':
      return { type: 'instruct', text: open(control.sealed) };
    case 'dtmf':
      return { type: 'dtmf', digits: open(control.sealed) };
    case 'announce':
      return { type: 'announce', text: open(control.sealed) };
    case 'dialLeg':
    case 'consultLeg':
      return { type: control.type, leg: openLeg(control.sealed) };
    case 'refer':
      return { type: 'refer', leg: openLeg(control.sealed), fallback: control.fallback };
    case 'supervise':
      return { type: 'supervise', leg: openLeg(control.sealed), mode: control.mode };
    case 'followRefer':
    case 'releaseLeg':
    case 'refuseTransfer':
      return control;
    case 'mute':
    case 'unmute':
    case 'hold':
    case 'unhold':
    case 'unsupervise':
      return { type: control.type };
    case 'hangup':
      return control;
  }
}
