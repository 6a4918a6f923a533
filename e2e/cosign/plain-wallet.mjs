/**
 * A wallet that knows nothing of Countersign: `bitsharesjs` and what Node brings. It makes a transfer, signs it by
 * the keys that it is given, asks a provider over HTTP where one is named, and sends it.
 *
 *   plain-wallet.mjs <node> <from> <to> <amount in the smallest unit> [--provider <url>] <key in WIF...>
 */
import { createHash } from 'node:crypto';
import { ops, PrivateKey, Signature } from 'bitsharesjs';
import chainConfig from 'bitsharesjs-ws';

const words = process.argv.slice(2);
const at = words.indexOf('--provider');
const provider = at === -1 ? undefined : words.splice(at, 2)[1];
const [nodeUrl, from, to, amount, ...wifs] = words;

const socket = new WebSocket(nodeUrl);
await new Promise((resolve, reject) => {
  socket.onopen = resolve;
  socket.onerror = () => reject(new Error(`${nodeUrl} does not answer`));
});
let serial = 0;
function call(api, method, params) {
  const id = ++serial;
  return new Promise((resolve, reject) => {
    socket.addEventListener('message', function read({ data }) {
      const answer = JSON.parse(data);
      if (answer.id !== id) return;
      socket.removeEventListener('message', read);
      if (answer.error) reject(new Error(answer.error.message));
      else resolve(answer.result);
    });
    socket.send(JSON.stringify({ id, method: 'call', params: [api, method, params] }));
  });
}

const chainId = await call('database', 'get_chain_id', []);
const { GRAPHENE_ADDRESS_PREFIX: prefix } = await call('database', 'get_config', []);
chainConfig.ChainConfig.setPrefix(prefix);
const [payer, payee] = await call('database', 'get_accounts', [[from, to]]);
const head = await call('database', 'get_dynamic_global_properties', []);
const transfer = {
  fee: { amount: 0, asset_id: '1.3.0' },
  from: payer.id,
  to: payee.id,
  amount: { amount: Number(amount), asset_id: '1.3.0' },
  extensions: [],
};
[transfer.fee] = await call('database', 'get_required_fees', [[[0, transfer]], '1.3.0']);
const transaction = {
  ref_block_num: head.head_block_number & 0xffff,
  ref_block_prefix: Buffer.from(head.head_block_id, 'hex').readUInt32LE(4),
  expiration: new Date(Date.parse(`${head.time}Z`) + 300_000).toISOString().slice(0, 19),
  operations: [[0, transfer]],
  extensions: [],
};
const bytes = Buffer.concat([
  Buffer.from(chainId, 'hex'),
  ops.transaction.toBuffer(ops.transaction.fromObject(transaction)),
]);
const signatures = wifs.map((wif) => Signature.signBuffer(bytes, PrivateKey.fromWif(wif)).toHex());

if (provider !== undefined) {
  const body = JSON.stringify({ account: from, transaction: { ...transaction, signatures } });
  const headers = { 'content-type': 'application/json' };
  let answer = await (await fetch(`${provider}/v1/transactions`, { method: 'POST', headers, body })).json();
  const digest = createHash('sha256').update(bytes).digest('hex');
  while (answer.state === 'pending') {
    answer = await (await fetch(`${provider}/v1/transactions/${digest}?wait=30`)).json();
  }
  if (answer.state !== 'signed') {
    process.stdout.write(
      `no signature: ${answer.state ?? answer.code}: ${answer.reason ?? answer.message}\n`,
    );
    process.exit(1);
  }
  signatures.push(...answer.signatures);
}
try {
  const done = await call('network_broadcast', 'broadcast_transaction_synchronous', [
    { ...transaction, signatures },
  ]);
  process.stdout.write(`executed in block ${done.block_num}\n`);
} catch (error) {
  process.stdout.write(`refused by the chain: ${error.message}\n`);
  process.exitCode = 1;
}
socket.close();
