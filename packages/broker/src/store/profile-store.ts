/**
 * What the broker keeps of organisations' profiles, as an interface: a part of `Store`. Times are seconds since 1970.
 * @module
 */
import type { DomainOutcome, DomainProofKind, StateName } from '@countersign/core';
import type { RequestRow } from './store.ts';

export interface NewCard {
  readonly accountId: number;
  readonly seq: number;
  readonly jws: string;
  /** Of the picture that it names; the one that is kept may stay. */
  readonly picture?: { readonly hash: string; readonly bytes?: Uint8Array };
  readonly domains: readonly string[];
}

export interface Claim {
  readonly accountId: number;
  readonly name: string;
  readonly identity: string;
  readonly domain: string;
  readonly by: DomainProofKind;
  readonly claimedAt: number;
}

export interface DomainRow {
  readonly domain: string;
  readonly by: DomainProofKind;
  readonly claimedAt: number;
  readonly checkedAt?: number;
  readonly outcome?: DomainOutcome;
  /** When it was last found to name the account; gone once it was found not to. */
  readonly provenAt?: number;
}

export interface NewRecommendation {
  readonly hash: string;
  readonly issuerId: number;
  readonly subjectId: number;
  readonly seq: number;
  readonly recommends: boolean;
  readonly iat: number;
  readonly jws: string;
}

export interface Counts {
  /** Mutual sessions that were held, those of them that both sides confirmed, and the first one's time. */
  readonly sessions: number;
  readonly authenticated: number;
  readonly sessionsSince?: number;
  /** Requests of this organisation that people answered, and the time of the first that is kept. */
  readonly answers: number;
  readonly answersSince?: number;
  readonly signatures: number;
}

/** A request by its enquirer's eyes. */
export interface AskedRow {
  readonly request: RequestRow;
  /** The account's word that it was not of its making. */
  readonly report?: { readonly jws: string; readonly at: number };
}

/** What became of the newest requests that an account asked. */
export interface AskedCounts {
  /** One that the account reported counts as that, whatever else became of it. */
  readonly outcomes: readonly { readonly outcome: StateName | 'reported'; readonly count: number }[];
  /** Of those that were answered: seconds from the post to the answer, and how many took so long; the quickest first. */
  readonly times: readonly { readonly seconds: number; readonly count: number }[];
}

export interface ProfileStore {
  /**
   * Keeps a card, and what it claims: domains that are new are to be looked at now.
   * @throws `card-conflict` where it does not follow the newest card; `picture-invalid` where its picture is not there
   */
  saveCard(card: NewCard, now: number): Promise<void>;
  readCard(accountId: number): Promise<string | undefined>;
  readPicture(accountId: number): Promise<Uint8Array | undefined>;

  listDomains(accountId: number): Promise<DomainRow[]>;
  /** Claims to be looked at by now, the longest due first. */
  dueDomains(now: number, max: number): Promise<Claim[]>;
  /** Keeps what a look found, where the claim still stands. @param next when to look again */
  saveLook(
    claim: Pick<Claim, 'accountId' | 'domain' | 'by'>,
    outcome: DomainOutcome,
    now: number,
    next: number,
  ): Promise<void>;

  /**
   * Keeps the newest word of one organisation for another; the same one again is kept already.
   * @param most that one may say in an hour
   * @throws `recommendation-conflict`, `too-often`
   */
  saveRecommendation(word: NewRecommendation, now: number, most: number): Promise<void>;
  /** The newest words for an organisation, or by one, that recommend and were said after a time; newest first. */
  listRecommendations(
    of: { readonly subjectId: number } | { readonly issuerId: number },
    since: number,
    max: number,
  ): Promise<string[]>;
  /** The newest word of one for another, whatever it says. */
  findRecommendation(issuerId: number, subjectId: number): Promise<string | undefined>;

  readCounts(accountId: number): Promise<Counts>;
  /** Requests that an account asked, newest first. */
  listAsked(enquirerId: number, before: number, max: number): Promise<AskedRow[]>;
  /**
   * @param newest so many are looked at
   * @param longest in seconds: what took longer counts there
   */
  countAsked(enquirerId: number, newest: number, longest: number): Promise<AskedCounts>;
}
