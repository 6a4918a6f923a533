/**
 * An invitation: a device's word that whoever knows a PIN may stand before the account's door. A PIN for `admit`
 * opens it too, once; a PIN for `knock` only lets a device wait there for a person to look at it.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Opener, Signer } from './crypto-provider.ts';
import {
  activeDevice,
  checkKnownHead,
  checkRight,
  type DeviceLog,
  deviceAt,
  sealingEpoch,
} from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, KnownHead, Seconds } from './keys.ts';
import { type Right, Rights } from './log-entries.ts';
import { Salt } from './question.ts';
import { drawSalt, openContent, parseContent, SealedContent, sealContent } from './sealing.ts';
import { drawPin, pinTicket } from './secret-code.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

const PURPOSE = 'countersign invitation 1';
/** How long a PIN stands where nothing is said, and at most, in seconds. */
export const INVITATION_LIFE = 86_400;
export const LONGEST_INVITATION = { admit: 604_800, knock: 31_622_400 } as const;

const PinContent = v.strictObject({ salt: Salt, pin: v.pipe(v.string(), v.maxLength(64)) });

export const InvitationStatement = statementKind(
  'invitation',
  v.strictObject({
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    exp: Seconds,
    /** Newest entry of the log that the device knew. */
    head: KnownHead,
    use: v.picklist(['admit', 'knock']),
    /** What the new device will be allowed; of a PIN for `knock`, whoever lets it in decides. */
    rights: v.optional(Rights),
    /** SHA-256 of the ticket, which is made from the PIN. */
    ticket: Hash,
    /** The PIN, sealed to the account, so that any of its devices can check it. */
    sealed: SealedContent,
  }),
);
export type InvitationPayload = v.InferOutput<typeof InvitationStatement.schema>;

/** Takes an invitation back. */
export const InvitationCancelStatement = statementKind(
  'invitation-cancel',
  v.strictObject({ sub_id: Hash, ticket: Hash, iat: Seconds }),
);

export interface NewInvitation {
  readonly use: 'admit' | 'knock';
  readonly rights?: readonly Right[];
  /** In seconds. */
  readonly lifetime: number;
  readonly now: number;
}

/** Draws a PIN, and signs an invitation for it. */
export async function createInvitation(
  crypto: CryptoProvider,
  signer: Signer,
  log: DeviceLog,
  { use, rights, lifetime, now }: NewInvitation,
): Promise<{ statement: Verified<InvitationPayload>; pin: string }> {
  const pin = drawPin(crypto);
  const ticket = await ticketHash(crypto, await pinTicket(crypto, pin));
  const content = { salt: drawSalt(crypto), pin };
  const { sealed } = await sealContent(crypto, sealingEpoch(log), PURPOSE, [log.identity, ticket], content);
  const statement = await signStatement(crypto, InvitationStatement, signer, {
    sub: log.name,
    sub_id: log.identity,
    iat: now,
    exp: now + lifetime,
    head: log.head,
    use,
    ...(rights === undefined ? {} : { rights: [...rights] }),
    ticket,
    sealed,
  });
  return { statement, pin };
}

/**
 * Checks an invitation by the account's log: by a device that counts now and may admit, and could when it signed.
 * @throws `account-mismatch`, `device-not-entitled`, `signature-invalid`, and what `activeDevice` and `deviceAt`
 *   throw
 */
export async function verifyInvitation(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  hashAt?: (seq: number) => string | undefined,
): Promise<Verified<InvitationPayload>> {
  const statement = await parseStatement(crypto, InvitationStatement, jws);
  const { sub, sub_id, head } = statement.payload;
  if (sub !== log.name || sub_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'an invitation to another account');
  }
  if (hashAt !== undefined) checkKnownHead(head, hashAt);
  const device = activeDevice(log, statement.kid);
  for (const one of [device, deviceAt(log, device.kid, head.seq)]) {
    for (const right of ['admit', ...(statement.payload.rights ?? [])] as const) checkRight(one, right);
  }
  return verifyStatement(crypto, statement, device.sig);
}

/** The PIN of an invitation, as a device of the account reads it. */
export async function openInvitation(
  crypto: CryptoProvider,
  { payload }: Verified<InvitationPayload>,
  opener: Opener,
): Promise<string> {
  const { sealed, sub_id, ticket } = payload;
  const plaintext = await openContent(crypto, opener, PURPOSE, [sub_id, ticket], sealed);
  return parseContent(PinContent, plaintext).pin;
}

/** What the broker keeps of a ticket. */
export async function ticketHash(crypto: CryptoProvider, ticket: string): Promise<string> {
  return encodeBase64url(await crypto.sha256(new TextEncoder().encode(ticket)));
}
