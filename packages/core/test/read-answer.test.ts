import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAnswer } from '../src/response.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { answer, ask, newAccount, reader, withoutDevice } from './fixtures.ts';
import { refused } from './refused.ts';
import { tamper } from './tamper.ts';

describe('another device of the enquirer', async () => {
  const alice = await newAccount('alice@example.com', { devices: 2 });
  const shop = await newAccount('shop@example.com');
  const other = await newAccount('alice@example.com');
  const request = await ask(shop, alice);
  const [, phone] = alice.devices;
  const by = { device: phone! };
  const made = await answer(alice, shop, request, { decision: 'fraud', shown: 'screen' }, by);
  const { jws } = made.statement;
  const read = (text: string, account = alice, to = request.statement, keys = reader(shop)) =>
    readAnswer(webCrypto, to, account.log, text, keys);

  test('reads what was answered without having the question', async () => {
    assert.equal((await read(jws)).decision, 'fraud');
  });

  test('reads it still where the device that answered is gone since', async () => {
    const gone = await withoutDevice(alice, phone!.kid);
    assert.equal((await read(jws, gone)).decision, 'fraud');
  });

  test('reads no answer of another account, to another request, altered, or sealed to others', async () => {
    await assert.rejects(read(jws, other), refused('account-mismatch'));
    const another = await ask(shop, alice);
    await assert.rejects(read(jws, alice, another.statement), refused('request-mismatch'));
    await assert.rejects(
      read(
        tamper(jws, (payload) => {
          payload.iat++;
        }),
      ),
      refused('signature-invalid'),
    );
    await assert.rejects(
      read(jws, alice, request.statement, reader(other)),
      refused('seal-broken', 'epoch-unknown'),
    );
  });
});
