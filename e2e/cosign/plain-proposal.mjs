/**
 * The other way of a wallet that knows nothing of Countersign: `bitsharesjs` and what Node brings, and no provider's
 * address. An account that needs nobody proposes a transfer of another's money, the other's own key approves it, and
 * what else is needed comes by itself.
 *
 *   plain-proposal.mjs <node> <proposer> <key in WIF> <from> <key in WIF> <to> <amount in the smallest unit>
 */
import { ops, PrivateKey, Signature } from 'bitsharesjs';
import chainConfig from 'bitsharesjs-ws';

const [nodeUrl, proposer, proposerWif, from, fromWif, to, amount] = process.argv.slice(2);
const NOTHING = { amount: 0, asset_id: '1.3.0' };
const MINUTE = 60_000;

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
const text = (time) => new Date(time).toISOString().slice(0, 19);
const withFee = async ([kind, fields]) => {
  const [required] = await call('database', 'get_required_fees', [[[kind, fields]], '1.3.0']);
  // Of a proposal a node answers its own fee, and a list of those inside.
  const fee = Array.isArray(required) ? required[0] : required;
  return [kind, { ...fields, fee }];
};
async function send(operation, wifs) {
  const head = await call('database', 'get_dynamic_global_properties', []);
  const transaction = {
    ref_block_num: head.head_block_number & 0xffff,
    ref_block_prefix: Buffer.from(head.head_block_id, 'hex').readUInt32LE(4),
    expiration: text(Date.parse(`${head.time}Z`) + MINUTE),
    operations: [await withFee(operation)],
    extensions: [],
  };
  const bytes = Buffer.concat([
    Buffer.from(chainId, 'hex'),
    ops.transaction.toBuffer(ops.transaction.fromObject(transaction)),
  ]);
  const signatures = wifs.map((wif) => Signature.signBuffer(bytes, PrivateKey.fromWif(wif)).toHex());
  await call('network_broadcast', 'broadcast_transaction_synchronous', [{ ...transaction, signatures }]);
}

const [payer, payee, reference] = await call('database', 'get_accounts', [[from, to, proposer]]);
const { time } = await call('database', 'get_dynamic_global_properties', []);
const transfer = await withFee([
  0,
  {
    fee: NOTHING,
    from: payer.id,
    to: payee.id,
    amount: { amount: Number(amount), asset_id: '1.3.0' },
    extensions: [],
  },
]);
const create = {
  fee: NOTHING,
  fee_paying_account: reference.id,
  expiration_time: text(Date.parse(`${time}Z`) + 60 * MINUTE),
  proposed_ops: [{ op: transfer }],
  extensions: [],
};
const before = (await call('database', 'get_proposed_transactions', [payer.id])).map(({ id }) => id);
await send([22, create], [proposerWif]);
const proposal = (await call('database', 'get_proposed_transactions', [payer.id])).find(
  ({ id }) => !before.includes(id),
);
process.stdout.write(`proposed as ${proposal.id}\n`);
const approve = {
  fee: NOTHING,
  fee_paying_account: reference.id,
  proposal: proposal.id,
  active_approvals_to_add: [],
  active_approvals_to_remove: [],
  owner_approvals_to_add: [],
  owner_approvals_to_remove: [],
  key_approvals_to_add: [PrivateKey.fromWif(fromWif).toPublicKey().toString(prefix)],
  key_approvals_to_remove: [],
  extensions: [],
};
await send([23, approve], [proposerWif, fromWif]);
process.stdout.write(`approved by the key of ${from}\n`);
for (let tries = 0; tries < 600; tries++) {
  const [left] = await call('database', 'get_objects', [[proposal.id]]);
  if (left === null) {
    process.stdout.write('executed by the chain\n');
    socket.close();
    process.exit(0);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
process.stdout.write('nobody else has approved it\n');
process.exit(1);
