/**
 * Gate mode of `pam_countersign`: the passcode goes onto the program's screen, and the person's validator decides.
 * @module
 */
import { isIP } from 'node:net';
import { CountersignError } from '@countersign/core';
import { formatPasscodeCode } from '@countersign/core/m-auth';
import encodeQR from 'qr';
import { type Attempt, type Authenticate, type Decision, present } from '../pam/index.ts';
import { quoted } from '../pam/push-question.ts';
import type { SignOn } from './sign-on.ts';
import { canShow, type Door, type SystemInterface } from './system-interface.ts';

/** Nobody consents to a part of it. */
const TOO_LONG =
  'Countersign: this can’t be shown whole on a validator (a command has 1024 bytes there, with its quotes and folder).';

/** What a no has to reach the program before that gives up by itself, in ms. */
const VERDICT_MS = 1000;

/** Decides attempts by M-AUTH. A user who is not known sees what everybody sees. */
export function gateAuthenticator(gate: Pick<SystemInterface, 'open'>): Authenticate {
  return async (attempt, conversation): Promise<Decision> => {
    // There is nowhere for a passcode to stand.
    if (attempt.style === 'silent') return 'unavailable';
    const door = doorOf(attempt);
    if (!canShow(door)) {
      await conversation.error(TOO_LONG);
      return 'unavailable';
    }
    let signOn: SignOn;
    try {
      signOn = await gate.open(attempt.user, door, attempt.deadline - VERDICT_MS, isOwnProgram(attempt));
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      return error.code === 'gate-unavailable' ? 'unavailable' : 'exhausted';
    }
    const cancel = () => signOn.cancel();
    attempt.signal.addEventListener('abort', cancel, { once: true });
    if (attempt.signal.aborted) cancel();
    try {
      const { typed } = await present(attempt, conversation, linesOf(attempt, signOn));
      const [result] = await Promise.all([signOn.result, typed]);
      if (result.outcome === 'granted') {
        if (attempt.signal.aborted) return 'unavailable';
        // Enter may have come long after it.
        return signOn.stands(result) ? 'granted' : 'denied';
      }
      if (result.outcome === 'late') return 'unanswered';
      return result.why === 'unavailable' ? 'unavailable' : 'denied';
    } catch (error) {
      // Whoever asked is gone: nothing is granted to them.
      cancel();
      throw error;
    } finally {
      attempt.signal.removeEventListener('abort', cancel);
    }
  };
}

function linesOf({ qr }: Attempt, { passcode, context }: SignOn): string[] {
  const lines = [
    `Countersign: choose ${context.host} in your validator, and enter the passcode ${passcode.slice(0, 3)} ${passcode.slice(3)}`,
  ];
  if (qr === 'none') return lines;
  const code = formatPasscodeCode(passcode);
  const drawn = qr === 'utf8' ? encodeQR(code, 'ascii', { ecc: 'low' }) : blocks(code);
  return [...lines, ...drawn.replace(/\n+$/, '').split('\n')];
}

/** Two characters a module, where the terminal’s alphabet is not known; as with block characters, ink is light. */
function blocks(text: string): string {
  const rows = encodeQR(text, 'raw', { ecc: 'low', border: 2 });
  return rows.map((row) => row.map((dark) => (dark ? '  ' : '##')).join('')).join('\n');
}

/** Not a login program, whose word the host takes, but one of the user’s, which can say what it likes. */
function isOwnProgram({ peer }: Attempt): boolean {
  return peer.uid !== 0;
}

function doorOf(attempt: Attempt): Door {
  const { user, service, tty, remoteHost, remoteUser, command, folder } = attempt;
  if (isOwnProgram(attempt)) {
    // Whence it says it comes is left out: a person's rules may let in by an address.
    const remote = `a program of ${user} on this host, which says it is ${service}`;
    return { service, remote, ...(tty === undefined ? {} : { tty }) };
  }
  return {
    service,
    ...(tty === undefined ? {} : { tty }),
    ...(remoteHost === undefined ? {} : isIP(remoteHost) ? { address: remoteHost } : { remote: remoteHost }),
    ...(remoteHost === undefined && remoteUser !== undefined ? { remote: `${remoteUser} on this host` } : {}),
    ...(command === undefined ? {} : { command: commandLine(command, folder) }),
  };
}

/** The command, and where it was given: no word of a command stands in parentheses without quotes. */
function commandLine(command: readonly string[], folder: string | undefined): string {
  return folder === undefined ? quoted(command) : `${quoted(command)} (in folder ${quoted([folder])})`;
}
