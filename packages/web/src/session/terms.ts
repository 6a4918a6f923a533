/**
 * The terms that both pages bind, from the session as the organisation's device signed it.
 * @module
 */
import type { SessionPayload } from '@countersign/core/mutual-session';
import type { SessionTerms } from '@countersign/core/session-terms';

export function termsOf(
  { sid, iss, iss_id, salt, subject, fields }: SessionPayload,
  broker: string,
): SessionTerms {
  return {
    session: sid,
    mode: 'cpace',
    broker,
    organisation: iss,
    organisation_id: iss_id,
    salt,
    ...(subject === undefined ? {} : { subject }),
    fields,
  };
}
