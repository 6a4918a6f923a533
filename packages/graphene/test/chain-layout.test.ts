/**
 * What `bitsharesjs` does not know or packs otherwise: held against bytes written out by hand from the field
 * lists (`FC_REFLECT`) of bitshares-core.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../src/bytes.ts';
import { BITSHARES } from '../src/chain.ts';
import { historicOperation } from '../src/operations.ts';

const KEY = 'BTS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV';
const KEY_BYTES = '02c0ded2bc1f1305fb0faac5e6c03ee3a1924234985427b6167ca569d13df435cf';
const OTHER_KEY = 'BTS73MTSWz2Nks4Eaf8G8F7Nr6jbHorZSM774HFmtrdEuahXqi1ff';
const fee = { amount: 5, asset_id: '1.3.0' };
const FEE = '050000000000000000';
const two = { amount: 2, asset_id: '1.3.1' };
const TWO = '020000000000000001';
const authority = { weight_threshold: 1, account_auths: [['1.2.7', 1]], key_auths: [], address_auths: [] };
const AUTHORITY = '010000000107010000' + '00';
const takeProfit = {
  fee_asset_id: '1.3.0',
  spread_percent: 25,
  size_percent: 50,
  expiration_seconds: 3600,
  repeat: true,
  extensions: [],
};
const TAKE_PROFIT = '00' + '1900' + '3200' + '100e0000' + '01' + '00';
const hash20 = '11'.repeat(20);

function packed(json: unknown): string {
  const out = new ByteWriter();
  historicOperation.write(out, historicOperation.parse(json, BITSHARES, 0), BITSHARES);
  return Buffer.from(out.take()).toString('hex');
}

const LAYOUTS: readonly [string, unknown, string][] = [
  [
    'liquidity_pool_update',
    [75, { fee, account: '1.2.7', pool: '1.19.3', taker_fee_percent: 30, extensions: [] }],
    `4b${FEE}0703${'01'}1e00${'00'}00`,
  ],
  [
    'credit_deal_update',
    [76, { fee, account: '1.2.7', deal_id: '1.22.3', auto_repay: 2, extensions: [] }],
    `4c${FEE}07030200`,
  ],
  [
    'limit_order_update with an action on its filling',
    [
      77,
      {
        fee,
        seller: '1.2.7',
        order: '1.7.3',
        new_price: { base: fee, quote: two },
        delta_amount_to_sell: two,
        new_expiration: '1970-01-01T00:01:00',
        on_fill: [[0, takeProfit]],
        extensions: [],
      },
    ],
    `4d${FEE}070301${FEE}${TWO}01${TWO}013c00000001${'01'}00${TAKE_PROFIT}00`,
  ],
  [
    'limit_order_create with an action on its filling',
    [
      1,
      {
        fee,
        seller: '1.2.7',
        amount_to_sell: fee,
        min_to_receive: two,
        expiration: '1970-01-01T00:01:00',
        fill_or_kill: false,
        extensions: { on_fill: [[0, takeProfit]] },
      },
    ],
    `01${FEE}07${FEE}${TWO}3c00000000${'01'}00${'01'}00${TAKE_PROFIT}`,
  ],
  [
    'htlc_create with a memo and a hash of 160 bits',
    [
      49,
      {
        fee,
        from: '1.2.7',
        to: '1.2.8',
        amount: two,
        preimage_hash: [3, hash20],
        preimage_size: 32,
        claim_period_seconds: 60,
        extensions: { memo: { from: KEY, to: KEY, nonce: '1', message: 'ab' } },
      },
    ],
    `31${FEE}0708${TWO}03${hash20}20003c00000001${'00'}${KEY_BYTES}${KEY_BYTES}010000000000000001ab`,
  ],
  [
    'credit_offer_accept that repays by itself',
    [
      72,
      {
        fee,
        borrower: '1.2.7',
        offer_id: '1.21.3',
        borrow_amount: fee,
        collateral: two,
        max_fee_rate: 1,
        min_duration_seconds: 2,
        extensions: { auto_repay: 1 },
      },
    ],
    `48${FEE}0703${FEE}${TWO}0100000002000000${'01'}0001`,
  ],
  [
    'account_update with special authorities',
    [
      6,
      {
        fee,
        account: '1.2.7',
        active: authority,
        extensions: {
          null_ext: {},
          owner_special_authority: [0, {}],
          active_special_authority: [1, { asset: '1.3.1', num_top_holders: 9 }],
        },
      },
    ],
    `06${FEE}0700${'01'}${AUTHORITY}00${'03'}00${'01'}00${'02'}010109`,
  ],
  [
    'account_create that buys back an asset',
    [
      5,
      {
        fee,
        registrar: '1.2.7',
        referrer: '1.2.8',
        referrer_percent: 100,
        name: 'ab',
        owner: authority,
        active: authority,
        options: {
          memo_key: KEY,
          voting_account: '1.2.5',
          num_witness: 0,
          num_committee: 0,
          votes: ['1:3', '0:2'],
          extensions: [],
        },
        extensions: {
          buyback_options: {
            asset_to_buy: '1.3.1',
            asset_to_buy_issuer: '1.2.9',
            markets: ['1.3.4', '1.3.0'],
          },
        },
      },
    ],
    `05${FEE}07086400${'02'}6162${AUTHORITY}${AUTHORITY}${KEY_BYTES}0500000000${'02'}0002000001030000` +
      `00${'01'}03${'01'}09${'02'}0004`,
  ],
  [
    'asset_publish_feed with an initial collateral ratio',
    [
      19,
      {
        fee,
        publisher: '1.2.7',
        asset_id: '1.3.1',
        feed: {
          settlement_price: { base: fee, quote: two },
          maintenance_collateral_ratio: 1750,
          maximum_short_squeeze_ratio: 1100,
          core_exchange_rate: { base: fee, quote: two },
        },
        extensions: { initial_collateral_ratio: 1800 },
      },
    ],
    `13${FEE}0701${FEE}${TWO}d6064c04${FEE}${TWO}${'01'}000807`,
  ],
  [
    'worker_create that burns',
    [
      34,
      {
        fee,
        owner: '1.2.7',
        work_begin_date: '1970-01-01T00:00:01',
        work_end_date: '1970-01-01T00:00:02',
        daily_pay: 3,
        name: 'n',
        url: '',
        initializer: [2, {}],
      },
    ],
    `22${FEE}0701000000020000000300000000000000016e0002`,
  ],
  [
    'vesting_balance_create at once',
    [32, { fee, creator: '1.2.7', owner: '1.2.8', amount: two, policy: [2, {}] }],
    `20${FEE}0708${TWO}02`,
  ],
  [
    'custom_authority_create with restrictions in restrictions',
    [
      54,
      {
        fee,
        account: '1.2.7',
        enabled: true,
        valid_from: '1970-01-01T00:00:01',
        valid_to: '1970-01-01T00:00:02',
        operation_type: 0,
        auth: authority,
        restrictions: [
          {
            member_index: 2,
            restriction_type: 10,
            argument: [
              40,
              [[], [{ member_index: 0, restriction_type: 0, argument: [21, [10, 9]], extensions: [] }]],
            ],
            extensions: [],
          },
          {
            member_index: 3,
            restriction_type: 11,
            argument: [
              41,
              [1, [{ member_index: 1, restriction_type: 2, argument: [0, {}], extensions: [] }]],
            ],
            extensions: [],
          },
        ],
        extensions: [],
      },
    ],
    `36${FEE}0701010000000200000000${AUTHORITY}02` +
      `020a28${'02'}00${'01'}0000${'15'}0209000000000000000a0000000000000000` +
      `00` +
      `030b29${'0100000000000000'}${'01'}010200000000`,
  ],
  [
    'fill_order of the chain itself',
    [
      4,
      {
        fee,
        order_id: '1.7.3',
        account_id: '1.2.7',
        pays: fee,
        receives: two,
        fill_price: { base: fee, quote: two },
        is_maker: true,
      },
    ],
    `04${FEE}030000000000070107${FEE}${TWO}${FEE}${TWO}01`,
  ],
  [
    'asset_settle_cancel of the chain itself',
    [42, { fee, settlement: '1.4.3', account: '1.2.7', amount: two }],
    `2a${FEE}0307${TWO}`,
  ],
  [
    'htlc_redeemed of the chain itself',
    [
      51,
      {
        fee,
        htlc_id: '1.16.3',
        from: '1.2.7',
        to: '1.2.8',
        redeemer: '1.2.9',
        amount: two,
        htlc_preimage_hash: [0, hash20],
        htlc_preimage_size: 2,
        preimage: 'abcd',
      },
    ],
    `33${FEE}03070809${TWO}00${hash20}020002abcd`,
  ],
  [
    'htlc_refund of the chain itself',
    [
      53,
      {
        fee,
        htlc_id: '1.16.3',
        to: '1.2.7',
        original_htlc_recipient: '1.2.8',
        htlc_amount: two,
        htlc_preimage_hash: [1, hash20],
        htlc_preimage_size: 2,
      },
    ],
    `35${FEE}030708${TWO}01${hash20}0200`,
  ],
];

describe("packs as the chain's own source has it", () => {
  for (const [what, json, bytes] of LAYOUTS) {
    test(what, () => {
      assert.equal(packed(json), bytes);
      const input = new ByteReader(Buffer.from(bytes, 'hex'));
      assert.deepEqual(
        historicOperation.read(input, BITSHARES, 0),
        historicOperation.parse(json, BITSHARES, 0),
      );
      input.end();
    });
  }

  test('addresses of old authorities in the order of their bytes', () => {
    const addresses = ['BTS6t3qbcevCvz22WFQPCqHxGnbFX3pjZSXa', 'BTSCUZa6dX4Njh5EoGDSCEGxxJHT3RkyJVX'];
    const json = (order: string[]) => [
      6,
      { fee, account: '1.2.7', owner: { ...authority, address_auths: order.map((one) => [one, 1]) } },
    ];
    assert.match(packed(json(addresses)), /02022b95334607f1106488995a5af60635b59036b501004080363f/);
    assert.equal(packed(json(addresses.toReversed())), packed(json(addresses)));
  });

  test('keys in the order of their addresses', () => {
    const json = (order: string[]) => [
      6,
      { fee, account: '1.2.7', owner: { ...authority, key_auths: order.map((one) => [one, 1]) } },
    ];
    assert.equal(packed(json([KEY, OTHER_KEY])), packed(json([OTHER_KEY, KEY])));
  });

  test('operations of a proposal in the order of the sender', () => {
    const transfer = (to: string) => ({ op: [0, { fee, from: '1.2.7', to, amount: two, extensions: [] }] });
    const [a, b] = [
      transfer('1.2.9'),
      { op: [8, { fee, account_to_upgrade: '1.2.7', upgrade_to_lifetime_member: true, extensions: [] }] },
    ];
    const json = (proposed_ops: unknown[]) => [
      22,
      {
        fee,
        fee_paying_account: '1.2.7',
        expiration_time: '1970-01-01T00:00:01',
        proposed_ops,
        extensions: [],
      },
    ];
    const PACKED_A = `00${FEE}0709${TWO}0000`;
    const PACKED_B = `08${FEE}070100`;
    assert.equal(packed(json([b, a])), `16${FEE}070100000002${PACKED_B}${PACKED_A}0000`);
    assert.equal(packed(json([a, b])), `16${FEE}070100000002${PACKED_A}${PACKED_B}0000`);
  });
});
