/**
 * HTML by template: what is put in is escaped, unless it is HTML already.
 * @module
 */

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function html(strings: TemplateStringsArray, ...values: readonly (string | number | Html)[]): Html {
  const parts = strings.map((string, i) => {
    const value = values[i];
    if (value === undefined) return string;
    return string + (value instanceof Html ? value.text : escapeHtml(String(value)));
  });
  return new Html(parts.join(''));
}

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPED[character]!);
}
