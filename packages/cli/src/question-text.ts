/**
 * A question as plain text, all of it. What it says was checked when it was parsed: it can't hold a control
 * character or turn the direction of reading.
 * @module
 */
import type { PendingRequest } from '@countersign/client';
import type { Question } from '@countersign/core';
import type { Terminal } from './terminal.ts';

export function questionText(question: Question, { style }: Pick<Terminal, 'style'>): string {
  const lines: string[] = [];
  for (const part of question.parts) {
    if (part.type === 'h1') lines.push(style('bold', part.text));
    else if (part.type === 'p') lines.push(part.text);
    else lines.push(`[${part.value}: ${part.text}]`);
  }
  const { fields = [] } = question;
  const width = Math.max(0, ...fields.map(({ name }) => name.length));
  for (const { name, value } of fields) lines.push(`${name.padEnd(width)}  ${value}`);
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
  return question.parts.map(({ text }) => text).join(' · ');
}

export function secondsText(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
