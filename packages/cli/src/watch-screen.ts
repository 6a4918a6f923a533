/**
 * The live list as lines that fit a terminal. What does not fit is never cut from the question: it goes on further
 * pages, and whoever draws knows which of them were shown. Pure.
 * @module
 */
import wrapAnsi from 'wrap-ansi';

export interface Content {
  /** One line each, cut where it is longer: the whole stands below. */
  readonly list: readonly string[];
  /** Place of the chosen one in the list. */
  readonly chosen: number;
  readonly question: readonly string[];
  /** Said besides; cut where there is no room. */
  readonly notes: readonly string[];
  readonly keys: string;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Screen {
  readonly lines: readonly string[];
  /** Pages of the question; none where the terminal has no room for any. */
  readonly pages: number;
  readonly page: number;
  /** Lines of a page. */
  readonly room: number;
}

const MOST_LISTED = 5;
/** A device before the door, with all that is to be compared, and an alert. */
const MOST_NOTES = 12;

/** @param page which page of the question, from 0; the last one where there are fewer */
export function layOut(content: Content, { columns, rows }: Size, page: number): Screen {
  const wrap = (line: string) =>
    wrapAnsi(line, Math.max(1, columns - 1), { hard: true, trim: false }).split('\n');
  const question = content.question.flatMap(wrap);
  const keys = ['', ...wrap(content.keys)];
  // A line is left free, so that the terminal never scrolls.
  let room = rows - 1 - keys.length;
  const least = Math.min(question.length, 5);
  const notes = content.notes.flatMap(wrap);
  const said = cut(notes, Math.min(MOST_NOTES, room - least - 1));
  room -= said.length;
  const list = around(content, Math.min(MOST_LISTED, room - least - 1)).map((line) => firstOf(wrap(line)));
  room -= list.length + (list.length > 0 ? 1 : 0);
  const pages = room < 1 ? 0 : Math.ceil(question.length / room);
  const at = Math.max(0, Math.min(page, pages - 1));
  const lines = [
    ...list,
    ...(list.length > 0 ? [''] : []),
    ...question.slice(at * room, (at + 1) * room),
    ...said,
    ...keys,
  ];
  return { lines: pages === 0 ? ['this window is too small'] : lines, pages, page: at, room };
}

function around({ list, chosen }: Content, most: number): readonly string[] {
  if (most < 1) return [];
  const from = Math.max(0, Math.min(chosen - Math.floor(most / 2), list.length - most));
  return list.slice(from, from + most);
}

function firstOf([first, ...further]: readonly string[]): string {
  return further.length === 0 ? first! : `${first!.slice(0, -1)}…`;
}

function cut(lines: readonly string[], most: number): readonly string[] {
  if (most < 1) return [];
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), '…'];
}
