/**
 * A question word for word, all of it: as text and never as markup. What it says was checked when it was parsed.
 * @module
 */
import type { Question } from '@countersign/core';

export function QuestionText({ question }: { question: Question }) {
  const { parts, fields = [] } = question;
  return (
    <div class="words" dir="auto">
      {parts.map((part, i) => {
        if (part.type === 'h1') return <h2 key={i}>{part.text}</h2>;
        return part.type === 'p' ? <p key={i}>{part.text}</p> : null;
      })}
      {fields.length > 0 && (
        <dl class="facts">
          {fields.map(({ name, value }, i) => (
            <div key={i}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** The asker's own words for a choice: they stand beside ours, and never instead. */
export function labelOf(question: Question, choice: 'accept' | 'reject'): string {
  return question.parts
    .filter((part) => part.type === 'button' && part.value === choice)
    .map(({ text }) => text)
    .join(' · ');
}

/** A question as one line, for lists. */
export function questionLine(question: Question): string {
  return question.parts
    .filter(({ type }) => type !== 'button')
    .map(({ text }) => text)
    .join(' · ');
}
