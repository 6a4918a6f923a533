import { commitPasscode, decodeBase64url, encodeBase64url } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { commitQuickly, QUICK, SALT } from './asking.ts';
import { invalid, type VectorFile, valid } from './vector.ts';
import { seeded } from './world.ts';

export async function passcode(): Promise<VectorFile> {
  const strong = await commitPasscode(seeded('passcode'), '042042');
  const quick = await commitQuickly('042042');
  const lanes = { ...QUICK, m: 64, t: 2, p: 4, salt: SALT };
  const derived = await webCrypto.argon2id(new TextEncoder().encode('042042'), {
    memory: 64,
    passes: 2,
    lanes: 4,
    salt: decodeBase64url(SALT),
    length: 32,
  });
  const good = (name: string, comment: string, commitment: object, typed: string) =>
    valid(name, comment, { commitment, typed });
  const bad = (name: string, comment: string, commitment: object, typed: string) =>
    invalid(name, comment, 'passcode-wrong', { commitment, typed });
  return {
    description: 'Passcodes as they were typed, and the commitments that they are checked against.',
    spec: 'responses.md#passcode',
    vectors: [
      good('right', 'as our enquirers make it', strong, '042042'),
      good('quick', 'with the least cost', quick, '042042'),
      good('lanes', 'with four lanes and two passes', { ...lanes, hash: encodeBase64url(derived) }, '042042'),
      good('space', 'white space is ignored', quick, ' 042 042 '),
      good('dash', 'so are dashes', quick, '042-042'),
      bad('wrong', 'another one', strong, '042043'),
      bad('zero-dropped', 'it is a text, and no number', quick, '42042'),
      bad('longer', 'with one digit more', quick, '0420420'),
      bad('empty', 'nothing', quick, ''),
      bad('only-spaces', 'nothing but white space', quick, '   '),
      bad('other-digits', 'other scripts’ digits are not ours', quick, '٠٤٢٠٤٢'),
      bad('other-salt', 'under another salt', { ...quick, salt: SALT }, '042042'),
      bad('other-cost', 'at another cost', { ...quick, t: 2 }, '042042'),
    ],
  };
}
