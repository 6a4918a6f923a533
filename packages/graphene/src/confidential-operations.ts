/**
 * Confidential transfers: amounts hidden in commitments, with proofs that nothing was made from nothing.
 * @module
 */
import { list, optional, struct } from './codec.ts';
import { asset, authority, ids } from './field-groups.ts';
import { bytes, publicKey } from './field-types.ts';

const commitment = bytes(33);
const input = struct({ commitment, owner: authority });
const output = struct({
  commitment,
  range_proof: bytes(),
  owner: authority,
  stealth_memo: optional(
    struct({ one_time_key: publicKey, to: optional(publicKey), encrypted_memo: bytes() }),
  ),
});

export const transfer_to_blind = struct({
  fee: asset,
  amount: asset,
  from: ids.account,
  blinding_factor: bytes(32),
  outputs: list(output),
});

export const blind_transfer = struct({ fee: asset, inputs: list(input), outputs: list(output) });

export const transfer_from_blind = struct({
  fee: asset,
  amount: asset,
  to: ids.account,
  blinding_factor: bytes(32),
  inputs: list(input),
});
