import * as v from 'valibot';
import { isDisplayLine } from './display-text.ts';

/** A line of at most so many bytes that may be shown to a person as it stands, as statements carry it. */
export const DisplayLine = (maxBytes: number) =>
  v.pipe(
    v.string(),
    v.check((text) => isDisplayLine(text, maxBytes), 'a text that may not be shown'),
  );
