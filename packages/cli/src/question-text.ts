/**
 * A question as plain text, all of it. What it says was checked when it was parsed: it can't hold a control
 * character or turn the direction of reading. Each of its texts is laid out by itself: a letter that is written from
 * right to left would else turn round the digits of the texts beside it.
 * @module
 */
import type { PendingRequest } from '@countersign/client';
import type { Question } from '@countersign/core';
import type { Terminal } from './terminal.ts';

export function questionText(question: Question, { style }: Pick<Terminal, 'style'>): string {
  const lines: string[] = [];
  for (const part of question.parts) {
    const text = isolated(part.text);
    if (part.type === 'h1') lines.push(style('bold', text));
    else if (part.type === 'p') lines.push(text);
    else lines.push(`[${part.value}: ${text}]`);
  }
  const { fields = [] } = question;
  const width = Math.max(0, ...fields.map(({ name }) => name.length));
  for (const { name, value } of fields) {
    lines.push(`${isolated(name)}${' '.repeat(width - name.length)}  ${isolated(value)}`);
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

/** Who asks, what for, and what an answer must carry. */
export function requestText(request: PendingRequest, now: number, terminal: Terminal): string {
  const { question, enquirer } = request;
  const trust =
    enquirer.binding === 'first-use' ? ' (name taken on first use: not compared with its owner)' : '';
  const wants = [
    ...(question.passcode === undefined ? [] : ['the six digits that the asker shows']),
    ...(question.uv ? ['proof that you are there'] : []),
  ];
  return [
    `${terminal.style('bold', enquirer.name)} asks${trust}:`,
    questionText(question, terminal),
    `  ${question.kind} · ${secondsText(request.expiresAt - now)} left · ${request.id}`,
    ...(wants.length === 0 ? [] : [`  wants ${wants.join(' and ')}`]),
    ...(request.signed === undefined
      ? []
      : [
          `  signed here already: ${request.signed}; the broker did not say that it has it. Send it again, the same`,
        ]),
  ].join('\n');
}

export function questionLine(question: Question): string {
  return question.parts.map(({ text }) => isolated(text)).join(' · ');
}

/** Where Unicode has the letters that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFE\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** Between U+2068 and U+2069, where it needs to be: a terminal that knows nothing of them may show them. */
function isolated(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

export function secondsText(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
