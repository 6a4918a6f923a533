/**
 * Making a transfer: whom, how much, and then all of it shown before anything is signed.
 * @module
 */
import { explain } from '@countersign/client';
import { explainOperations, type Transaction } from '@countersign/graphene';
import {
  buildTransaction,
  type ChainAccount,
  type ChainAsset,
  type FoundProvider,
  factsOf,
  findProviders,
  formatAmount,
  NO_FEE,
  operationsOf,
  parseAmount,
} from '@countersign/graphene/wallet';
import { useEffect, useState } from 'preact/hooks';
import { Operations } from './operations.tsx';
import { begin, type Wallet } from './own.ts';

const CORE = '1.3.0';

interface Standing {
  readonly core: ChainAsset;
  readonly balance: bigint;
  readonly providers: readonly FoundProvider[];
}

interface Shown {
  readonly transaction: Transaction;
  readonly operations: ReturnType<typeof explainOperations>;
}

interface PayProps {
  readonly wallet: Wallet;
  readonly account: ChainAccount;
  /** A transaction is under way, or the key is gone. */
  onChanged(): void;
}

export function Pay({ wallet, account, onChanged }: PayProps) {
  const [standing, setStanding] = useState<Standing>();
  const [shown, setShown] = useState<Shown>();
  const [failure, setFailure] = useState('');
  const { client } = wallet;

  useEffect(() => {
    const look = async () => {
      const [[core], balance, providers] = await Promise.all([
        client.assets([CORE]),
        client.balance(account.id, CORE),
        findProviders(client, account),
      ]);
      setStanding({ core: core!, balance, providers });
    };
    look().catch((error: unknown) => setFailure(explain(error)));
  }, [client, account]);

  const show = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setFailure('');
    try {
      const [[asset], payee] = await Promise.all([
        client.assets([String(data.get('asset')).trim()]),
        client.account(String(data.get('to')).trim()),
      ]);
      const amount = parseAmount(String(data.get('amount')).trim(), asset!).toString();
      const transaction = await buildTransaction(client, [
        [
          0,
          {
            fee: NO_FEE,
            from: account.id,
            to: payee.id,
            amount: { amount, asset_id: asset!.id },
            extensions: [],
          },
        ],
      ]);
      const facts = await factsOf(client, operationsOf(transaction));
      setShown({ transaction, operations: explainOperations(transaction.operations, facts) });
    } catch (error) {
      setFailure(explain(error));
    }
  };

  const send = ({ transaction }: Shown) =>
    begin(transaction).then(onChanged, (error: unknown) => setFailure(explain(error)));

  const forget = () => wallet.vault.forget().then(onChanged, (error: unknown) => setFailure(explain(error)));

  return (
    <>
      {shown !== undefined && (
        <Preview
          operations={shown.operations}
          onSend={() => void send(shown)}
          onBack={() => setShown(undefined)}
        />
      )}
      {/* What was typed stays, for whoever goes back. */}
      <div hidden={shown !== undefined}>
        {standing !== undefined && (
          <>
            <p>
              You have <strong data-fact="balance">{formatAmount(standing.balance, standing.core)}</strong>.
            </p>
            <Providers providers={standing.providers} />
          </>
        )}
        <form onSubmit={show}>
          <label>
            To
            <input name="to" required autocomplete="off" autocapitalize="none" spellcheck={false} />
          </label>
          <div class="row">
            <label class="grow">
              Amount
              <input name="amount" required inputmode="decimal" autocomplete="off" />
            </label>
            <label>
              Asset
              <input
                key={standing?.core.symbol}
                name="asset"
                required
                size={8}
                defaultValue={standing?.core.symbol ?? ''}
                spellcheck={false}
              />
            </label>
          </div>
          <button type="submit" disabled={standing === undefined}>
            Show the transaction
          </button>
        </form>
        <p>
          <button type="button" class="plain" onClick={() => void forget()}>
            Forget the key in this browser
          </button>
        </p>
      </div>
      {failure !== '' && <p role="alert">{failure}</p>}
    </>
  );
}

function Providers({ providers }: { providers: readonly FoundProvider[] }) {
  if (providers.length === 0) return <p class="quiet">This account needs no provider.</p>;
  return (
    <section aria-labelledby="providers">
      <h2 id="providers">Who signs with you</h2>
      <ul>
        {providers.map(({ provider, url }) => (
          <li key={provider.id}>
            <strong>{provider.name}</strong> <span class="quiet">at {url}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface PreviewProps {
  readonly operations: Shown['operations'];
  onSend(): void;
  onBack(): void;
}

function Preview({ operations, onSend, onBack }: PreviewProps) {
  return (
    <section aria-labelledby="preview">
      <h2 id="preview">This will be signed</h2>
      <Operations operations={operations} />
      <div class="row">
        <button type="button" onClick={onSend}>
          Sign and send
        </button>
        <button type="button" class="plain" onClick={onBack}>
          Back
        </button>
      </div>
    </section>
  );
}
