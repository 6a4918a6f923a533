/**
 * Receipts of staged scenes: who asked what, who answered, when.
 * @module
 */
import type { Asked, Decided, OpenRequest, Receipt, SignatureAlgorithm, Signer } from '@countersign/core';
import { checkpointFor, newAccount, type TestAccount, withDevice } from './accounts.ts';
import { ask } from './asking.ts';
import type { Memory } from './memory.ts';
import { ACCEPT, answer } from './responses.ts';
import { BROKER, NOW, type TestDevice, testSigner } from './world.ts';

export interface Scene {
  readonly algorithm?: SignatureAlgorithm;
  readonly asked?: Partial<Asked>;
  readonly decided?: Decided;
  readonly account?: TestAccount;
  readonly enquirer?: TestAccount;
  readonly device?: TestDevice;
  readonly answeredAt?: number;
  readonly checkpointAt?: number;
  readonly checkpointBy?: string;
}

export interface Made {
  readonly receipt: Receipt;
  readonly request: OpenRequest;
  readonly account: TestAccount;
  readonly enquirer: TestAccount;
  readonly broker: Signer;
}

export const PASSCODE = '042042';

export async function make(memory: Memory, label: string, scene: Scene = {}): Promise<Made> {
  const {
    algorithm = 'EdDSA',
    asked = {},
    decided = ACCEPT,
    answeredAt = NOW + 5,
    checkpointAt = NOW + 6,
  } = scene;
  const account =
    scene.account ?? (await withDevice(await newAccount(memory, 'alice@example.com', algorithm), 'phone'));
  const enquirer = scene.enquirer ?? (await newAccount(memory, 'shop@example.com', algorithm));
  const device = scene.device ?? account.devices[1]!;
  const request = await ask(`for a receipt, ${label}`, enquirer, account, asked);
  const response = await answer(`for a receipt, ${label}`, account, enquirer, request, decided, {
    device,
    now: answeredAt,
  });
  const broker = await testSigner(memory, 'broker key', algorithm);
  const statement = await checkpointFor(broker, account.log, checkpointAt, scene.checkpointBy ?? BROKER);
  const receipt: Receipt = {
    countersign: 'receipt/1',
    request: request.statement.jws,
    response: response.statement.jws,
    ...(request.plaintext === undefined
      ? {}
      : { disclosed: { request: request.plaintext, response: response.plaintext! } }),
    enquirer_log: [...enquirer.log.entries],
    account_log: [...account.log.entries],
    checkpoint: { statement, key: broker.publicKey },
  };
  return { receipt, request, account, enquirer, broker };
}
