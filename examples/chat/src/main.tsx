/**
 * The chat's page: outside, at the door, or inside.
 * @module
 */
import { explain } from '@countersign/client';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Chat } from './chat.tsx';
import { type Standing, standing } from './own.ts';
import { SignIn } from './sign-in.tsx';
import { Wall } from './wall.tsx';

function App() {
  const [now, setNow] = useState<Standing>();
  const [failure, setFailure] = useState('');
  const look = () => {
    standing().then(setNow, (error: unknown) => setFailure(explain(error)));
  };
  useEffect(look, []);
  if (failure !== '') return <p role="alert">{failure}</p>;
  switch (now?.at) {
    case undefined:
      return <p role="status">One moment…</p>;
    case 'outside':
      return <SignIn onDone={look} />;
    case 'door':
      return <Wall waiting={now.waiting} onDone={look} />;
    case 'inside':
      return <Chat device={now.device} />;
  }
}

render(<App />, document.getElementById('app')!);
