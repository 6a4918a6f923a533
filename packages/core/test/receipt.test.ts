import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createCheckpoint } from '../src/checkpoint.ts';
import type { SignatureAlgorithm } from '../src/crypto-provider.ts';
import { type Receipt, verifyReceipt } from '../src/receipt.ts';
import { type Asked, RequestStatement } from '../src/request.ts';
import { verifyResponse } from '../src/response.ts';
import { signStatement } from '../src/statement.ts';
import { generateSigner, webCrypto } from '../src/webcrypto.ts';
import {
  ALGORITHMS,
  answer,
  ask,
  BROKER,
  commitQuickly,
  NOW,
  newAccount,
  reader,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';
import { type Loose, tamper } from './tamper.ts';

interface Kept {
  receipt: Receipt;
  alice: TestAccount;
  shop: TestAccount;
}

/** The receipt of an answer by the account's second device. */
async function keep(
  {
    sealed = true,
    algorithm = 'EdDSA' as SignatureAlgorithm,
    checkpointAt = NOW + 6,
    ...asked
  } = {} as Partial<Asked> & {
    algorithm?: SignatureAlgorithm;
    checkpointAt?: number;
  },
): Promise<Kept> {
  const alice = await newAccount('alice@example.com', { devices: 2, algorithm });
  const shop = await newAccount('shop@example.com', { algorithm });
  const request = await ask(shop, alice, { sealed, passcode: await commitQuickly('042042'), ...asked });
  const device = alice.devices[1]!;
  const decided = { decision: 'accept', shown: 'screen', passcode: '042042' } as const;
  const { statement, plaintext } = await answer(alice, shop, request, decided, { device });
  await verifyResponse(webCrypto, request, alice.log, statement.jws, reader(shop));
  return { receipt: await write(alice, shop, request, { statement, plaintext }, checkpointAt), alice, shop };
}

async function write(
  account: TestAccount,
  enquirer: TestAccount,
  request: { statement: { jws: string }; plaintext?: string },
  response: { statement: { jws: string }; plaintext?: string | undefined },
  at: number,
): Promise<Receipt> {
  const broker = await generateSigner('EdDSA');
  const checkpoint = await createCheckpoint(webCrypto, broker, BROKER, account.log, at);
  const disclosed = request.plaintext && response.plaintext;
  return {
    countersign: 'receipt/1',
    request: request.statement.jws,
    response: response.statement.jws,
    ...(disclosed ? { disclosed: { request: request.plaintext!, response: response.plaintext! } } : {}),
    enquirer_log: [...enquirer.log.entries],
    account_log: [...account.log.entries],
    checkpoint: { statement: checkpoint.jws, key: broker.publicKey },
  };
}

const verify = (receipt: unknown) => verifyReceipt(webCrypto, receipt);

for (const algorithm of ALGORITHMS) {
  for (const sealed of [true, false]) {
    describe(`a receipt of ${sealed ? 'sealed' : 'clear'} statements signed with ${algorithm}`, () => {
      let kept: Kept;
      before(async () => {
        kept = await keep({ sealed, algorithm });
      });

      test('proves who asked whom what, and who answered what, with nothing but itself', async () => {
        const { receipt, alice, shop } = kept;
        const proof = await verify(JSON.parse(JSON.stringify(receipt)));
        assert.equal(proof.request.question.parts[0]!.text, 'Log in to shop.example?');
        assert.equal(proof.response.decision.decision, 'accept');
        assert.equal(proof.response.device.kid, alice.devices[1]!.kid);
        assert.equal(proof.account.identity, alice.log.identity);
        assert.equal(proof.enquirer.identity, shop.log.identity);
        assert.equal(proof.checkpoint.payload.iat, NOW + 6);
      });

      test('with any letter of it changed is refused', async () => {
        const { receipt } = kept;
        const texts: [string, string, (text: string) => Receipt][] = [
          ['request', receipt.request, (text) => ({ ...receipt, request: text })],
          ['response', receipt.response, (text) => ({ ...receipt, response: text })],
          [
            'checkpoint',
            receipt.checkpoint.statement,
            (text) => ({ ...receipt, checkpoint: { ...receipt.checkpoint, statement: text } }),
          ],
          ...receipt.account_log.map((entry, i): [string, string, (text: string) => Receipt] => [
            `account_log ${i}`,
            entry,
            (text) => ({ ...receipt, account_log: receipt.account_log.with(i, text) }),
          ]),
          ...receipt.enquirer_log.map((entry, i): [string, string, (text: string) => Receipt] => [
            `enquirer_log ${i}`,
            entry,
            (text) => ({ ...receipt, enquirer_log: receipt.enquirer_log.with(i, text) }),
          ]),
        ];
        const { disclosed } = receipt;
        if (disclosed !== undefined) {
          for (const which of ['request', 'response'] as const) {
            const alter = (text: string) => ({ ...receipt, disclosed: { ...disclosed, [which]: text } });
            texts.push([`disclosed ${which}`, disclosed[which], alter]);
          }
        }
        for (const [what, text, alter] of texts) {
          const stride = Math.ceil(text.length / 12);
          for (let i = 0; i < text.length; i += stride) {
            const letter = text[i] === 'A' ? 'B' : 'A';
            const altered = alter(text.slice(0, i) + letter + text.slice(i + 1));
            await assert.rejects(verify(altered), refused(), `${what}, letter ${i}`);
          }
        }
      });

      test('with any member of its statements changed under the old signatures is refused', async () => {
        const { receipt } = kept;
        const bump = (member: string) => (payload: Loose) => {
          const value = payload[member];
          if (typeof value === 'number') payload[member]++;
          else if (typeof value === 'string')
            payload[member] = value.replace(/./, (c) => (c === 'a' ? 'b' : 'a'));
          else payload[member] = { ...value, more: 1 };
        };
        for (const member of ['jti', 'iss', 'iss_id', 'sub', 'sub_id', 'aud', 'iat', 'exp']) {
          const altered = { ...receipt, request: tamper(receipt.request, bump(member)) };
          await assert.rejects(verify(altered), refused(), `request ${member}`);
        }
        for (const member of ['req', 'iss', 'iss_id', 'iat', 'head', sealed ? 'sealed' : 'content']) {
          const altered = { ...receipt, response: tamper(receipt.response, bump(member)) };
          await assert.rejects(verify(altered), refused(), `response ${member}`);
        }
      });

      test('with a part of another receipt is refused', async () => {
        const { receipt } = kept;
        const other = (await keep({ sealed, algorithm })).receipt;
        for (const part of ['request', 'response', 'enquirer_log', 'account_log', 'checkpoint'] as const) {
          await assert.rejects(verify({ ...receipt, [part]: other[part] }), refused(), part);
        }
        for (const part of ['statement', 'key'] as const) {
          const checkpoint = { ...receipt.checkpoint, [part]: other.checkpoint[part] };
          await assert.rejects(verify({ ...receipt, checkpoint }), refused(), part);
        }
      });

      test('without any one of its members, or with one more, is refused', async () => {
        const { receipt } = kept;
        for (const part of Object.keys(receipt)) {
          await assert.rejects(verify({ ...receipt, [part]: undefined }), refused('receipt-invalid'), part);
        }
        await assert.rejects(verify({ ...receipt, more: 1 }), refused('receipt-invalid'));
        await assert.rejects(verify({ ...receipt, countersign: 'receipt/2' }), refused('receipt-invalid'));
      });
    });
  }
}

describe('what a receipt discloses', () => {
  test('is all that was sealed, or the receipt is refused', async () => {
    const { receipt } = await keep();
    const { request, response } = receipt.disclosed!;
    const { disclosed: _, ...undisclosed } = receipt;
    await assert.rejects(verify(undisclosed), refused('receipt-invalid'));
    for (const disclosed of [{ request }, { response }, {}]) {
      await assert.rejects(verify({ ...receipt, disclosed }), refused('receipt-invalid'));
    }
    const swapped = { request: response, response: request };
    await assert.rejects(verify({ ...receipt, disclosed: swapped }), refused('digest-mismatch'));
    const respelt = { request: `${request} `, response };
    await assert.rejects(verify({ ...receipt, disclosed: respelt }), refused('digest-mismatch'));
  });

  test('is nothing where nothing was sealed: words that nobody signed are refused', async () => {
    const { receipt } = await keep({ sealed: false });
    const disclosed = { request: 'Anything', response: 'Anything' };
    await assert.rejects(verify({ ...receipt, disclosed }), refused('receipt-invalid'));
  });
});

describe('a device that was revoked', () => {
  test('later leaves its earlier receipts as good as they were', async () => {
    const { receipt, alice } = await keep();
    const later = await withoutDevice(alice, alice.devices[1]!.kid);
    const proof = await verify(receipt);
    assert.deepEqual(later.log.entries.slice(0, receipt.account_log.length), receipt.account_log);
    assert.equal(proof.response.device.revokedAt, undefined);
  });

  test('is in no receipt whose log knows of it', async () => {
    const { receipt, alice } = await keep();
    const later = await withoutDevice(alice, alice.devices[1]!.kid);
    const account_log = later.log.entries;
    await assert.rejects(verify({ ...receipt, account_log }), refused('device-revoked'));
  });

  test('makes no receipt out of the log of an older day', async () => {
    for (const [kind, age] of [
      ['login', 3600],
      ['payment', 3600],
      ['approval', 86_400],
    ] as const) {
      const answered = NOW + 5;
      const good = await keep({ kind, checkpointAt: answered - age });
      await verify(good.receipt);
      const stale = await keep({ kind, checkpointAt: answered - age - 61 });
      await assert.rejects(verify(stale.receipt), refused('checkpoint-stale'));
    }
  });
});

describe('the logs of a receipt', () => {
  test('end where the checkpoint says', async () => {
    const { receipt, alice } = await keep();
    const longer = (await withDevice(alice)).log.entries;
    await assert.rejects(verify({ ...receipt, account_log: longer }), refused('receipt-invalid'));
    const shorter = receipt.account_log.slice(0, 1);
    await assert.rejects(verify({ ...receipt, account_log: shorter }), refused('device-unknown'));
    await assert.rejects(verify({ ...receipt, account_log: [] }), refused('receipt-invalid'));
  });

  test('are of the account that the checkpoint names', async () => {
    const { receipt, alice, shop } = await keep();
    const broker = await generateSigner('EdDSA');
    const log = { ...alice.log, identity: shop.log.identity };
    const { jws: statement } = await createCheckpoint(webCrypto, broker, BROKER, log, NOW + 6);
    const checkpoint = { statement, key: broker.publicKey };
    await assert.rejects(verify({ ...receipt, checkpoint }), refused('receipt-invalid'));
  });

  test('are those of the accounts that the statements name', async () => {
    const { receipt } = await keep();
    const { account_log, enquirer_log } = receipt;
    const swapped = { ...receipt, account_log: enquirer_log, enquirer_log: account_log };
    await assert.rejects(verify(swapped), refused('account-mismatch'));
  });
});

test('a request that stood longer than its kind may is in no receipt, sealed or not', async () => {
  for (const sealed of [true, false]) {
    const { alice, shop } = await keep({ sealed });
    const asked = await ask(shop, alice, { sealed });
    const { signer } = shop.devices[0]!;
    const payload = { ...asked.statement.payload, exp: NOW + 601 };
    const statement = await signStatement(webCrypto, RequestStatement, signer, payload);
    const request = { ...asked, statement };
    const receipt = await write(alice, shop, request, await answer(alice, shop, request), NOW + 6);
    await assert.rejects(verify(receipt), refused('request-lifetime'));
  }
});

test('what is no receipt at all is refused', async () => {
  for (const input of [undefined, null, 'receipt', 1, [], {}, { countersign: 'receipt/1' }]) {
    await assert.rejects(verify(input), refused('receipt-invalid'));
  }
});
