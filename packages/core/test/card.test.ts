import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Card, createCard, MAX_RECOMMENDERS, verifyCard } from '../src/card.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { NOW, newAccount } from './fixtures.ts';
import { refused } from './refused.ts';

const CARD = { seq: 1, name: 'Bank of Examples', description: 'Your bank, since 1888', country: 'DE' };
const HASH = 'A'.repeat(43);

describe('a card', async () => {
  const bank = await newAccount('bank@example.com');
  const make = (more: Partial<Card>) =>
    createCard(webCrypto, bank.devices[0]!.signer, bank.log, { ...CARD, ...more }, NOW);

  test('says what the organisation says of itself, with picture, team, domains and recommenders or without', async () => {
    for (const more of [{}, { picture: HASH, team: 12, domains: ['bank.example'], recommenders: [HASH] }]) {
      const { payload } = await verifyCard(webCrypto, (await make(more)).jws, bank.log);
      const { sub, sub_id, iat, ...said } = payload;
      assert.deepEqual(said, { ...CARD, ...more });
      assert.deepEqual([sub, sub_id, iat], [bank.log.name, bank.log.identity, NOW]);
    }
  });

  test('is refused with what no card may hold', async () => {
    for (const more of [
      { name: 'Bank\u202eknab' },
      { description: '' },
      { country: 'de' },
      { team: 0 },
      { team: 1.5 },
      { picture: 'x' },
      { domains: ['localhost'] },
      { domains: ['bank.example', 'bank.example'] },
      { domains: Array.from({ length: 6 }, (_, i) => `bank${i}.example`) },
      {
        recommenders: Array.from({ length: MAX_RECOMMENDERS + 1 }, (_, i) =>
          `${'ABCDEFGHIJKL'[i]}`.padEnd(43, 'A'),
        ),
      },
      { seq: 0 },
    ])
      await assert.rejects(make(more), refused('statement-malformed'), JSON.stringify(more));
  });

  test('is by a device of the organisation that may admit, and of no other', async () => {
    const { jws } = await make({});
    const other = await newAccount('bank@example.com');
    await assert.rejects(verifyCard(webCrypto, jws, other.log), refused('account-mismatch'));
    const forged = await createCard(webCrypto, other.devices[0]!.signer, bank.log, CARD, NOW);
    await assert.rejects(verifyCard(webCrypto, forged.jws, bank.log), refused('device-unknown'));
  });
});
