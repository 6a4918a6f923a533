/**
 * A value with one of its fields taken from another value of the same kind.
 * @module
 */
import type { AnyCodec } from '../src/codec.ts';

export interface Changed {
  readonly path: string;
  readonly json: unknown;
}

type Json = Record<string, unknown>;

/** Every way to take one field, however deep, of `a` from `b`. */
export function oneChange(codec: AnyCodec, a: unknown, b: unknown, path = ''): Changed[] {
  const { shape } = codec;
  switch (shape.kind) {
    case 'struct':
    case 'extension':
      return Object.entries(shape.fields).flatMap(([name, of]) => {
        const [mine, other] = [(a as Json)[name], (b as Json)[name]];
        const at = `${path}.${name}`;
        const changes =
          mine === undefined || other === undefined ? whole(at, mine, other) : oneChange(of, mine, other, at);
        return changes.map(({ path: where, json }) => ({
          path: where,
          json: { ...(a as Json), [name]: json },
        }));
      });
    case 'optional':
      if (a === undefined || b === undefined) return whole(path, a, b);
      return oneChange(shape.of, a, b, path);
    case 'variant': {
      const [mine, other] = [a as [number, unknown], b as [number, unknown]];
      const of = Object.values(shape.fields)[mine[0]];
      if (mine[0] !== other[0] || of === undefined) return whole(path, a, b);
      return oneChange(of, mine[1], other[1], `${path}.${mine[0]}`).map(({ path: where, json }) => ({
        path: where,
        json: [mine[0], json],
      }));
    }
    case 'list': {
      const [mine, other] = [a as unknown[], b as unknown[]];
      const inner = mine.slice(0, other.length).flatMap((item, place) =>
        oneChange(shape.of, item, other[place], `${path}[${place}]`).map(({ path: where, json }) => ({
          path: where,
          json: mine.with(place, json),
        })),
      );
      return [...whole(path, a, b), ...inner];
    }
    case 'nested':
      return oneChange(shape.of(), a, b, path);
    default:
      return whole(path, a, b);
  }
}

function whole(path: string, a: unknown, b: unknown): Changed[] {
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ path, json: b }];
}
