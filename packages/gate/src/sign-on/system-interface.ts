/**
 * A system interface: it opens gates, shows passcodes, and lets those in whose validators complete M-AUTH. What
 * decides is the core's state machine; here it is given a connection, a clock, a store and approvers.
 * @module
 */
import { type Clock, systemClock } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import {
  drawSignOnPasscode,
  GATE_MS,
  type HandedSecret,
  isForService,
  MIN_GATE_MS,
  parseContext,
  SignOnAttempt,
  type SignOnContext,
} from '@countersign/core/m-auth';
import type { NoiseCrypto } from '@countersign/core/noise';
import type { HostRecords } from '../host/host-records.ts';
import type { AskApprovers } from './approvers.ts';
import { OpenGates } from './open-gates.ts';
import { SignOn } from './sign-on.ts';
import type { DemultiplexerAt } from './way-to-demultiplexer.ts';

export interface SystemInterfaceOptions {
  readonly records: HostRecords;
  readonly demultiplexer: DemultiplexerAt;
  /** How the host is called, as at pairing. */
  readonly host: string;
  readonly noise: NoiseCrypto;
  /** What is handed over with a yes, if anything: to the validator of that user, and sealed to it. */
  readonly secret?: (user: string, service: string) => HandedSecret | undefined;
  /** Asks further accounts; without it, a user who needs approvals is not let in. */
  readonly approvers?: AskApprovers;
  readonly clock?: Clock;
  readonly gateMs?: number;
  readonly acknowledgeSeconds?: number;
}

/** Where somebody stands before a door, as the program there knows it. */
export type Door = Omit<SignOnContext, 'account' | 'host' | 'time'>;

/** Whether a door can be shown whole to a person, whoever stands before it. */
export function canShow(door: Door): boolean {
  return isShown({ ...door, account: 'anybody', host: 'any', time: 0 });
}

function isShown(context: SignOnContext): boolean {
  try {
    parseContext(context);
    return true;
  } catch {
    return false;
  }
}

/** How often it is looked whether another process has changed records, in ms. */
const LOOK_MS = 100;

export class SystemInterface {
  readonly #options: SystemInterfaceOptions;
  readonly #clock: Clock;
  readonly #gates: OpenGates;
  readonly #open = new Set<SignOn>();
  #looking: NodeJS.Timeout | undefined;
  #version: number | undefined;

  constructor(options: SystemInterfaceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#gates = new OpenGates();
    options.records.onChange((user) => {
      for (const signOn of this.#open) if (signOn.context.account === user) signOn.reread();
    });
  }

  /**
   * Opens a gate for a user, known or not, and queues it at the demultiplexer. The passcode may be shown from now on.
   * @param deadline when whoever wants in waits no longer, by the monotonic clock in ms
   * @param ownProgram whether it is a program of the user's own that asks, which the host can't know to be what it says
   * @throws `too-often`, `too-many-pending`; `gate-unavailable` where the demultiplexer does not answer, or the time is
   * too short for a gate
   */
  async open(
    user: string,
    door: Door,
    deadline = Number.POSITIVE_INFINITY,
    ownProgram = false,
  ): Promise<SignOn> {
    const { records, host, noise, gateMs = GATE_MS } = this.#options;
    if (deadline - this.#clock.monotonic() < MIN_GATE_MS) {
      throw new CountersignError('gate-unavailable', 'the program waits for less than 5 seconds');
    }
    const close = this.#gates.enter(
      user,
      door.address ?? door.remote ?? door.tty ?? '',
      this.#clock.monotonic(),
    );
    try {
      const time = this.#clock.now();
      const asked: SignOnContext = { ...door, account: user, host, time };
      // Whoever can't be shown all that it is about signs on to nothing; a stranger sees no difference.
      const whole = isShown(asked);
      const context = whole ? asked : { account: 'nobody', host, service: 'none', time };
      // Whoever has pairs for other services alone is one who has none.
      const pairs = () =>
        whole ? records.pairsOf(user).filter((pair) => isForService(pair, context.service)) : [];
      const consent = records.user(user);
      const { approvals } = consent;
      const grant = approvals === undefined ? undefined : records.grants.covering(user, context.service);
      const opened = this.#clock.monotonic();
      const attempt = new SignOnAttempt({
        crypto: noise,
        records: pairs(),
        passcode: drawSignOnPasscode(noise, this.#shown(user)),
        context,
        opened,
        gateMs,
        deadline,
        secret: () => this.#options.secret?.(user, context.service),
        ...(this.#options.acknowledgeSeconds === undefined
          ? {}
          : { acknowledgeSeconds: this.#options.acknowledgeSeconds }),
        ...(approvals === undefined || grant !== undefined
          ? {}
          : { approvals: { needed: approvals.needed, withinMs: APPROVAL_SECONDS * 1000 } }),
      });
      const signOn = new SignOn({
        attempt,
        context,
        records,
        pairs,
        clock: this.#clock,
        demultiplexer: this.#options.demultiplexer,
        approvers: this.#options.approvers,
        consent,
        grant,
        ownProgram,
      });
      this.#add(signOn);
      signOn.result.finally(close);
      await signOn.announce();
      return signOn;
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Ends all that is open. */
  async close(): Promise<void> {
    const open = [...this.#open];
    for (const signOn of open) signOn.cancel();
    await Promise.all(open.map(({ finished }) => finished));
  }

  #add(signOn: SignOn): void {
    this.#open.add(signOn);
    if (this.#looking === undefined) {
      this.#version = this.#options.records.version;
      this.#looking = setInterval(() => this.#look(), LOOK_MS);
    }
    signOn.finished.finally(() => {
      this.#open.delete(signOn);
      if (this.#open.size > 0) return;
      clearInterval(this.#looking);
      this.#looking = undefined;
    });
  }

  #look(): void {
    const { version } = this.#options.records;
    if (version === this.#version) return;
    this.#version = version;
    // Somebody was disabled by a command, say, or has signed on through another program of this host.
    for (const signOn of this.#open) signOn.reread();
  }

  /** Passcodes that stand on a user's screens: two never show the same. */
  #shown(user: string): Set<string> {
    const open = [...this.#open].filter(({ context }) => context.account === user);
    return new Set(open.map(({ passcode }) => passcode));
  }
}

/** What approvers have, in seconds: a login's question stands so long. */
const APPROVAL_SECONDS = 120;
