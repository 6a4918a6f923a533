/**
 * One sign-on, from the gate's opening to its result: the core's state machine over a connection to the
 * demultiplexer, with the host's records, and with approvers where there are some.
 * @module
 */
import type { Clock } from '@countersign/client';
import { type AttemptRun, type RecordUpdates, runAttempt } from '@countersign/client/m-auth';
import { CountersignError } from '@countersign/core';
import type {
  Denial,
  InterfaceEvent,
  InterfaceRecord,
  SignOnAttempt,
  SignOnContext,
} from '@countersign/core/m-auth';
import type { Grant } from '../grants/grant.ts';
import type { ApprovalRule, HostRecords, JournalEntry, UserSummary } from '../host/host-records.ts';
import { AnnouncedConnection } from './announced-connection.ts';
import type { AskApprovers } from './approvers.ts';
import type { DemultiplexerAt } from './way-to-demultiplexer.ts';

/** Where a sign-on stands, as the screen may tell it. */
export type Stage =
  /** The passcode is good, and nobody has come. */
  | 'gate'
  /** The person reads what it is about, on their own device. */
  | 'shown'
  /** They have accepted, and approvers are asked. */
  | 'approval'
  | 'over';

export interface Granted {
  readonly outcome: 'granted';
  readonly user: string;
  readonly pair: string;
  readonly by: 'person' | 'rule';
  /** The grant that stood for approvers, or that they opened: what is begun by it ends with it. */
  readonly grant?: string;
}

/** What became of it. Only `granted` opens. */
export type SignOnResult =
  | Granted
  | { readonly outcome: Exclude<Outcome, 'granted'>; readonly why: Denial | 'unavailable' };
export type Outcome =
  | 'granted'
  /** Nobody came in time, or did not answer in time. */
  | 'late'
  /** The person said no on their device. */
  | 'refused'
  | 'approver-denied'
  | 'approvers-late'
  | 'failed';

const OUTCOMES: Readonly<Record<Denial, Exclude<Outcome, 'granted'>>> = {
  unanswered: 'late',
  late: 'late',
  unacknowledged: 'late',
  denied: 'refused',
  fraud: 'refused',
  approver: 'approver-denied',
  'approval-late': 'approvers-late',
  lost: 'failed',
  malformed: 'failed',
  forged: 'failed',
  'old-ratchet': 'failed',
  copied: 'failed',
  superseded: 'failed',
  withdrawn: 'failed',
};

type Consent = Pick<UserSummary, 'account' | 'approvals'>;

export interface SignOnParts {
  readonly attempt: SignOnAttempt;
  readonly context: SignOnContext;
  readonly records: HostRecords;
  /** Whose validators may come, by now. */
  readonly pairs: () => readonly InterfaceRecord[];
  readonly clock: Clock;
  readonly demultiplexer: DemultiplexerAt;
  readonly approvers: AskApprovers | undefined;
  /** Whose consent is needed beside the person’s, and which account is the person’s own: as the gate opened. */
  readonly consent: Consent;
  /** The grant that stands for approvers, who are not asked then. */
  readonly grant: Grant | undefined;
  /** A program of the user's own asks: whatever service it says it is, it opens no grant. */
  readonly ownProgram: boolean;
}

export class SignOn {
  readonly context: SignOnContext;
  readonly passcode: string;
  /** When the gate closes, by the monotonic clock in ms. */
  readonly closes: number;
  readonly result: Promise<SignOnResult>;
  /** When nothing of it runs any more: after a yes, the validator's last word is still waited for. */
  readonly finished: Promise<void>;
  readonly #parts: SignOnParts;
  readonly #connection: AnnouncedConnection;
  readonly #settled = Promise.withResolvers<SignOnResult>();
  readonly #finished = Promise.withResolvers<void>();
  /** Aborted when it is over: whoever was asked for it is told so. */
  readonly #ended = new AbortController();
  #stage: Stage = 'gate';
  #changed = Promise.withResolvers<void>();
  #run: AttemptRun | undefined;
  /** What the tags were made of that the demultiplexer has. */
  #announced: readonly InterfaceRecord[];
  /** The pair whose validator has begun. */
  #pair: string | undefined;
  /** What approvers were asked for. */
  #asked: ApprovalRule | undefined;

  constructor(parts: SignOnParts) {
    const { attempt, records, context, clock, demultiplexer } = parts;
    this.#parts = parts;
    this.context = context;
    this.passcode = attempt.passcode;
    this.closes = attempt.closes;
    this.result = this.#settled.promise;
    this.finished = this.#finished.promise;
    this.#announced = parts.pairs();
    const bucket = records.bucketOf(context.account);
    this.#connection = new AnnouncedConnection(demultiplexer, () =>
      attempt.waiting ? attempt.request(bucket, clock.monotonic()) : undefined,
    );
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Resolves when the stage is another one. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Queues it at the demultiplexer. @throws `gate-unavailable` */
  async announce(): Promise<void> {
    const { attempt, records, clock } = this.#parts;
    try {
      await this.#connection.start();
    } catch (cause) {
      this.#finish(UNAVAILABLE);
      this.#finished.resolve();
      throw new CountersignError('gate-unavailable', 'the demultiplexer does not answer', {
        cause,
        hint: 'is `countersign-gated` running?',
      });
    }
    this.#run = runAttempt(attempt, this.#connection, this.#commits(records), clock, (event) =>
      this.#hear(event),
    );
    this.#run.finished
      // What fails in this program, or in its store, opens nothing.
      .catch((error: unknown) => this.#note(`failure: ${(error as Error).message}`))
      .finally(() => {
        this.#finish(UNAVAILABLE);
        this.#finished.resolve();
      });
  }

  /** Gives up: the person left, or the program stops. */
  cancel(): void {
    this.#run?.withdraw();
  }

  /** Whether a yes still stands: asked by whoever lets in later than at once, as when somebody has pressed Enter. */
  stands({ pair, grant }: Granted): boolean {
    const { records, context, pairs } = this.#parts;
    const enabled = pairs().some(({ id, disabled }) => id === pair && !disabled);
    const open = grant === undefined || records.grants.isOpen(grant);
    return enabled && open && !records.user(context.account).disabled && this.#mayPass();
  }

  /** The records have changed: goes on from what they say, or ends where this user may not sign on any more. */
  reread(): void {
    const { attempt, pairs: read } = this.#parts;
    if (!this.#mayPass()) {
      this.cancel();
      return;
    }
    const pairs = read();
    const enabled = pairs.some(({ id, disabled }) => id === this.#pair && !disabled);
    if (!attempt.waiting) {
      if (this.#pair !== undefined && !enabled) this.cancel();
      return;
    }
    attempt.refresh(pairs);
    if (isCovered(this.#announced, pairs)) return;
    this.#announced = pairs;
    this.#connection.announceAgain();
  }

  #hear(event: InterfaceEvent): void {
    const { context } = this.#parts;
    switch (event.kind) {
      case 'shown':
        this.#pair = event.pair;
        this.#enter('shown');
        break;
      case 'acknowledged':
        this.#enter('approval');
        this.#askApprovers(event.until);
        break;
      case 'granted': {
        const grant = this.#parts.grant?.id ?? this.#openGrant();
        const { pair, by } = event;
        this.#finish({
          outcome: 'granted',
          user: context.account,
          pair,
          by,
          ...(grant === undefined ? {} : { grant }),
        });
        break;
      }
      case 'confirmed':
        break;
      case 'denied':
        if (event.why !== 'unanswered') this.#note(event.alarm ? `alarm: ${event.why}` : event.why);
        this.#finish({ outcome: OUTCOMES[event.why], why: event.why });
        break;
    }
  }

  /** @param until when nobody waits for them any more, by the monotonic clock in ms */
  #askApprovers(until: number): void {
    const { approvers, consent, context, clock, ownProgram } = this.#parts;
    const { approvals, account } = consent;
    const seconds = Math.floor((until - clock.monotonic()) / 1000);
    if (approvers === undefined || approvals === undefined || seconds < 1 || !this.#mayPass()) {
      this.cancel();
      return;
    }
    this.#asked = ownProgram ? { needed: approvals.needed, of: approvals.of } : approvals;
    approvers({
      rule: this.#asked,
      requester: account,
      context,
      ownProgram,
      seconds,
      signal: this.#ended.signal,
      heard: (yes) => this.#run?.approve(yes),
      // Questions run out a moment before the attempt, whose own clock then says that they were late.
      unavailable: () => until - clock.monotonic() < LAST_MOMENT_MS || this.cancel(),
    });
  }

  /** What the approvers who said yes have opened for a while, if they were asked for that. */
  #openGrant(): string | undefined {
    const { records, context } = this.#parts;
    const { needed, of, openSeconds } = this.#asked ?? {};
    if (openSeconds === undefined || !this.#mayPass()) return undefined;
    const by = `${needed} of ${of?.join(', ')}`;
    const { account: user, service } = context;
    try {
      return records.grants.open({ user, service, seconds: openSeconds, by }).id;
    } catch (error) {
      // They have consented to this sign-on as well, which stands.
      this.#note(`failure: no grant: ${(error as Error).message}`);
      return undefined;
    }
  }

  /**
   * Whether the grant that stands for approvers is still open, and the rule by which they are needed is the one that
   * the gate opened with: whoever was asked under another one said yes to something else.
   */
  #mayPass(): boolean {
    const { grant, records, context, consent } = this.#parts;
    const now = records.user(context.account);
    return isSameConsent(consent, now) && (grant === undefined || records.grants.isOpen(grant.id));
  }

  /** The records, which take no next step for whom `#mayPass` has become false; with a next step, the journal says so. */
  #commits(records: HostRecords): RecordUpdates<InterfaceRecord> {
    const stepped = (before: InterfaceRecord, after: InterfaceRecord) => after.step > before.step;
    return {
      update: (id, apply) =>
        records.update(
          id,
          (record) => {
            const next = apply(record);
            return next !== undefined && stepped(record, next) && !this.#mayPass() ? undefined : next;
          },
          (before, after) => (stepped(before, after) ? this.#entry('granted') : undefined),
        ),
    };
  }

  #note(what: string): void {
    this.#parts.records.note(this.#entry(what));
  }

  #entry(what: string): JournalEntry {
    const { clock, context } = this.#parts;
    return { at: clock.now(), user: context.account, service: context.service, what };
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #finish(result: SignOnResult): void {
    if (this.#stage === 'over') return;
    this.#settled.resolve(result);
    this.#enter('over');
    this.#ended.abort();
  }
}

function isSameConsent(then: Consent, now: Consent): boolean {
  const text = ({ account, approvals }: Consent) => JSON.stringify(approvals && [approvals, account]);
  return text(then) === text(now);
}

/** Whether tags that were announced are those of these pairs: a confirmed step gives no others, a new step does. */
function isCovered(announced: readonly InterfaceRecord[], pairs: readonly InterfaceRecord[]): boolean {
  const enabled = (all: readonly InterfaceRecord[]) => all.filter(({ disabled }) => !disabled);
  const before = new Map(enabled(announced).map((pair) => [pair.id, pair]));
  const now = enabled(pairs);
  return now.length === before.size && now.every(({ id, ratchet }) => before.get(id)?.ratchet === ratchet);
}

/** Questions stand for whole seconds, and their end is a whole second. */
const LAST_MOMENT_MS = 3000;

const UNAVAILABLE: SignOnResult = { outcome: 'failed', why: 'unavailable' };
