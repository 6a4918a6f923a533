/**
 * The words in which a browser asks to sign in to an organisation's console. They are fixed: whoever has no part in
 * the organisation may ask so, and must not get to say anything else in its name.
 * @module
 */
import { CountersignError } from './errors.ts';
import type { Role } from './members.ts';
import type { Field, Part, Question } from './question.ts';

export const SEAT_LANGUAGES = ['en', 'de'] as const;
export type SeatLanguage = (typeof SEAT_LANGUAGES)[number];

export interface SeatWish {
  /** Name of the organisation's account. */
  readonly organisation: string;
  readonly role: Role;
  /** Fingerprint of the browser's key. */
  readonly kid: string;
}

interface Words {
  readonly heading: (organisation: string) => string;
  readonly text: string;
  readonly role: string;
  readonly key: string;
  readonly roles: Readonly<Record<Role, string>>;
}

const WORDS: Readonly<Record<SeatLanguage, Words>> = {
  en: {
    heading: (organisation) => `Sign in to the console of ${organisation}?`,
    text: 'A browser shows six digits and asks to act for the organisation for eight hours. Accept only if it is in front of you.',
    role: 'Role',
    key: 'Key of the browser',
    roles: { owner: 'owner', agent: 'agent', auditor: 'auditor' },
  },
  de: {
    heading: (organisation) => `Anmelden an der Konsole von ${organisation}?`,
    text: 'Ein Browser zeigt sechs Ziffern und will acht Stunden lang für die Organisation handeln. Annehmen nur, wenn er vor Ihnen steht.',
    role: 'Rolle',
    key: 'Schlüssel des Browsers',
    roles: { owner: 'Inhaber', agent: 'Mitarbeiter', auditor: 'Prüfer' },
  },
};

/** What the member is shown. */
export function seatQuestion(
  language: SeatLanguage,
  { organisation, role, kid }: SeatWish,
): { parts: Part[]; fields: Field[] } {
  const words = WORDS[language];
  return {
    parts: [
      { type: 'h1', text: words.heading(organisation) },
      { type: 'p', text: words.text },
    ],
    fields: [
      { name: words.role, value: words.roles[role] },
      { name: words.key, value: kid },
    ],
  };
}

/**
 * Checks that a question is the fixed one, in one of its languages, with a passcode, and says nothing more.
 * @throws `seat-invalid`
 */
export function checkSeatQuestion(question: Question, wish: SeatWish): void {
  const fixed = SEAT_LANGUAGES.some((language) => saysExactly(question, seatQuestion(language, wish)));
  if (fixed && question.kind === 'login' && question.passcode !== undefined) return;
  throw new CountersignError(
    'seat-invalid',
    'a browser that signs in asks in fixed words, with a passcode, and this is something else',
  );
}

/** Whether a question has these parts and fields, in this order, and no others. */
export function saysExactly(
  { parts, fields }: Pick<Question, 'parts' | 'fields'>,
  meant: { readonly parts: readonly Part[]; readonly fields: readonly Field[] },
): boolean {
  const words = (all: readonly (readonly object[] | undefined)[]) => JSON.stringify(all.map(canonical));
  return words([parts, fields]) === words([meant.parts, meant.fields]);
}

/** Whatever the order in which their members were written. */
function canonical(items: readonly object[] | undefined): unknown {
  return items?.map((item) => Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
}
