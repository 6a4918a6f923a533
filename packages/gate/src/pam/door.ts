/**
 * What stands between the socket and whoever decides: an attempt, a conversation, a verdict.
 * @module
 */
import type { AttemptFields } from './attempt.ts';
import type { Peer } from './peer.ts';

export interface Attempt {
  readonly service: string;
  /** The local user whose door it is; not yet known to be anybody. */
  readonly user: string;
  readonly mode: 'gate' | 'push';
  /** `info` shows at once, `prompt` only together with a question, `silent` nothing. */
  readonly style: 'prompt' | 'info' | 'silent';
  readonly qr: 'none' | 'ascii' | 'utf8';
  readonly tty?: string;
  readonly remoteHost?: string;
  readonly remoteUser?: string;
  /** For sudo: its own words, the program's name first. */
  readonly command?: readonly string[];
  /** For sudo: where it was started. */
  readonly folder?: string;
  readonly peer: Peer;
  /** When the module gives up, by the daemon's monotonic clock in ms. */
  readonly deadline: number;
  /** Aborted when the module is gone, the time is over, or the daemon ends. */
  readonly signal: AbortSignal;
}

/** The program's own way of speaking with a person. Each throws when the module is gone. */
export interface Conversation {
  /** Asks, and shows what is typed. Lines are cut by `\n`; there are no other control characters. */
  prompt(text: string): Promise<string>;
  /** Asks, and hides what is typed. In a silent program it is the one field that it has. */
  secret(text: string): Promise<string>;
  info(text: string): Promise<void>;
  error(text: string): Promise<void>;
}

/** Only `granted` opens. `exhausted`: no more tries; `unavailable`: nobody could be asked. */
export type Verdict = 'granted' | 'denied' | 'exhausted' | 'unavailable';

/** `unanswered`: whoever was asked did not answer. To the module it is a no. */
export type Decision = Verdict | 'unanswered';

/** Decides one attempt. What it throws is `unavailable`. */
export type Authenticate = (attempt: Attempt, conversation: Conversation) => Promise<Decision>;

export function attemptOf(fields: AttemptFields, peer: Peer, deadline: number, signal: AbortSignal): Attempt {
  const { service, user, mode, conv, qr, tty, rhost, ruser, arg, cwd } = fields;
  return {
    service,
    user,
    mode,
    style: conv,
    qr,
    ...(tty ? { tty } : {}),
    ...(rhost ? { remoteHost: rhost } : {}),
    ...(ruser ? { remoteUser: ruser } : {}),
    ...(arg === undefined ? {} : { command: arg }),
    ...(cwd === undefined ? {} : { folder: cwd }),
    peer,
    deadline,
    signal,
  };
}

/** A text shown in a program's own way, and what was typed when it was acknowledged. */
export interface Presented {
  /** What the person typed with it, where the program asks: an offline code, or nothing. */
  readonly typed: Promise<string>;
}

/**
 * Shows lines to whoever is before the program. In `prompt`, they stand in a question that begins with a new
 * line, since ssh's client puts a name before its first, and end with how to go on; in `silent`, nothing can be
 * shown, and nothing is.
 */
export async function present(
  { style }: Pick<Attempt, 'style'>,
  conversation: Conversation,
  lines: readonly string[],
): Promise<Presented> {
  const text = lines.join('\n');
  if (style === 'prompt') return { typed: conversation.prompt(`\n${text}\nThen press Enter: `) };
  if (style === 'info') await conversation.info(text);
  return { typed: Promise.resolve('') };
}
