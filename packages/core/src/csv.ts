/**
 * Tables as text (RFC 4180), for spreadsheets: what a spreadsheet would take for a formula is made a text.
 * @module
 */

/** What Excel, LibreOffice and Google Sheets begin a formula with, the wide forms and behind white space too. */
const FORMULA = /^[\s\uFEFF]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u;

/** All rows with CRLF at the end, every cell in quotes. */
export function formatCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(formatCell).join(',')}\r\n`).join('');
}

function formatCell(value: string | number): string {
  const text = String(value);
  const plain = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return `"${plain.replaceAll('"', '""')}"`;
}
