/**
 * The wallet's page: without a key, with nothing to do, with a transaction under way, which it goes on with, or
 * opened by a link.
 * @module
 */
import { explain } from '@countersign/client';
import type { Transaction } from '@countersign/graphene';
import type { ChainAccount } from '@countersign/graphene/wallet';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Link } from './link.tsx';
import { openWallet, ownAccount, underWay, type Wallet } from './own.ts';
import { Pay } from './pay.tsx';
import { Sending } from './sending.tsx';
import { SetUp } from './set-up.tsx';

interface Standing {
  readonly wallet: Wallet;
  readonly account: ChainAccount | undefined;
  readonly transaction: Transaction | undefined;
}

function App() {
  const [now, setNow] = useState<Standing>();
  const [failure, setFailure] = useState('');
  const [link, setLink] = useState(linkInAddress);
  const look = (opened: Wallet) =>
    Promise.all([ownAccount(opened), underWay(opened)]).then(([account, transaction]) =>
      setNow({ wallet: opened, account, transaction }),
    );
  const fail = (error: unknown) => setFailure(explain(error));
  useEffect(() => {
    openWallet().then(look).catch(fail);
    const change = () => setLink(linkInAddress());
    window.addEventListener('hashchange', change);
    return () => window.removeEventListener('hashchange', change);
  }, []);
  const leave = () => {
    // What the link asked for is over: neither a reload nor the history is to ask again.
    history.replaceState(null, '', '/');
    setLink(undefined);
  };
  if (failure !== '')
    return (
      <Frame>
        <p role="alert">{failure}</p>
      </Frame>
    );
  if (now === undefined)
    return (
      <Frame>
        <p role="status">One moment…</p>
      </Frame>
    );
  const { wallet, account, transaction } = now;
  const again = () => void look(wallet).catch(fail);
  if (account === undefined)
    return (
      <Frame>
        <SetUp wallet={wallet} onDone={again} />
      </Frame>
    );
  if (link !== undefined && transaction === undefined)
    return (
      <Frame title={`Wallet of ${account.name}`}>
        <Link key={link} wallet={wallet} account={account.name} link={link} onDone={leave} />
      </Frame>
    );
  return (
    <Frame title={`Wallet of ${account.name}`}>
      {transaction === undefined ? (
        <Pay wallet={wallet} account={account} onChanged={again} />
      ) : (
        <Sending wallet={wallet} transaction={transaction} onDone={again} />
      )}
    </Frame>
  );
}

/** The page's own address, where there are arguments behind its `#`. */
function linkInAddress(): string | undefined {
  return location.hash.length > 1 ? location.href : undefined;
}

function Frame({ title = 'Wallet', children }: { title?: string; children: preact.ComponentChildren }) {
  return (
    <main>
      <h1>{title}</h1>
      {children}
    </main>
  );
}

render(<App />, document.getElementById('app')!);
