import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRevocation } from '../src/account-entries.ts';
import {
  createRecommendation,
  RECOMMENDATION_LIFE,
  recommendsAt,
  verifyRecommendation,
} from '../src/recommendation.ts';
import { extendLog } from '../src/replay.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { NOW, newAccount, type TestAccount, withDevice } from './fixtures.ts';
import { refused } from './refused.ts';

const BANK = { name: 'bank@example.com', identity: 'A'.repeat(43) };
const recommend = ({ log, devices: [device] }: TestAccount, recommends = true) =>
  createRecommendation(webCrypto, device!.signer, log, BANK, { seq: 1, recommends }, NOW);

describe('a recommendation', () => {
  test('stands for a year, and not once it was taken back', async () => {
    const chamber = await newAccount('chamber@example.com');
    const { log } = chamber;
    const given = await recommend(chamber);
    const { payload } = await verifyRecommendation(webCrypto, given.jws, log, (seq) => log.hashes[seq], BANK);
    assert.ok(recommendsAt(payload, NOW));
    assert.ok(recommendsAt(payload, NOW + RECOMMENDATION_LIFE - 1));
    assert.ok(!recommendsAt(payload, NOW + RECOMMENDATION_LIFE));
    assert.ok(!recommendsAt(payload, NOW - 61), 'none of tomorrow');
    assert.ok(!recommendsAt((await recommend(chamber, false)).payload, NOW));
  });

  test('is by the organisation that it names, of the one that it names, by a device that may admit', async () => {
    const chamber = await newAccount('chamber@example.com');
    const forger = await newAccount('chamber@example.com');
    const { jws } = await recommend(chamber);
    const verify = (text: string, { log }: TestAccount, subject = BANK) =>
      verifyRecommendation(webCrypto, text, log, (seq) => log.hashes[seq], subject);
    await assert.rejects(verify(jws, forger), refused('account-mismatch'));
    await assert.rejects(
      verify(jws, chamber, { ...BANK, identity: forger.log.identity }),
      refused('account-mismatch'),
    );
    const forged = await recommend({ ...chamber, devices: forger.devices });
    await assert.rejects(verify(forged.jws, chamber), refused('device-unknown'));
    const weak = await withDevice(chamber, { rights: ['ask', 'answer'] });
    const unentitled = await recommend({ ...weak, devices: weak.devices.slice(1) });
    await assert.rejects(verify(unentitled.jws, weak), refused('device-not-entitled'));
  });

  test('outlives a device that was retired, and not one that was lost', async () => {
    const chamber = await newAccount('chamber@example.com', { devices: 2 });
    const { jws } = await recommend(chamber);
    const [gone, stays] = chamber.devices;
    for (const reason of ['retired', 'lost'] as const) {
      const entry = await createRevocation(webCrypto, chamber.log, stays!.signer, gone!.kid, reason, NOW);
      const log = await extendLog(webCrypto, chamber.log, [entry.jws]);
      const verifying = verifyRecommendation(webCrypto, jws, log, (seq) => log.hashes[seq], BANK);
      if (reason === 'retired') await verifying;
      else await assert.rejects(verifying, refused('device-revoked'));
    }
  });
});
