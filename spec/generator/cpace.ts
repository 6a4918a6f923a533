/**
 * The published vectors of CPACE-RISTR255-SHA512, as they stand in draft-irtf-cfrg-cpace-21 (23 April 2026),
 * appendices A.1 and B.3. Nothing here is computed.
 * @module
 */
import { invalid, type VectorFile, valid } from './vector.ts';

const DRAFT = 'draft-irtf-cfrg-cpace-21, appendix';
const COUNTING = Array.from({ length: 128 }, (_, i) => i.toString(16).padStart(2, '0'));

const PRS = '50617373776f7264';
const CI = '0b415f696e69746961746f720b425f726573706f6e646572';
const SID = '7e4b4791d6a8ef019b936c79fb7f2c57';
const G = '222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56';
const YA_SCALAR = 'da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08';
const YB_SCALAR = 'd2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d';
const YA = 'd6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157';
const YB = '3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258';
const K = '80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f';
const ADA = '414461';
const ADB = '414462';
const ISK =
  'b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd' +
  '2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447';
const S = '7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05';
const X = '2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c';

export function cpace(): VectorFile {
  const run = { PRS, CI, sid: SID };
  const shares = { Ya: YA, ADa: ADA, Yb: YB, ADb: ADB };
  return {
    description:
      'CPACE-RISTR255-SHA512 as published: draft-irtf-cfrg-cpace-21, https://github.com/cfrg/draft-irtf-cfrg-cpace. ' +
      'Octet strings are in hexadecimal, under the names that the draft gives them; scalars are little-endian.',
    spec: 'sessions.md#cpace',
    vectors: [
      valid('prepend-len-0', `${DRAFT} A.1.2`, { op: 'lv_cat', parts: [''] }, { result: '00' }),
      valid(
        'prepend-len-4',
        `${DRAFT} A.1.2`,
        { op: 'lv_cat', parts: ['31323334'] },
        { result: '0431323334' },
      ),
      valid(
        'prepend-len-127',
        `${DRAFT} A.1.2`,
        { op: 'lv_cat', parts: [COUNTING.slice(0, 127).join('')] },
        { result: `7f${COUNTING.slice(0, 127).join('')}` },
      ),
      valid(
        'prepend-len-128',
        `${DRAFT} A.1.2`,
        { op: 'lv_cat', parts: [COUNTING.join('')] },
        { result: `8001${COUNTING.join('')}` },
      ),
      valid(
        'lv-cat',
        `${DRAFT} A.1.4`,
        { op: 'lv_cat', parts: ['31323334', '35', '', '363738'] },
        { result: '043132333401350003363738' },
      ),
      valid(
        'transcript-ir',
        `${DRAFT} A.3.5`,
        { op: 'transcript_ir', Ya: '313233', ADa: '506172747941', Yb: '323334', ADb: '506172747942' },
        { result: '03313233065061727479410332333406506172747942' },
      ),
      valid(
        'transcript-ir-longer',
        `${DRAFT} A.3.5`,
        { op: 'transcript_ir', Ya: '33343536', ADa: '506172747941', Yb: '32333435', ADb: '506172747942' },
        { result: '043334353606506172747941043233343506506172747942' },
      ),
      valid(
        'generator',
        `${DRAFT} B.3.1`,
        { op: 'calculate_generator', ...run },
        {
          generator_string:
            `11435061636552697374726574746f32353508${PRS}64` + `${'00'.repeat(100)}18${CI}10${SID}`,
          g: G,
        },
      ),
      valid(
        'message-a',
        `${DRAFT} B.3.2`,
        { op: 'scalar_mult_generator', ...run, scalar: YA_SCALAR },
        { result: YA },
      ),
      valid(
        'message-b',
        `${DRAFT} B.3.3`,
        { op: 'scalar_mult_generator', ...run, scalar: YB_SCALAR },
        { result: YB },
      ),
      valid(
        'secret-a',
        `${DRAFT} B.3.4`,
        { op: 'scalar_mult_vfy', scalar: YA_SCALAR, element: YB },
        { result: K },
      ),
      valid(
        'secret-b',
        `${DRAFT} B.3.4`,
        { op: 'scalar_mult_vfy', scalar: YB_SCALAR, element: YA },
        { result: K },
      ),
      valid('isk-ir', `${DRAFT} B.3.5`, { op: 'isk', sid: SID, K, ...shares }, { result: ISK }),
      valid(
        'run',
        `${DRAFT} B.3, from the inputs to the key, by both`,
        { op: 'run', ...run, ...shares, ya: YA_SCALAR, yb: YB_SCALAR },
        { ISK },
      ),
      valid(
        'scalar-mult-vfy',
        `${DRAFT} B.3.10`,
        { op: 'scalar_mult_vfy', scalar: S, element: X },
        { result: '7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e' },
      ),
      invalid('not-an-element', `Y_i1 of ${DRAFT} B.3.11`, 'session-invalid', {
        op: 'scalar_mult_vfy',
        scalar: S,
        element: '2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c',
      }),
      invalid('neutral-element', `Y_i2 of ${DRAFT} B.3.11`, 'session-invalid', {
        op: 'scalar_mult_vfy',
        scalar: S,
        element: '00'.repeat(32),
      }),
      invalid('not-an-element-in-a-run', `Y_i1 of ${DRAFT} B.3.11 as B's message`, 'session-invalid', {
        op: 'run',
        ...run,
        ...shares,
        Yb: '2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c',
        ya: YA_SCALAR,
        yb: YB_SCALAR,
      }),
      invalid('neutral-element-in-a-run', `Y_i2 of ${DRAFT} B.3.11 as B's message`, 'session-invalid', {
        op: 'run',
        ...run,
        ...shares,
        Yb: '00'.repeat(32),
        ya: YA_SCALAR,
        yb: YB_SCALAR,
      }),
    ],
  };
}
