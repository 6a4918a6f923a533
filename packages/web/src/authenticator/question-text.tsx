/**
 * A question word for word, all of it: as text and never as markup. What it says was checked when it was parsed.
 * Each of its texts is laid out by itself: a letter that is written from right to left would else turn round the
 * digits of the texts beside it.
 * @module
 */
import type { Question } from '@countersign/core';
import { Fragment } from 'preact';

export function QuestionText({ question }: { question: Question }) {
  const { parts, fields = [] } = question;
  return (
    <div class="words">
      {parts.map((part, i) => {
        if (part.type === 'button') return null;
        const Tag = part.type === 'h1' ? 'h2' : 'p';
        return (
          <Tag key={i} dir="auto">
            {part.text}
          </Tag>
        );
      })}
      {fields.length > 0 && (
        <dl class="facts">
          {fields.map(({ name, value }, i) => (
            <div key={i}>
              <dt dir="auto">{name}</dt>
              <dd dir="auto">{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** The asker's own words for a choice: they stand beside ours, and never instead. */
export function labelsOf(question: Question, choice: 'accept' | 'reject'): string[] {
  return question.parts
    .filter((part) => part.type === 'button' && part.value === choice)
    .map(({ text }) => text);
}

/** A question's parts, for lists. */
export function partsOf(question: Question): string[] {
  return question.parts.filter(({ type }) => type !== 'button').map(({ text }) => text);
}

/** Texts in one line. */
export function OneLine({ texts }: { texts: readonly string[] }) {
  return (
    <>
      {texts.map((text, i) => (
        <Fragment key={i}>
          {i > 0 && ' · '}
          <bdi>{text}</bdi>
        </Fragment>
      ))}
    </>
  );
}
