/**
 * The authenticator's page.
 * @module
 */
import { render } from 'preact';
import { say } from '../kit/words.ts';

render(
  <main class="narrow">
    <h1>{say('app.title')}</h1>
    <p>{say('app.soon')}</p>
  </main>,
  document.getElementById('app')!,
);
