/**
 * The words in which an organisation asks a customer whether they are on a call with it. Where a member asks by their
 * seat, they are fixed: the name is the member's own, the reason is the one text of theirs, and nothing but this may be
 * asked.
 * @module
 */
import { MAX_TEXT_BYTES, utf8Length } from './display-text.ts';
import { CountersignError } from './errors.ts';
import type { Field, Part, Question } from './question.ts';
import { SEAT_LANGUAGES, type SeatLanguage, saysExactly } from './seat-question.ts';

export const CALL_DIRECTIONS = ['out', 'in'] as const;
/** Who called: `out` is the organisation, `in` the customer. */
export type CallDirection = (typeof CALL_DIRECTIONS)[number];

/** How long such a question of a member may stand at the most, in seconds. */
export const LONGEST_TWO_WAY = 900;

export interface TwoWayCall {
  /** Name of the organisation's account. */
  readonly organisation: string;
  /** Who is on the line: of a member, the name of their account. */
  readonly agent: string;
  readonly reason: string;
  readonly direction: CallDirection;
}

interface Words {
  readonly heading: Readonly<Record<CallDirection, (organisation: string) => string>>;
  readonly lead: string;
  readonly organisation: string;
  readonly agent: string;
  readonly reason: string;
  readonly direction: string;
  readonly directions: Readonly<Record<CallDirection, string>>;
}

const WORDS: Readonly<Record<SeatLanguage, Words>> = {
  en: {
    heading: {
      out: (organisation) => `Are you on a call with ${organisation}, who called you?`,
      in: (organisation) => `Are you on a call with ${organisation}, whom you called?`,
    },
    lead: 'Accept only if the person you speak to gave this name and this reason. If nobody is on the line, reject.',
    organisation: 'Organisation',
    agent: 'Agent’s name',
    reason: 'Reason of the call',
    direction: 'Direction of the call',
    directions: { out: 'the organisation called', in: 'the customer called' },
  },
  de: {
    heading: {
      out: (organisation) => `Sprechen Sie gerade mit ${organisation}, die Sie angerufen hat?`,
      in: (organisation) => `Sprechen Sie gerade mit ${organisation}, die Sie angerufen haben?`,
    },
    lead: 'Nehmen Sie nur an, wenn die Person am Telefon diesen Namen und diesen Grund genannt hat. Ist niemand in der Leitung, lehnen Sie ab.',
    organisation: 'Organisation',
    agent: 'Name des Mitarbeiters',
    reason: 'Grund des Gesprächs',
    direction: 'Richtung des Anrufs',
    directions: { out: 'die Organisation hat angerufen', in: 'der Kunde hat angerufen' },
  },
};

/** What the customer is shown. */
export function twoWayQuestion(
  language: SeatLanguage,
  { organisation, agent, reason, direction }: TwoWayCall,
): { parts: Part[]; fields: Field[] } {
  const words = WORDS[language];
  return {
    parts: [
      { type: 'h1', text: words.heading[direction](organisation) },
      { type: 'p', text: words.lead },
    ],
    fields: [
      { name: words.organisation, value: organisation },
      { name: words.agent, value: agent },
      { name: words.reason, value: reason },
      { name: words.direction, value: words.directions[direction] },
    ],
  };
}

/**
 * Checks that a question asks about a call, in one of its languages, and nothing more.
 * @throws `seat-invalid`
 */
export function checkTwoWayQuestion(
  question: Question,
  call: Pick<TwoWayCall, 'organisation' | 'agent'>,
): void {
  const reason = question.fields?.[2]?.value ?? '';
  const fixed = SEAT_LANGUAGES.some((language) =>
    CALL_DIRECTIONS.some((direction) =>
      saysExactly(question, twoWayQuestion(language, { ...call, reason, direction })),
    ),
  );
  const short = utf8Length(reason) <= MAX_TEXT_BYTES;
  if (fixed && short && question.kind === 'approval' && question.passcode === undefined) return;
  throw new CountersignError(
    'seat-invalid',
    'a member asks a customer about a call, in fixed words and their own name, and this is something else',
  );
}
