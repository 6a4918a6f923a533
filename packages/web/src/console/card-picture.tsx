/**
 * The picture of the organisation's card, where it has one.
 * @module
 */
import { say } from './words.ts';

/** @param picture of PNG, in Base64 */
export function CardPicture({ picture }: { picture: string | undefined }) {
  if (picture === undefined) return null;
  return (
    <img
      class="logo"
      src={`data:image/png;base64,${picture}`}
      width="96"
      height="96"
      alt={say('console.card.picture')}
      data-testid="picture"
    />
  );
}
